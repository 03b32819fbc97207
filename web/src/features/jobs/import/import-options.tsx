import { MultiSelect, Radio, Select, SimpleGrid, Stack, Switch, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { ConsentFields } from '@/features/contacts/consent-fields';
import { tagsQuery } from '@/features/contacts/queries';
import { countries } from '@/features/tenancy/places';
import { useOrg } from '@/features/tenancy/queries';
import classes from './import.module.css';
import type { ImportOptions } from './mapping';

const delimiters = [
  { value: ',', label: 'Comma' },
  { value: ';', label: 'Semicolon' },
  { value: '\t', label: 'Tab' },
  { value: '|', label: 'Vertical bar' },
];

const encodings = [
  { value: 'utf-8', label: 'UTF-8 (usual)' },
  { value: 'utf-16le', label: 'UTF-16 (Excel “Unicode text”)' },
  { value: 'utf-16be', label: 'UTF-16, big endian' },
  { value: 'windows-1252', label: 'Western European (Windows)' },
];

const withCurrent = (list: { value: string; label: string }[], current: string | null) =>
  current && !list.some((each) => each.value === current)
    ? [...list, { value: current, label: current }]
    : list;

interface ImportOptionsFormProps {
  value: ImportOptions;
  /** A workbook has neither delimiter nor encoding. */
  isSheet: boolean;
  onChange: (value: ImportOptions) => void;
}

export function ImportOptionsForm({ value, isSheet, onChange }: ImportOptionsFormProps) {
  const { orgId } = useOrg();
  const tags = useQuery(tagsQuery(orgId));
  const countryChoices = useMemo(countries, []);
  const set = (change: Partial<ImportOptions>) => onChange({ ...value, ...change });
  return (
    <section className={classes.card} aria-labelledby="options-title">
      <Title order={3} id="options-title" fz="md" mb="sm">
        How to import
      </Title>
      <Stack>
        <Radio.Group
          label="Somebody is here already, with the same number"
          value={value.duplicates}
          onChange={(next) => set({ duplicates: next === 'update' ? 'update' : 'skip' })}
        >
          <Stack gap={6} mt={6}>
            <Radio value="skip" label="Leave them as they are" />
            <Radio value="update" label="Update them with what the file says" />
          </Stack>
        </Radio.Group>
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <Select
            label="Country of numbers without a country code"
            data={countryChoices}
            value={value.default_region}
            onChange={(next) => next && set({ default_region: next })}
            allowDeselect={false}
            searchable
          />
          <Select
            label="Dates are written"
            data={[
              { value: 'dmy', label: 'Day first: 31/12/1990' },
              { value: 'mdy', label: 'Month first: 12/31/1990' },
              { value: 'ymd', label: 'Year first: 1990-12-31' },
            ]}
            value={value.date_order}
            onChange={(next) => next && set({ date_order: next as ImportOptions['date_order'] })}
            allowDeselect={false}
          />
          {!isSheet && (
            <>
              <Select
                label="Between the columns"
                data={withCurrent(delimiters, value.delimiter)}
                value={value.delimiter}
                onChange={(delimiter) => delimiter && set({ delimiter })}
                allowDeselect={false}
              />
              <Select
                label="Letters"
                description="Change this when names look garbled"
                inputWrapperOrder={['label', 'input', 'description', 'error']}
                data={withCurrent(encodings, value.encoding)}
                value={value.encoding}
                onChange={(encoding) => encoding && set({ encoding })}
                allowDeselect={false}
              />
            </>
          )}
        </SimpleGrid>
        <Switch
          label="The first row holds the names of the columns"
          checked={value.has_header}
          onChange={(event) => set({ has_header: event.currentTarget.checked })}
        />
        <MultiSelect
          label="Tag everybody in this file"
          placeholder={value.tag_ids.length > 0 ? undefined : 'No tags'}
          data={tags.data?.map((tag) => ({ value: tag.id, label: tag.name })) ?? []}
          value={value.tag_ids}
          onChange={(tag_ids) => set({ tag_ids })}
          searchable
          nothingFoundMessage="No such tag"
        />
        <Switch
          label="I know whether these people agreed to marketing"
          description="Otherwise new ones wait as “pending” and campaigns leave them out."
          checked={value.consent !== null}
          onChange={(event) =>
            set({
              consent: event.currentTarget.checked
                ? { status: 'opted_in', source: 'import', evidence: null }
                : null,
            })
          }
        />
        {value.consent && (
          <ConsentFields
            value={{ ...value.consent, evidence: value.consent.evidence ?? '' }}
            onChange={(next) => set({ consent: { ...next, evidence: next.evidence || null } })}
          />
        )}
      </Stack>
    </section>
  );
}
