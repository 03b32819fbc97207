import { describe, expect, it } from 'vitest';
import { type Template, templateSchema } from '../model';
import { convertFormat, dropSamples, moveSamples } from './convert';
import { fieldsOf } from './fields';
import { tidyName } from './name';
import { fieldOf, placeProblems } from './places';
import { renderValues } from './render';
import { emptyValues, newButton, valuesOf } from './values';
import { wrapSelection } from './wrap';

const row = (more: Partial<Template>): Template =>
  templateSchema.parse({
    id: 't',
    org_id: 'o',
    waba_id: '1',
    name: 'sale',
    language: 'en_US',
    category: 'marketing',
    parameter_format: 'named',
    components: [],
    links: {},
    status: 'draft',
    created_at: '2026-11-23T10:00:00Z',
    updated_at: '2026-11-23T10:00:00Z',
    ...more,
  });

const everything = [
  {
    type: 'HEADER',
    format: 'TEXT',
    text: 'Hi {{first_name}}',
    example: { header_text_named_params: [{ param_name: 'first_name', example: 'Aina' }] },
  },
  { type: 'LIMITED_TIME_OFFER', limited_time_offer: { text: 'Soon', has_expiration: false } },
  {
    type: 'BODY',
    text: 'For {{first_name}}: {{amount}} off',
    example: {
      body_text_named_params: [
        { param_name: 'first_name', example: 'Aina' },
        { param_name: 'amount', example: 'RM 20' },
      ],
    },
  },
  { type: 'FOOTER', text: 'Reply STOP to stop' },
  {
    type: 'BUTTONS',
    buttons: [
      { type: 'QUICK_REPLY', text: 'Yes' },
      {
        type: 'URL',
        text: 'Shop',
        url: 'https://app.example/t/{{1}}',
        example: ['https://app.example/t/Zm9yLWEtc2FtcGxlLW9ubA'],
      },
      { type: 'URL', text: 'Order', url: 'https://a.example/{{1}}', example: ['https://a.example/1'] },
      { type: 'PHONE_NUMBER', text: 'Call', phone_number: '+60312345678' },
      { type: 'COPY_CODE', example: 'SAVE20' },
      { type: 'SPM', text: 'View item' },
    ],
  },
];

describe('fieldsOf', () => {
  it('gives back what valuesOf read, of parts of every kind', () => {
    const template = row({ components: everything, links: { '1': 'https://shop.example/sale' } });
    const fields = fieldsOf(valuesOf(template));
    expect(fields.components).toEqual(everything);
    expect(fields.links).toEqual({ '1': 'https://shop.example/sale' });
  });

  it('gives back a carousel and numbered variables', () => {
    const card = (path: string) => ({
      components: [
        { type: 'HEADER', format: 'IMAGE', media: { path, mime: 'image/png' } },
        { type: 'BODY', text: '{{1}} and {{2}}', example: { body_text: [['a', 'b']] } },
        { type: 'BUTTONS', buttons: [{ type: 'QUICK_REPLY', text: 'Yes' }] },
      ],
    });
    const components = [
      { type: 'BODY', text: 'See {{2}} of {{1}}', example: { body_text: [['one', 'two']] } },
      { type: 'CAROUSEL', cards: [card('o/1/a.png'), card('o/2/b.png')] },
    ];
    const values = valuesOf(row({ components, parameter_format: 'positional' }));
    expect(fieldsOf(values).components).toEqual(components);
    expect(renderValues(values)).toMatchObject({
      body: 'See two of one',
      cards: [{ body: 'a and b', header: { media: { path: 'o/1/a.png' } } }, { body: 'a and b' }],
    });
  });

  it('gives back a one-time code', () => {
    const components = [
      { type: 'BODY', add_security_recommendation: false },
      { type: 'FOOTER', code_expiration_minutes: 5 },
      {
        type: 'BUTTONS',
        buttons: [
          {
            type: 'OTP',
            otp_type: 'ONE_TAP',
            supported_apps: [{ package_name: 'com.example', signature_hash: 'K8a/AINcGX7' }],
          },
        ],
      },
    ];
    expect(fieldsOf(valuesOf(row({ components, category: 'authentication' }))).components).toEqual(
      components,
    );
  });

  it('keeps an unfinished destination to itself, and lets a missing sample be missing', () => {
    const values = {
      ...emptyValues(),
      body: 'Hi {{first_name}}, {{amount}}',
      samples: { 'body.first_name': 'Aina' },
      buttons: [
        newButton('url', { tracked: true, redirect: 'https://a.example/t/{{1}}', destination: 'shop' }),
      ],
    };
    const { links, components } = fieldsOf(values);
    expect(links).toEqual({});
    expect(components[0]).toMatchObject({
      example: { body_text_named_params: [{ param_name: 'first_name', example: 'Aina' }] },
    });
  });
});

