import { Stack, Textarea, TextInput } from '@mantine/core';
import { forwardRef } from 'react';

interface NameFieldsProps {
  values: { name: string; description: string | null };
  onChange: (change: { name?: string; description?: string | null }) => void;
  asked: boolean;
}

export const NameFields = forwardRef<HTMLInputElement, NameFieldsProps>(
  ({ values, onChange, asked }, ref) => (
    <Stack gap="md">
      <TextInput
        ref={ref}
        label="Name"
        description="Only you and your colleagues see it."
        placeholder="Diwali offer for regulars"
        size="md"
        withAsterisk
        maxLength={100}
        value={values.name}
        onChange={(event) => onChange({ name: event.currentTarget.value })}
        error={asked && !values.name.trim() ? 'Give the campaign a name.' : undefined}
      />
      <Textarea
        label="Description"
        description="For your colleagues: what is it for?"
        autosize
        minRows={2}
        maxRows={6}
        maxLength={1000}
        value={values.description ?? ''}
        onChange={(event) => onChange({ description: event.currentTarget.value || null })}
      />
    </Stack>
  ),
);
