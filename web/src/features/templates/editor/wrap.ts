/** Puts a mark around what is selected, or takes it off again; spaces at the ends stay outside, where they do no harm. */
export function wrapSelection(
  text: string,
  from: number,
  to: number,
  sign: string,
): { text: string; from: number; to: number } {
  const selected = text.slice(from, to);
  const start = from + (selected.length - selected.trimStart().length);
  const end = Math.max(start, to - (selected.length - selected.trimEnd().length));
  const size = sign.length;
  if (text.slice(start - size, start) === sign && text.slice(end, end + size) === sign && end > start) {
    return {
      text: text.slice(0, start - size) + text.slice(start, end) + text.slice(end + size),
      from: start - size,
      to: end - size,
    };
  }
  return {
    text: text.slice(0, start) + sign + text.slice(start, end) + sign + text.slice(end),
    from: start + size,
    to: end + size,
  };
}
