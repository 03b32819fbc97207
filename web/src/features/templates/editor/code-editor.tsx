import { NumberInput, Stack, Switch, Text } from '@mantine/core';
import { CodeButtonFields } from './button-fields';
import { useEditor, useField } from './context';
import { FieldWarning } from './field-warning';
import { newButton } from './values';

/** An authentication template: Meta writes the words, these are the only choices. */
export function CodeEditor() {
  const { values, change } = useEditor();
  const expires = useField('expires');
  const body = useField('body');
  const button = values.buttons.find((each) => each.kind === 'otp') ?? newButton('otp');
  return (
    <Stack gap="md">
      <Text c="dimmed">
        Meta writes the words of one-time codes in every language. You choose what goes with them.
      </Text>
      <div>
        <Switch
          id={body.props.id}
          label="Say “For your security, do not share this code.”"
          checked={values.recommendSecurity}
          onChange={(event) => change({ recommendSecurity: event.currentTarget.checked })}
        />
        {body.error && (
          <Text size="sm" c="var(--mantine-color-error)">
            {body.error}
          </Text>
        )}
        <FieldWarning>{body.warning}</FieldWarning>
      </div>
      <div>
        <NumberInput
          {...expires.props}
          label="The code expires after (minutes)"
          description="1 to 90. Leave it empty to say nothing."
          w={{ base: '100%', xs: 260 }}
          min={1}
          max={90}
          allowDecimal={false}
          value={values.expiresInMinutes ?? ''}
          onChange={(minutes) => change({ expiresInMinutes: typeof minutes === 'number' ? minutes : null })}
        />
        <FieldWarning>{expires.warning}</FieldWarning>
      </div>
      <CodeButtonFields
        place="button.0"
        button={button}
        onChange={(more) => change({ buttons: [{ ...button, ...more }] })}
      />
    </Stack>
  );
}
