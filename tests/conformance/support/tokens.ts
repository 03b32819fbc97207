import { createHmac } from 'node:crypto';

/** Seconds since 1970. */
export function now(): number {
  return Math.floor(Date.now() / 1000);
}

function encoded(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

/** An HS256 JWT with exactly these claims. */
export function signed(claims: Record<string, unknown>, secret: string): string {
  const content = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(claims)}`;
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}

/** The claims of a token, unchecked. */
export function claimsOf(token: string): Record<string, unknown> {
  const [, payload = ''] = token.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
}

/** A legacy project key: a JWT with a role and ten years to live. */
export function projectKey(role: 'anon' | 'service_role', secret: string): string {
  return signed({ iss: 'supabase', role, iat: now(), exp: now() + 10 * 365 * 86_400 }, secret);
}
