import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { expect, it, vi } from 'vitest';
import { draw } from '@/test/render';
import { NumberField, type NumberFieldProps } from './number-field';

interface FieldProps extends Pick<NumberFieldProps, 'decimalScale' | 'missing'> {
  start: number;
  told: (value: number | null) => void;
}

function Field({ start, told, ...rest }: FieldProps) {
  const [value, setValue] = useState<number | null>(start);
  const onChange = (next: number | null) => {
    told(next);
    setValue(next);
  };
  return <NumberField label="Hours" min={0} max={168} {...rest} value={value} onChange={onChange} />;
}

it('emptied it is empty and says what to write, and a number ends that', async () => {
  const told = vi.fn();
  draw(<Field start={24} told={told} />);
  const field = screen.getByLabelText('Hours');
  await userEvent.clear(field);
  expect(told).toHaveBeenLastCalledWith(null);
  expect(field).toHaveValue('');
  expect(field).toBeInvalid();
  expect(field).toHaveAccessibleDescription('Write 0 to 168.');
  await userEvent.type(field, '48');
  expect(told).toHaveBeenLastCalledWith(48);
  expect(field).toBeValid();
});

it('what is typed stays as it is typed, also on the way to a number', async () => {
  const told = vi.fn();
  draw(<Field start={1} told={told} decimalScale={4} />);
  const field = screen.getByLabelText('Hours');
  await userEvent.clear(field);
  await userEvent.type(field, '0.0');
  expect(field).toHaveValue('0.0');
  expect(told).toHaveBeenLastCalledWith(0);
  await userEvent.type(field, '5');
  expect(told).toHaveBeenLastCalledWith(0.05);
});

it('nothing beyond the bounds is taken', async () => {
  const told = vi.fn();
  draw(<Field start={16} told={told} />);
  await userEvent.type(screen.getByLabelText('Hours'), '9');
  expect(screen.getByLabelText('Hours')).toHaveValue('16');
  expect(told).not.toHaveBeenCalled();
});

it('empty is no mistake where it has a meaning', async () => {
  draw(<Field start={2} told={() => {}} missing={null} />);
  await userEvent.clear(screen.getByLabelText('Hours'));
  expect(screen.getByLabelText('Hours')).toBeValid();
});
