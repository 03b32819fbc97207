import { MIN_PASSWORD } from './password-strength';

export const emailProblem = (value: string): string | null =>
  /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(value.trim())
    ? null
    : 'Enter your e-mail address, like name@company.com.';

export const newPasswordProblem = (value: string): string | null =>
  value.length >= MIN_PASSWORD ? null : `Use at least ${MIN_PASSWORD} characters.`;

export const passwordProblem = (value: string): string | null => (value ? null : 'Enter your password.');

export const nameProblem = (value: string): string | null =>
  value.trim().length >= 1 && value.trim().length <= 120 ? null : 'Use 1 to 120 characters.';
