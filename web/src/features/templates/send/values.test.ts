import { expect, it } from 'vitest';
import type { TemplateVariable } from '../model';
import { knownAnswers, missingAnswers, placeKey, valuesOfAnswers } from './values';

const variable = (key: string, kind = 'text'): TemplateVariable => ({ key, kind, example: null, label: key });

it('makes texts, files and places of what was typed', () => {
  const variables = [
    variable('body.first_name'),
    variable('header.media', 'image'),
    variable('header.location', 'location'),
    variable('button.0', 'flow'),
  ];
  const answers = {
    'body.first_name': ' Aina ',
    'header.media': 'https://a.example/x.png',
    [placeKey('header.location', 'latitude')]: '3,139',
    [placeKey('header.location', 'longitude')]: '101.68',
    [placeKey('header.location', 'name')]: 'KLCC',
  };
  expect(valuesOfAnswers(variables, answers)).toEqual({
    'body.first_name': 'Aina',
    'header.media': { link: 'https://a.example/x.png' },
    'header.location': { latitude: 3.139, longitude: 101.68, name: 'KLCC' },
  });
  expect(missingAnswers(variables, answers)).toEqual({});
});

it('names what is missing or cannot be', () => {
  const variables = [
    variable('body.1'),
    variable('header.media', 'video'),
    variable('header.location', 'location'),
  ];
  const missing = missingAnswers(variables, {
    'body.1': '  ',
    'header.media': 'my video',
    [placeKey('header.location', 'latitude')]: '99',
    [placeKey('header.location', 'longitude')]: '1',
  });
  expect(Object.keys(missing)).toEqual(['body.1', 'header.media', 'header.location']);
});

it('fills in a name where one is plainly asked for', () => {
  const variables = [variable('body.first_name'), variable('header.full_name'), variable('body.1')];
  expect(knownAnswers(variables, { name: 'Aina Rahman' })).toEqual({
    'body.first_name': 'Aina',
    'header.full_name': 'Aina Rahman',
  });
  expect(knownAnswers(variables, { name: null })).toEqual({});
});
