export function linkProblem(link: string | undefined): string | undefined {
  if (link === undefined) return undefined;
  try {
    return new URL(link).protocol === 'https:' ? undefined : 'The link must begin with https://';
  } catch {
    return 'Write a whole link, such as https://example.com/offer';
  }
}
