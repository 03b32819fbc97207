/** WhatsApp's marks in a body: `*bold*`, `_italic_`, `~struck~`, and three backticks around code. */
export type Piece = string | { mark: 'bold' | 'italic' | 'strike' | 'code'; pieces: Piece[] };

const marks = { '*': 'bold', _: 'italic', '~': 'strike' } as const;
type Sign = keyof typeof marks;
const isSign = (character: string | undefined): character is Sign =>
  character === '*' || character === '_' || character === '~';

const FENCE = '```';
const isWord = (character: string | undefined) => character !== undefined && /[\p{L}\p{N}]/u.test(character);
const isBlank = (character: string | undefined) => character === undefined || /\s/.test(character);

/** Where the mark opened at `from` ends in its own line, or -1: WhatsApp shows a lone sign as it stands. */
function closing(text: string, from: number, sign: string): number {
  if (isBlank(text[from + 1]) || text[from + 1] === sign) return -1;
  for (let at = from + 2; at < text.length && text[at] !== '\n'; at += 1) {
    if (text[at] === sign && !isBlank(text[at - 1]) && !isWord(text[at + 1])) return at;
  }
  return -1;
}

export function readMarkup(text: string): Piece[] {
  const pieces: Piece[] = [];
  let plain = '';
  const flush = () => {
    if (plain) pieces.push(plain);
    plain = '';
  };
  let at = 0;
  while (at < text.length) {
    const end = text.startsWith(FENCE, at) ? text.indexOf(FENCE, at + FENCE.length) : -1;
    if (end > at + FENCE.length) {
      flush();
      pieces.push({ mark: 'code', pieces: [text.slice(at + FENCE.length, end)] });
      at = end + FENCE.length;
      continue;
    }
    const sign = text[at];
    const close = isSign(sign) && !isWord(text[at - 1]) ? closing(text, at, sign) : -1;
    if (isSign(sign) && close > 0) {
      flush();
      pieces.push({ mark: marks[sign], pieces: readMarkup(text.slice(at + 1, close)) });
      at = close + 1;
    } else {
      plain += sign;
      at += 1;
    }
  }
  flush();
  return pieces;
}
