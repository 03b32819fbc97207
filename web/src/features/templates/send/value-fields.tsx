import { Stack, TextInput } from '@mantine/core';
import type { TemplateVariable } from '../model';
import classes from './send.module.css';
import { type Answers, placeFields, placeKey } from './values';

interface ValueFieldsProps {
  variables: TemplateVariable[];
  answers: Answers;
  problems: Record<string, string>;
  onChange: (answers: Answers) => void;
}

const placeNames = {
  latitude: 'Latitude',
  longitude: 'Longitude',
  name: 'Name of the place',
  address: 'Address',
};

const hints: Record<string, string> = {
  image: 'Address of a JPEG or PNG that everybody can open',
  video: 'Address of an MP4 that everybody can open',
  document: 'Address of a PDF that everybody can open',
  url: 'What ends the link',
};

export function ValueFields({ variables, answers, problems, onChange }: ValueFieldsProps) {
  const set = (key: string, value: string) => onChange({ ...answers, [key]: value });
  return (
    <Stack gap="sm">
      {variables.map(({ key, kind, label, example }) =>
        kind === 'location' ? (
          <fieldset key={key} className={classes.place}>
            <legend>{label}</legend>
            {placeFields.map((field) => (
              <TextInput
                key={field}
                label={placeNames[field]}
                inputMode={field === 'latitude' || field === 'longitude' ? 'decimal' : undefined}
                value={answers[placeKey(key, field)] ?? ''}
                onChange={(event) => set(placeKey(key, field), event.currentTarget.value)}
                error={field === 'latitude' && problems[key]}
              />
            ))}
          </fieldset>
        ) : (
          <TextInput
            key={key}
            label={label}
            description={hints[kind]}
            placeholder={example && kind === 'text' ? `Such as ${example}` : undefined}
            dir={kind === 'text' ? 'auto' : 'ltr'}
            value={answers[key] ?? ''}
            onChange={(event) => set(key, event.currentTarget.value)}
            error={problems[key]}
          />
        ),
      )}
    </Stack>
  );
}
