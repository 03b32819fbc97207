/** Countries and time zones as the browser knows them, so that no list has to be kept up to date here. */
const names = new Intl.DisplayNames(['en'], { type: 'region' });

/** ISO 3166-1 alpha-2, the codes `Intl` can name. */
export function countries(): { value: string; label: string }[] {
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
  // Codes that CLDR names but that are no country: reserved, grouped or private ones.
  const skipped = new Set([
    'AC',
    'CP',
    'CQ',
    'DG',
    'EA',
    'EU',
    'EZ',
    'IC',
    'QO',
    'TA',
    'UN',
    'XA',
    'XB',
    'XK',
    'ZZ',
  ]);
  // Withdrawn codes are named after their successor; the successor's own code comes with the same name.
  const withdrawn = new Set([
    'AN',
    'BU',
    'CS',
    'DD',
    'DY',
    'FX',
    'HV',
    'NH',
    'NT',
    'RH',
    'SU',
    'TP',
    'UK',
    'VD',
    'YD',
    'YU',
    'ZR',
  ]);
  return letters
    .flatMap((first) => letters.map((second) => first + second))
    .filter((code) => !skipped.has(code) && !withdrawn.has(code))
    .map((value) => ({ value, label: names.of(value) ?? value }))
    .filter(({ value, label }) => label !== value)
    .sort((a, b) => a.label.localeCompare(b.label));
}

export function timeZones(): string[] {
  // The browser may name its own zone by an older alias than the one it lists.
  return [...new Set([...Intl.supportedValuesOf('timeZone'), 'UTC', localTimeZone()])].sort();
}

export const localTimeZone = (): string =>
  Intl.DateTimeFormat().resolvedOptions().timeZone || 'Asia/Kuala_Lumpur';

const neighbours: Record<string, string> = {
  'Asia/Singapore': 'SG',
  'Asia/Jakarta': 'ID',
  'Asia/Bangkok': 'TH',
  'Asia/Manila': 'PH',
  'Asia/Ho_Chi_Minh': 'VN',
  'Asia/Brunei': 'BN',
};

/** Where the clock stands says more than the browser's language, which is American English in half the world. */
export function localCountry(timeZone = localTimeZone(), language = navigator.language): string {
  const neighbour = neighbours[timeZone];
  if (neighbour) return neighbour;
  const region = new Intl.Locale(language).region;
  const isPlain = !region || language === 'en-US' || timeZone === 'UTC';
  return !isPlain && /^[A-Z]{2}$/.test(region)
    ? region
    : timeZone.startsWith('America/')
      ? (region ?? 'US')
      : 'MY';
}
