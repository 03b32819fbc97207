import { type Piece, readMarkup } from './markup';

const elements = { bold: 'strong', italic: 'em', strike: 's', code: 'code' } as const;

/** Text with WhatsApp's marks shown as a phone does. */
export function Marked({ text }: { text: string }) {
  return <Pieces pieces={readMarkup(text)} />;
}

function Pieces({ pieces }: { pieces: Piece[] }) {
  return pieces.map((piece, index) => {
    if (typeof piece === 'string') return piece;
    const Element = elements[piece.mark];
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text, drawn anew with it
      <Element key={index}>
        <Pieces pieces={piece.pieces} />
      </Element>
    );
  });
}
