import { expect, it } from 'vitest';
import { bodyOf, type CampaignTemplate, ownFile, trackedButtons } from './templates';
import { previewValues, startingVariables } from './wizard/variables';

const template = (components: object[], links: Record<string, string> = {}) =>
  ({
    id: 't',
    name: 'offer',
    language: 'en',
    category: 'marketing',
    status: 'approved',
    components,
    links,
  }) as CampaignTemplate;

const asked = (key: string, kind = 'text') => ({ key, kind, example: null, label: key });

it('finds the body, the buttons that are tracked and the files that are ours, also inside cards', () => {
  const header = (path?: string) => ({ type: 'HEADER', format: 'IMAGE', ...(path && { media: { path } }) });
  const given = template(
    [
      header('o/1/a.jpg'),
      { type: 'BODY', text: 'Hello' },
      { type: 'BUTTONS', buttons: [{ text: 'Thanks' }, { text: 'See it' }] },
      { type: 'CAROUSEL', cards: [{ components: [header()] }, { components: [header('o/2/b.jpg')] }] },
    ],
    { '1': 'https://example.com' },
  );
  expect(bodyOf(given)).toBe('Hello');
  expect(trackedButtons(given)).toEqual([{ index: '1', label: 'See it' }]);
  expect(ownFile(given, 'header.media')).toBe('o/1/a.jpg');
  expect(ownFile(given, 'card.0.header.media')).toBeUndefined();
  expect(ownFile(given, 'card.1.header.media')).toBe('o/2/b.jpg');
  expect(ownFile(template([]), 'header.media')).toBeUndefined();
});

it('a mapping begins with a guess, keeps what was chosen, and drops what the template does not ask', () => {
  const kept = {
    'body.2': { source: 'static', value: 'Monday' },
    'body.9': { source: 'static', value: 'gone' },
  } as const;
  const start = startingVariables(
    [asked('header.media', 'image'), asked('body.first_name'), asked('body.2'), asked('button.0', 'url')],
    kept,
  );
  expect(start).toEqual({
    'body.first_name': { source: 'contact', field: 'first_name', default: '' },
    'body.2': { source: 'static', value: 'Monday' },
    'button.0': { source: 'static', value: '' },
  });
  expect(startingVariables([asked('body.1')], {})['body.1']).toMatchObject({ source: 'contact' });
  expect(startingVariables([asked('body.1'), asked('body.2')], {})['body.1']).toMatchObject({
    source: 'static',
  });
});

it('a preview shows what is filled in and leaves the rest as placeholders', () => {
  expect(
    previewValues({
      'body.1': { source: 'contact', field: 'first_name', default: 'friend' },
      'body.2': { source: 'static', value: ' ' },
      'header.media': { source: 'static', value: { link: 'https://a.example/x.png' } },
      'header.location': { source: 'static', value: {} },
    }),
  ).toEqual({ 'body.1': 'friend', 'header.media': { link: 'https://a.example/x.png' } });
});
