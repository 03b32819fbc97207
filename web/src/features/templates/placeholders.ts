/** `{{1}}` or `{{first_name}}`; anything between the braces is caught, so that a wrong name is found and told. */
const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;

/** The variables of a text, each once, in the order they are met. */
export function variablesIn(text: string): string[] {
  return [...new Set([...text.matchAll(PLACEHOLDER)].map((match) => (match[1] ?? '').trim()))];
}

/** The text with what is known put in; the rest stays as written. */
export function fillIn(text: string, value: (variable: string) => string | undefined): string {
  return text.replaceAll(PLACEHOLDER, (whole, name: string) => value(name.trim()) || whole);
}

/** The next free number, or name, for a variable about to be put in. */
export function nextVariable(format: 'positional' | 'named', used: string[]): string {
  if (format === 'positional') {
    const highest = Math.max(0, ...used.map((name) => (/^\d+$/.test(name) ? Number(name) : 0)));
    return String(highest + 1);
  }
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? 'value' : `value_${number}`;
    if (!used.includes(name)) return name;
  }
}
