import { MultiSelect } from '@mantine/core';

interface ChoicesInputProps {
  label: string;
  options: { value: string; label: string }[];
  value: string[];
  onChange: (value: string[]) => void;
  error?: string;
}

/** In a file of its own: a list that opens brings much with it, and few fields need one. */
export function ChoicesInput({ label, options, value, onChange, error }: ChoicesInputProps) {
  return (
    <MultiSelect
      aria-label={label}
      flex={1}
      data={options}
      value={value}
      onChange={onChange}
      error={error}
      searchable
      autoFocus
    />
  );
}
