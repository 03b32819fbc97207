import { variablesIn } from '../placeholders';
import type { EditorValues } from './values';

/** The same text with its variables called otherwise, and the samples moved along. */
export function convertFormat(values: EditorValues, format: EditorValues['format']): Partial<EditorValues> {
  if (format === values.format) return {};
  const samples: Record<string, string> = {};
  const rename = (place: string, text: string): string => {
    const names = new Map(
      variablesIn(text).map((name, index) => [
        name,
        format === 'positional' ? String(index + 1) : /^\d+$/.test(name) ? `value_${name}` : name,
      ]),
    );
    for (const [old, next] of names) {
      const sample = values.samples[`${place}.${old}`];
      if (sample) samples[`${place}.${next}`] = sample;
    }
    return text.replaceAll(/\{\{([^{}]*)\}\}/g, (whole, name: string) => {
      const next = names.get(name.trim());
      return next === undefined ? whole : `{{${next}}}`;
    });
  };
  return {
    format,
    header: { ...values.header, text: rename('header', values.header.text) },
    body: rename('body', values.body),
    cards: values.cards.map((card, index) => ({ ...card, body: rename(`card.${index}.body`, card.body) })),
    samples,
  };
}

/** `from` stands where `to` was: samples of cards are known by the card's place. */
export function moveSamples(
  samples: EditorValues['samples'],
  from: number,
  to: number,
): EditorValues['samples'] {
  const place = (index: number) => (index === from ? to : index === to ? from : index);
  return Object.fromEntries(
    Object.entries(samples).map(([key, sample]) => [
      key.replace(/^card\.(\d+)\./, (_, index: string) => `card.${place(Number(index))}.`),
      sample,
    ]),
  );
}

/** Without the card that was at `gone`, those behind it move up. */
export function dropSamples(samples: EditorValues['samples'], gone: number): EditorValues['samples'] {
  return Object.fromEntries(
    Object.entries(samples).flatMap(([key, sample]) => {
      const [, found] = /^card\.(\d+)\./.exec(key) ?? [];
      if (found === undefined) return [[key, sample]];
      const index = Number(found);
      if (index === gone) return [];
      return [[index < gone ? key : key.replace(/^card\.\d+\./, `card.${index - 1}.`), sample]];
    }),
  );
}
