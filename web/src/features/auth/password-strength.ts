export interface Strength {
  /** 0 nothing typed, 1 weak, 2 fair, 3 good, 4 strong. */
  score: 0 | 1 | 2 | 3 | 4;
  label: string;
  advice: string;
}

export const MIN_PASSWORD = 8;

const obvious = [
  'password',
  'passw0rd',
  'qwerty',
  'letmein',
  'welcome',
  'octopush',
  'whatsapp',
  'abc123',
  '123456',
  'iloveyou',
];

/** A quick estimate, shown while typing. The server has the last word (`weak_password`). */
export function passwordStrength(password: string, email = ''): Strength {
  if (!password) return { score: 0, label: '', advice: `Use at least ${MIN_PASSWORD} characters.` };
  const lower = password.toLowerCase();
  const name = email.split('@')[0]?.toLowerCase() ?? '';
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(password)).length;
  const different = new Set(lower).size;

  if (password.length < MIN_PASSWORD)
    return { score: 1, label: 'Too short', advice: `Use at least ${MIN_PASSWORD} characters.` };
  if (obvious.some((word) => lower.includes(word)) || (name.length > 3 && lower.includes(name)))
    return { score: 1, label: 'Easy to guess', advice: 'Avoid common words and your own name.' };
  if (different < 5)
    return { score: 1, label: 'Easy to guess', advice: 'Avoid repeating the same characters.' };

  const bits = password.length * Math.log2([10, 26, 40, 62, 94][kinds] ?? 26) * Math.min(1, different / 10);
  if (bits < 45) return { score: 2, label: 'Fair', advice: 'A few more characters make it good.' };
  if (bits < 65) return { score: 3, label: 'Good', advice: 'This is a good password.' };
  return { score: 4, label: 'Strong', advice: 'This is a strong password.' };
}
