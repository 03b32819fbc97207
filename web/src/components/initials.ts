const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** First letters of the first and the last word; whole characters, so that no emoji is cut in half. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const first = letterOf(words[0] ?? '');
  const last = words.length > 1 ? letterOf(words.at(-1) ?? '') : '';
  // Scripts without capitals (Chinese, Arabic…) join or crowd: one sign says more there.
  return /^\p{Lu}$/u.test(first) ? first + (/^\p{Lu}$/u.test(last) ? last : '') : first;
}

function letterOf(word: string): string {
  const [sign] = graphemes.segment(word);
  return sign && /[\p{L}\p{Extended_Pictographic}]/u.test(sign.segment) ? sign.segment.toUpperCase() : '';
}
