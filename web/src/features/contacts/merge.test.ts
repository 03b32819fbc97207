import { describe, expect, it } from 'vitest';
import { mergedConsent, mergedFields } from './merge';
import type { Contact } from './model';

const person = (more: Partial<Contact>): Contact =>
  ({ opt_in_status: 'pending', tags: [], notes: null, address: null, ...more }) as Contact;
const tag = (name: string) => ({ id: name, name, color: '#868e96' });

describe('two contacts become one', () => {
  it('with what the kept one has, and the other’s where it has nothing', () => {
    const rows = mergedFields(
      person({
        full_name: 'Aina',
        phone: '+60121',
        notes: 'a',
        tags: [tag('VIP')],
        opt_in_status: 'opted_in',
      }),
      person({
        full_name: 'Aina B',
        phone: '+60122',
        email: 'aina@example.com',
        notes: 'b',
        tags: [tag('Trial')],
        opt_in_status: 'opted_out',
      }),
    );
    const row = (label: string) => rows.find((each) => each.label === label);
    expect(row('Name')).toMatchObject({ keep: 'Aina', lost: 'Aina B', taken: false });
    expect(row('E-mail')).toMatchObject({ keep: 'aina@example.com', lost: undefined, taken: true });
    expect(row('Notes')?.keep).toBe('Both, one after the other');
    expect(row('Opt-in')).toMatchObject({ keep: 'Opted out', lost: 'Opted in' });
    expect(row('Tags')).toMatchObject({ keep: 'Trial, VIP', taken: true });
    expect(row('Company')).toBeUndefined();
  });

  it.each([
    ['opted_in', 'opted_out', 'opted_out'],
    ['pending', 'opted_in', 'opted_in'],
    ['pending', 'pending', 'pending'],
  ])('%s and %s is %s', (a, b, result) => {
    expect(mergedConsent(a, b)).toBe(result);
    expect(mergedConsent(b, a)).toBe(result);
  });
});
