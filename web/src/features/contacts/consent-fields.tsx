import { Select, Stack, Textarea } from '@mantine/core';
import { choices, consentNames, consentSourceNames } from './model';

export interface ConsentGiven {
  status: string;
  source: string;
  evidence: string;
}

export const consentGiven: ConsentGiven = { status: 'opted_in', source: 'manual', evidence: '' };

/** The longest note the database keeps. */
const EVIDENCE_MAX = 500;

interface ConsentFieldsProps {
  value: ConsentGiven;
  onChange: (value: ConsentGiven) => void;
}

/** What somebody agreed to, how we know, and what shows it. */
export function ConsentFields({ value, onChange }: ConsentFieldsProps) {
  return (
    <Stack gap="sm">
      <Select
        label="Opt-in"
        data={choices(consentNames)}
        value={value.status}
        onChange={(status) => status && onChange({ ...value, status })}
        allowDeselect={false}
      />
      <Select
        label="How do you know?"
        data={choices(consentSourceNames)}
        value={value.source}
        onChange={(source) => source && onChange({ ...value, source })}
        allowDeselect={false}
      />
      <Textarea
        label="Evidence"
        description="What shows it: the form’s name, a date, a link. Kept in the history."
        value={value.evidence}
        maxLength={EVIDENCE_MAX}
        autosize
        minRows={2}
        onChange={(event) => onChange({ ...value, evidence: event.currentTarget.value })}
      />
    </Stack>
  );
}
