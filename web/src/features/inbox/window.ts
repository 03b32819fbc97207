const HOUR = 3_600_000;
const MINUTE = 60_000;

export type WindowLevel = 'open' | 'soon' | 'urgent' | 'closed';

export interface WindowState {
  level: WindowLevel;
  /** For a dot: "18h", "45m", "Closed". */
  short: string;
  /** For a header or a tooltip. */
  long: string;
}

/** WhatsApp's 24-hour window. PRD §6.2: green above 4 h, yellow above 1 h, red below, gray when over. */
export function windowState(expiresAt: string | null, now: number): WindowState {
  const left = expiresAt ? Date.parse(expiresAt) - now : 0;
  if (!expiresAt || left <= 0) {
    return {
      level: 'closed',
      short: 'Closed',
      long: expiresAt ? '24-hour window closed' : 'Hasn’t written yet',
    };
  }
  const hours = Math.floor(left / HOUR);
  const minutes = Math.floor((left % HOUR) / MINUTE);
  const level: WindowLevel = left > 4 * HOUR ? 'open' : left > HOUR ? 'soon' : 'urgent';
  if (hours >= 1) return { level, short: `${hours}h`, long: `${hours} h ${minutes} min left` };
  if (minutes >= 1) return { level, short: `${minutes}m`, long: `${minutes} min left` };
  return { level, short: '<1m', long: `${Math.max(1, Math.floor(left / 1_000))} s left` };
}

/** How often the countdown has to be drawn: each minute, and each second in the last one. */
export function windowStep(expiresAt: string | null, now: number): number {
  const left = expiresAt ? Date.parse(expiresAt) - now : 0;
  return left > 0 && left < 2 * MINUTE ? 1_000 : 15_000;
}
