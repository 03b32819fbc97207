import { describe, expect, it } from 'vitest';
import { contentLine, readContent, readReactions } from './content';

const message = (type: string, payload: unknown, body: string | null = null) => ({ type, payload, body });

describe('readContent', () => {
  it('reads media whether the payload holds the object or is it', () => {
    const document = { filename: 'menu.pdf', mime_type: 'application/pdf', caption: 'Our menu' };
    const expected = {
      kind: 'media',
      media: 'document',
      name: 'menu.pdf',
      detail: 'PDF',
      caption: 'Our menu',
    };
    expect(readContent(message('document', document))).toEqual(expected);
    expect(readContent(message('document', { document }))).toEqual(expected);
  });

  it('knows a voice note from audio', () => {
    expect(readContent(message('audio', { voice: true, mime_type: 'audio/ogg; codecs=opus' }))).toEqual({
      kind: 'media',
      media: 'voice',
      detail: 'Ogg',
    });
  });

  it('links a place, also when the numbers are text', () => {
    const place = readContent(message('location', { latitude: '3.139', longitude: 101.68, name: 'KL' }));
    expect(place).toMatchObject({
      kind: 'location',
      name: 'KL',
      url: expect.stringContaining('query=3.139,101.68'),
    });
  });

  it.each([
    [{ type: 'button_reply', button_reply: { id: '1', title: 'Yes' } }, 'Yes'],
    [{ type: 'list_reply', list_reply: { id: '1', title: 'Size M' } }, 'Size M'],
    [{ type: 'nfm_reply', nfm_reply: { response_json: 'broken' } }, 'Answered a form'],
  ])('shows the chosen answer of %j', (payload, title) => {
    expect(readContent(message('interactive', payload))).toMatchObject({ kind: 'choice', title });
  });

  it('adds up an order with quantities as text', () => {
    const order = {
      product_items: [
        { quantity: '2', item_price: 4.5, currency: 'MYR' },
        { quantity: 1, item_price: '1', currency: 'MYR' },
      ],
    };
    expect(readContent(message('order', order))).toMatchObject({
      kind: 'order',
      items: 3,
      total: expect.stringContaining('10'),
    });
  });

  it.each([
    ['text', null],
    ['image', 'nonsense'],
    ['location', []],
    ['contacts', { contacts: [null, { name: 5 }] }],
    ['interactive', 3],
    ['order', { product_items: 'x' }],
    ['something_new', { a: 1 }],
  ])('never throws for %s with %j', (type, payload) => {
    expect(contentLine(message(type, payload))).toEqual(expect.any(String));
  });

  it('says so when a type is unknown', () => {
    expect(readContent(message('poll', {}))).toEqual({ kind: 'unsupported', what: 'poll' });
    const byMeta = { content: { type: 'poll_creation', errors: [] }, meta_type: 'unsupported' };
    expect(readContent(message('unsupported', byMeta))).toEqual({
      kind: 'unsupported',
      what: 'poll_creation',
    });
    const byUs = { content: {}, meta_type: 'hologram' };
    expect(readContent(message('unsupported', byUs))).toEqual({ kind: 'unsupported', what: 'hologram' });
  });
});

describe('readReactions', () => {
  it('reads the reactions that are there', () => {
    expect(readReactions({ contact: { emoji: '👍', at: 'x' } })).toEqual(['👍']);
    expect(readReactions({ contact: { emoji: null, at: 'x' } })).toEqual([]);
    expect(readReactions(null)).toEqual([]);
  });
});