describe('places', () => {
  const { components } = fieldsOf(valuesOf(row({ components: everything })));
  it('finds the field of each path', () => {
    const fields = Object.entries({
      '/name': 'name',
      '/components/0/text': 'header.text',
      '/components/0/example': 'sample.header.first_name',
      '/components/2/text': 'body',
      '/components/2/example/body_text_named_params/1': 'sample.body.amount',
      '/components/3/text': 'footer',
      '/components/4/buttons': 'buttons',
      '/components/4/buttons/1/url': 'button.1.url',
      '/components/4/buttons/3/phone_number': 'button.3.phone',
      '/components/4/buttons/4/example': 'button.4.code',
      '/links/1': 'button.1.destination',
    });
    for (const [path, field] of fields) expect([path, fieldOf(path, components)]).toEqual([path, field]);
  });

  it('finds fields inside a carousel', () => {
    const carousel = [
      { type: 'BODY', text: 'x' },
      {
        type: 'CAROUSEL',
        cards: [
          {
            components: [
              { type: 'HEADER', format: 'IMAGE' },
              { type: 'BODY', text: '{{1}}' },
              { type: 'BUTTONS', buttons: [{ type: 'URL', text: 'a', url: 'b' }] },
            ],
          },
        ],
      },
    ];
    const at = (path: string) => fieldOf(`/components/1/cards/0${path}`, carousel);
    expect(at('/components/0')).toBe('card.0.media');
    expect(at('/components/1/example/body_text/0/0')).toBe('sample.card.0.body.1');
    expect(at('/components/2/buttons/0/url')).toBe('card.0.button.0.url');
    expect(fieldOf('/components/1/cards', carousel)).toBe('cards');
  });

  it('tells the same thing about a field once', () => {
    const problem = { path: '/components/2/text', severity: 'error' as const, code: 'x', message: 'm' };
    expect(placeProblems([problem, { ...problem, code: 'y' }], components)).toHaveLength(1);
  });
});

describe('convertFormat', () => {
  it('renames variables and moves their samples', () => {
    const values = valuesOf(row({ components: everything }));
    const numbered = { ...values, ...convertFormat(values, 'positional') };
    expect(numbered.body).toBe('For {{1}}: {{2}} off');
    expect(numbered.samples).toMatchObject({ 'header.1': 'Aina', 'body.2': 'RM 20' });
    const named = { ...numbered, ...convertFormat(numbered, 'named') };
    expect(named.body).toBe('For {{value_1}}: {{value_2}} off');
    expect(named.samples['body.value_2']).toBe('RM 20');
  });

  it('moves samples with their cards', () => {
    const samples = { 'card.0.body.1': 'a', 'card.1.body.1': 'b', 'body.1': 'c' };
    expect(moveSamples(samples, 0, 1)).toEqual({ 'card.1.body.1': 'a', 'card.0.body.1': 'b', 'body.1': 'c' });
    expect(dropSamples(samples, 0)).toEqual({ 'card.0.body.1': 'b', 'body.1': 'c' });
  });
});

it('marks what is selected without its spaces, and takes the mark off again', () => {
  expect(wrapSelection('say hello now', 4, 10, '*')).toEqual({ text: 'say *hello* now', from: 5, to: 10 });
  expect(wrapSelection('say *hello* now', 5, 10, '*')).toEqual({ text: 'say hello now', from: 4, to: 9 });
});

it('a name keeps the letters under their marks', () => {
  expect(tidyName('Über Größe-São')).toBe('uber_grosse_sao');
});
