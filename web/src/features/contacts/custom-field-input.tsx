import { MultiSelect, Select, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import type { CustomField, CustomValue } from './custom-fields';

interface CustomFieldInputProps {
  field: CustomField;
  value: CustomValue;
  onChange: (value: CustomValue) => void;
  error?: ReactNode;
}

export function CustomFieldInput({ field, value, onChange, error }: CustomFieldInputProps) {
  const common = { label: field.label, size: 'md', error } as const;
  switch (field.type) {
    case 'choice':
      return (
        <Select
          {...common}
          data={field.options}
          value={typeof value === 'string' ? value : null}
          onChange={onChange}
          clearable
          clearButtonProps={{ 'aria-label': `Clear ${field.label}` }}
        />
      );
    case 'multi_choice':
      return (
        <MultiSelect
          {...common}
          data={field.options}
          value={Array.isArray(value) ? value : []}
          onChange={(next) => onChange(next.length > 0 ? next : null)}
          searchable
        />
      );
    case 'boolean':
      return (
        <Select
          {...common}
          data={[
            { value: 'true', label: 'Yes' },
            { value: 'false', label: 'No' },
          ]}
          value={typeof value === 'boolean' ? String(value) : null}
          onChange={(next) => onChange(next === null ? null : next === 'true')}
          clearable
          clearButtonProps={{ 'aria-label': `Clear ${field.label}` }}
        />
      );
    case 'number':
      return (
        <TextInput
          {...common}
          inputMode="decimal"
          value={value === null ? '' : String(value)}
          onChange={(event) => {
            const text = event.currentTarget.value;
            // Half a number ("-", "1.") stays as typed; the database says so if it is left like that.
            onChange(text === '' ? null : /^-?\d+(\.\d*[1-9])?$/.test(text) ? Number(text) : text);
          }}
        />
      );
    default:
      return (
        <TextInput
          {...common}
          type={field.type === 'date' ? 'date' : 'text'}
          value={typeof value === 'string' ? value : ''}
          onChange={(event) => onChange(event.currentTarget.value || null)}
        />
      );
  }
}
