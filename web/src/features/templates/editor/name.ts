/** Meta's limit. */
export const MAX_NAME = 512;

/** Small letters, digits and underscores are all a name may have: what is typed becomes that at once, ü a u. */
export const tidyName = (typed: string): string =>
  typed
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replaceAll(/[\s-]+/g, '_')
    .replaceAll(/[^a-z0-9_]/g, '')
    .slice(0, MAX_NAME);

export const nameProblem = (name: string): string | undefined => (name ? undefined : 'Give it a name.');
