import { fireEvent, screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { draw } from '@/test/render';
import { MediaVariable } from './media-variable';

vi.mock('@/features/tenancy/queries', () => ({ useOrg: () => ({ orgId: 'o' }) }));

it('a cleared or half-typed link takes the old file out of the draft', () => {
  const onChange = vi.fn();
  draw(
    <MediaVariable
      kind="image"
      label="Header"
      value={{ source: 'static', value: 'https://example.com/old.jpg' }}
      onChange={onChange}
      ownPath={undefined}
      asked={false}
    />,
  );
  const field = screen.getByRole('textbox', { name: 'Link of Header' });
  fireEvent.change(field, { target: { value: 'https:' } });
  expect(onChange).toHaveBeenLastCalledWith(undefined);
  fireEvent.change(field, { target: { value: 'https://example.com/new.jpg' } });
  expect(onChange).toHaveBeenLastCalledWith({ source: 'static', value: 'https://example.com/new.jpg' });
  fireEvent.change(field, { target: { value: '' } });
  expect(onChange).toHaveBeenLastCalledWith(undefined);
});
