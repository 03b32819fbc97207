import type { Component, TemplateProblem } from '../model';
import { variablesIn } from '../placeholders';

/**
 * The field of the editor that a problem belongs to. Problems name a place in Meta's components; fields are named
 * after what people see: `header.text`, `sample.body.first_name`, `button.1.url`, `card.0.media`.
 */
export function fieldOf(path: string, components: Component[]): string {
  const [top, ...rest] = path.split('/').filter(Boolean);
  switch (top) {
    case 'name':
    case 'language':
    case 'category':
      return top;
    case 'parameter_format':
      return 'format';
    case 'links':
      return `button.${rest[0] ?? 0}.destination`;
    case 'components': {
      const component = components[Number(rest[0])];
      return component ? inComponent(component, rest.slice(1), '') : 'body';
    }
    default:
      return 'body';
  }
}

function inComponent(component: Record<string, unknown>, rest: string[], prefix: string): string {
  const [key] = rest;
  switch (String(component.type).toUpperCase()) {
    case 'HEADER': {
      if (prefix || component.format !== 'TEXT') return `${prefix}${prefix ? '' : 'header.'}media`;
      return key === 'example' ? sampleField('header', component, rest.slice(1)) : 'header.text';
    }
    case 'BODY':
      return key === 'example' ? sampleField(`${prefix}body`, component, rest.slice(1)) : `${prefix}body`;
    case 'FOOTER':
      return key === 'code_expiration_minutes' ? 'expires' : 'footer';
    case 'BUTTONS': {
      const button = (Array.isArray(component.buttons) ? component.buttons[Number(rest[1])] : undefined) as
        | Record<string, unknown>
        | undefined;
      if (!button) return `${prefix}buttons`;
      return `${prefix}button.${rest[1]}.${buttonField(String(button.type).toUpperCase(), rest[2])}`;
    }
    case 'CAROUSEL': {
      const cards = Array.isArray(component.cards) ? component.cards : [];
      const card = cards[Number(rest[1])] as { components?: Record<string, unknown>[] } | undefined;
      const inner = card?.components?.[Number(rest[3])];
      if (!card) return 'cards';
      return inner ? inComponent(inner, rest.slice(4), `card.${rest[1]}.`) : `card.${rest[1]}.body`;
    }
    default:
      return 'body';
  }
}

function buttonField(type: string, key: string | undefined): string {
  if (key === 'url') return 'url';
  if (key === 'phone_number') return 'phone';
  if (key === 'example') return type === 'COPY_CODE' ? 'code' : 'urlSample';
  if (key === 'flow_id' || key === 'flow_name' || key === 'flow_json') return 'flowId';
  if (key === 'navigate_screen' || key === 'flow_action') return 'flowScreen';
  if (key === 'supported_apps') return 'packageName';
  if (type === 'COPY_CODE') return 'code';
  return 'text';
}

/** `body_text/0/2` or `body_text_named_params/2`: the third sample. Without a place: the first of the text. */
function sampleField(place: string, component: Record<string, unknown>, rest: string[]): string {
  const text = String(component.text ?? '');
  const names = variablesIn(text);
  const isNamed = rest[0]?.endsWith('named_params') ?? false;
  const ordered = isNamed ? names : [...names].sort((a, b) => Number(a) - Number(b));
  const index = Number(isNamed ? rest[1] : (rest[2] ?? (place === 'header' ? rest[1] : 0)));
  const name = ordered[Number.isInteger(index) ? index : 0] ?? ordered[0];
  return name === undefined ? (place === 'header' ? 'header.text' : place) : `sample.${place}.${name}`;
}

/** Where somebody works while they change a field: problems elsewhere can wait until they get there. */
export const sectionOf = (field: string): string => {
  const [first = '', second = ''] = field.replace(/^sample\./, '').split('.');
  return first === 'card' || first === 'button' ? `${first}.${second}` : first;
};

export interface PlacedProblem extends TemplateProblem {
  field: string;
}

/** Each problem with its field; the same words about the same field once. */
export function placeProblems(problems: TemplateProblem[], components: Component[]): PlacedProblem[] {
  const seen = new Set<string>();
  return problems.flatMap((problem) => {
    const field = fieldOf(problem.path, components);
    const key = `${field} ${problem.message}`;
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ ...problem, field }];
  });
}
