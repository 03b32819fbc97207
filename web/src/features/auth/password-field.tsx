import { Group, PasswordInput, type PasswordInputProps, Progress, Stack, Text } from '@mantine/core';
import { useId } from 'react';
import { passwordStrength } from './password-strength';

interface NewPasswordFieldProps extends PasswordInputProps {
  value?: string;
  email?: string;
}

const colors = ['gray', 'red', 'yellow', 'teal', 'green'];

/** A password being chosen: with a toggle to see it and a measure of how hard it is to guess. */
export function NewPasswordField({ value = '', email, ...props }: NewPasswordFieldProps) {
  const strength = passwordStrength(value, email);
  const hint = useId();
  return (
    <Stack gap={6}>
      <PasswordField autoComplete="new-password" value={value} aria-describedby={hint} {...props} />
      <Group gap="sm" wrap="nowrap">
        <Progress
          value={strength.score * 25}
          color={colors[strength.score]}
          size={6}
          flex={1}
          aria-label="Password strength"
        />
        {strength.label && (
          <Text size="sm" fw={500}>
            {strength.label}
          </Text>
        )}
      </Group>
      <Text id={hint} size="sm" c="dimmed" aria-live="polite">
        {strength.advice}
      </Text>
    </Stack>
  );
}

export function PasswordField(props: PasswordInputProps) {
  return (
    <PasswordInput
      size="md"
      visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password', tabIndex: 0 }}
      {...props}
    />
  );
}
