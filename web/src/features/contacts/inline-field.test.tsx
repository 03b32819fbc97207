import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { draw } from '@/test/render';
import { InlineField, writtenValue } from './inline-field';
import type { Contact } from './model';

const contact = { id: 'c', company: 'Old', updated_at: 'v1', custom_fields: {} } as unknown as Contact;

function show(save = vi.fn().mockResolvedValue(undefined), check?: (value: string) => string | null) {
  draw(
    <InlineField
      contact={contact}
      path="company"
      label="Company"
      shown={contact.company}
      as={{ kind: 'text' }}
      save={save}
      check={check}
    />,
  );
  return save;
}

describe('a field in its place', () => {
  it('is edited and saved by keyboard alone', async () => {
    const save = show();
    await userEvent.tab();
    await userEvent.keyboard('{Enter}');
    const field = screen.getByRole('textbox', { name: 'Company' });
    expect(field).toHaveFocus();
    await userEvent.clear(field);
    await userEvent.type(field, 'New{Enter}');
    expect(save).toHaveBeenCalledExactlyOnceWith({
      path: 'company',
      label: 'Company',
      value: 'New',
      base: 'Old',
      expected: 'v1',
    });
    expect(screen.getByRole('button', { name: 'Edit company' })).toHaveFocus();
  });

  it('saves when it is left, once', async () => {
    const save = show();
    await userEvent.click(screen.getByRole('button', { name: 'Edit company' }));
    await userEvent.type(screen.getByRole('textbox'), '!');
    await userEvent.click(document.body);
    expect(save).toHaveBeenCalledTimes(1);
  });

  it('lets go with Escape, and asks nobody when nothing changed', async () => {
    const save = show();
    await userEvent.click(screen.getByRole('button', { name: 'Edit company' }));
    await userEvent.type(screen.getByRole('textbox'), 'x{Escape}');
    await userEvent.click(screen.getByRole('button', { name: 'Edit company' }));
    await userEvent.type(screen.getByRole('textbox'), '{Enter}');
    await userEvent.click(screen.getByRole('button', { name: 'Edit company' }));
    await userEvent.type(screen.getByRole('textbox'), 'y');
    await userEvent.click(screen.getByRole('button', { name: 'Cancel company' }));
    expect(save).not.toHaveBeenCalled();
  });

  it('gives back what was typed when it is refused', async () => {
    show(vi.fn().mockRejectedValue({ code: 'CONTACT_007', details: '{"problem": "That is too long."}' }));
    await userEvent.click(screen.getByRole('button', { name: 'Edit company' }));
    await userEvent.type(screen.getByRole('textbox'), ' and sons{Enter}');
    expect(await screen.findByText('That is too long.')).toBeVisible();
    expect(screen.getByRole('textbox')).toHaveValue('Old and sons');
  });

  it('says what is wrong before asking the database', async () => {
    const save = show(undefined, () => 'Not like this.');
    await userEvent.click(screen.getByRole('button', { name: 'Edit company' }));
    await userEvent.type(screen.getByRole('textbox'), '!{Enter}');
    expect(screen.getByText('Not like this.')).toBeVisible();
    expect(save).not.toHaveBeenCalled();
  });
});

it.each([
  ['  x ', 'text', 'x'],
  ['   ', 'text', null],
  ['12.50', 'number', 12.5],
  ['twelve', 'number', 'twelve'],
  ['true', 'boolean', true],
  ['', 'boolean', null],
] as const)('%j in a %s field becomes %j', (draft, kind, value) =>
  expect(writtenValue(draft, { kind })).toBe(value),
);

it('an empty choice of several is nothing', () => {
  expect(writtenValue([], { kind: 'choices', options: [] })).toBeNull();
  expect(writtenValue(['a'], { kind: 'choices', options: [] })).toEqual(['a']);
});
