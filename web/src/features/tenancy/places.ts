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
  return [...new Set([...Intl.supportedValuesOf('timeZone'), 'UTC'])];
}

export const localTimeZone = (): string =>
  Intl.DateTimeFormat().resolvedOptions().timeZone || 'Asia/Kuala_Lumpur';

/** The country of the browser's locale, else Malaysia, where most of our customers are. */
export function localCountry(): string {
  const region = new Intl.Locale(navigator.language).region;
  return region && /^[A-Z]{2}$/.test(region) ? region : 'MY';
}
