import { NumberInput, type NumberInputProps } from '@mantine/core';
import { useState } from 'react';

export interface NumberFieldProps
  extends Omit<NumberInputProps, 'value' | 'onChange' | 'min' | 'max' | 'clampBehavior'> {
  /** Null while nothing is written. */
  value: number | null;
  onChange: (value: number | null) => void;
  min: number;
  max: number;
  /** What an empty field says, if not between which numbers; null where empty has a meaning of its own. */
  missing?: string | null;
}

/** A number within bounds. Emptied, it is empty: what it held before is never kept behind the back of who empties it. */
export function NumberField({ value, onChange, min, max, missing, error, ...others }: NumberFieldProps) {
  const wanted = missing === undefined ? `Write ${min} to ${max}.` : missing;
  // What is being typed, "0.0" on the way to "0.05", as long as it says the same as the value.
  const [typed, setTyped] = useState<string | number>(value ?? '');
  return (
    <NumberInput
      {...others}
      min={min}
      max={max}
      clampBehavior="strict"
      allowNegative={min < 0}
      value={numberOf(typed) === value ? typed : (value ?? '')}
      onChange={(next) => {
        setTyped(next);
        onChange(numberOf(next));
      }}
      error={error ?? (value === null ? wanted : undefined)}
    />
  );
}

function numberOf(typed: string | number): number | null {
  if (typeof typed === 'number') return typed;
  const number = typed.trim() === '' ? Number.NaN : Number(typed);
  return Number.isNaN(number) ? null : number;
}
