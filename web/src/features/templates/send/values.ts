import type { TemplateValue, TemplateValues, TemplateVariable } from '../model';

/** What a person has filled in so far; places are several fields. */
export type Answers = Record<string, string>;

/** Fields of a place, each under the variable's key with its name behind. */
export const placeFields = ['latitude', 'longitude', 'name', 'address'] as const;
export const placeKey = (key: string, field: (typeof placeFields)[number]): string => `${key}#${field}`;

const isPlace = (variable: TemplateVariable) => variable.kind === 'location';
const isMedia = (variable: TemplateVariable) => ['image', 'video', 'document'].includes(variable.kind);

const coordinate = (text: string | undefined, most: number): number | undefined => {
  const value = Number(text?.trim().replace(',', '.'));
  return text?.trim() && Number.isFinite(value) && Math.abs(value) <= most ? value : undefined;
};

function answered(variable: TemplateVariable, answers: Answers): TemplateValue | undefined {
  const { key } = variable;
  const answer = answers[key]?.trim();
  if (isPlace(variable)) {
    const latitude = coordinate(answers[placeKey(key, 'latitude')], 90);
    const longitude = coordinate(answers[placeKey(key, 'longitude')], 180);
    if (latitude === undefined || longitude === undefined) return undefined;
    const name = answers[placeKey(key, 'name')]?.trim();
    const address = answers[placeKey(key, 'address')]?.trim();
    return { latitude, longitude, ...(name && { name }), ...(address && { address }) };
  }
  if (!answer) return undefined;
  return isMedia(variable) ? { link: answer } : answer;
}

/** What `send_message` and `preview_template` take: only what is filled in. */
export function valuesOfAnswers(variables: TemplateVariable[], answers: Answers): TemplateValues {
  return Object.fromEntries(
    variables.flatMap((variable) => {
      const value = answered(variable, answers);
      return value === undefined ? [] : [[variable.key, value]];
    }),
  );
}

/** What is still missing or cannot be, by key. A flow may be opened without a token. */
export function missingAnswers(variables: TemplateVariable[], answers: Answers): Record<string, string> {
  return Object.fromEntries(
    variables.flatMap((variable) => {
      const { key, kind } = variable;
      const answer = answers[key]?.trim();
      if (kind === 'flow') return [];
      if (isMedia(variable) && answer && !/^https?:\/\/[^\s/]+\/\S*$/.test(answer))
        return [[key, 'Give the whole address of a file, starting with https://']];
      if (answered(variable, answers) !== undefined) return [];
      return [[key, isPlace(variable) ? 'Give a latitude and a longitude.' : 'Fill this in.']];
    }),
  );
}

/** What the name of a variable plainly asks for, from what is known of the person. */
export function knownAnswers(variables: TemplateVariable[], person: { name: string | null }): Answers {
  const name = person.name?.trim();
  if (!name) return {};
  const known: Record<string, string> = {
    first_name: name.split(/\s+/)[0] ?? name,
    full_name: name,
    name,
    customer_name: name,
  };
  return Object.fromEntries(
    variables.flatMap(({ key, kind }) => {
      const answer = kind === 'text' ? known[key.split('.').at(-1) ?? ''] : undefined;
      return answer ? [[key, answer]] : [];
    }),
  );
}
