import {
  Group,
  MultiSelect,
  NativeSelect,
  NumberInput,
  Select,
  TagsInput,
  Text,
  TextInput,
} from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { tagsQuery } from '@/features/contacts/queries';
import { useBuilder } from './builder-context';
import type { Field, Json, Option, ValueKind } from './model';
import { segmentsQuery } from './queries';
import classes from './rule-builder.module.css';
import { asDuration, asNumber, asText, asTexts, durationUnits, pair } from './values';

interface ValueEditorProps {
  field: Field;
  kind: ValueKind;
  value: Json;
  onChange: (value: Json) => void;
  error?: string;
}

const MAX_TEXT = 500;
const MAX_VALUES = 500;

/** The right control for what an operator compares with. */
export function ValueEditor({ field, kind, value, onChange, error }: ValueEditorProps) {
  const label = `Value of ${field.label}`;
  const common = { 'aria-label': label, error, 'data-part': 'value' };
  switch (kind) {
    case 'none':
      return null;
    case 'text':
      return field.options.length > 0 ? (
        <NativeSelect
          {...common}
          value={asText(value)}
          onChange={(event) => onChange(event.currentTarget.value || null)}
          data={withUnknown(field.options, [asText(value)])}
        />
      ) : (
        <TextInput
          {...common}
          value={asText(value)}
          onChange={(event) => onChange(event.currentTarget.value)}
          maxLength={MAX_TEXT}
          placeholder="Text"
          dir="auto"
        />
      );
    case 'list':
      return field.options.length > 0 ? (
        <Several
          {...common}
          options={field.options}
          value={value}
          onChange={onChange}
          empty="No options yet"
        />
      ) : (
        <TagsInput
          {...common}
          value={asTexts(value)}
          onChange={(next) => onChange(next)}
          maxTags={MAX_VALUES}
          maxLength={MAX_TEXT}
          splitChars={[',', ';', '\n']}
          acceptValueOnBlur
          classNames={{ inputField: classes.pillField }}
          placeholder={asTexts(value).length === 0 ? 'Type, then Enter' : undefined}
        />
      );
    case 'number':
      return (
        <NumberInput
          {...common}
          value={asNumber(value)}
          onChange={(next) => onChange(typeof next === 'number' ? next : null)}
          placeholder="Number"
        />
      );
    case 'range':
      return <NumberRange label={label} value={value} onChange={onChange} error={error} />;
    case 'boolean':
      return (
        <NativeSelect
          {...common}
          value={value === false ? 'no' : 'yes'}
          onChange={(event) => onChange(event.currentTarget.value === 'yes')}
          data={[
            { value: 'yes', label: 'Yes' },
            { value: 'no', label: 'No' },
          ]}
        />
      );
    case 'date':
      return (
        <TextInput
          {...common}
          type="date"
          value={asText(value)}
          onChange={(event) => onChange(event.currentTarget.value || null)}
        />
      );
    case 'dates':
      return <DateRange label={label} value={value} onChange={onChange} error={error} />;
    case 'duration':
      return <Duration label={label} field={field} value={value} onChange={onChange} error={error} />;
    case 'tags':
      return <Tags {...common} field={field} value={value} onChange={onChange} />;
    case 'segment':
      return <OneSegment {...common} field={field} value={value} onChange={onChange} />;
    case 'campaign':
      return <One {...common} options={field.options} value={value} onChange={onChange} what="campaign" />;
    case 'flow':
      return <One {...common} options={field.options} value={value} onChange={onChange} what="flow" />;
  }
}

interface Common {
  'aria-label': string;
  'data-part': string;
  error?: string;
  value: Json;
  onChange: (value: Json) => void;
}

/** What was chosen once stays visible, also when it is no longer offered. */
function withUnknown(options: Option[], chosen: string[]): Option[] {
  const missing = chosen.filter((each) => !options.some((option) => option.value === each));
  return [
    ...missing.map((each) => ({ value: each, label: each === '' ? 'Choose' : 'No longer there' })),
    ...options,
  ];
}

function Several({
  options,
  value,
  onChange,
  empty,
  ...common
}: Common & { options: Option[]; empty: string }) {
  const chosen = asTexts(value);
  return (
    <MultiSelect
      {...common}
      data={withUnknown(options, chosen)}
      value={chosen}
      onChange={(next) => onChange(next)}
      searchable
      openOnFocus={false}
      classNames={{ inputField: classes.pillField }}
      maxValues={MAX_VALUES}
      nothingFoundMessage={empty}
      placeholder={chosen.length === 0 ? 'Choose' : undefined}
    />
  );
}

function One({ options, value, onChange, what, ...common }: Common & { options: Option[]; what: string }) {
  const chosen = asText(value);
  return (
    <Select
      {...common}
      data={withUnknown(options, chosen ? [chosen] : [])}
      value={chosen || null}
      onChange={(next) => onChange(next)}
      searchable
      openOnFocus={false}
      allowDeselect={false}
      nothingFoundMessage={options.length === 0 ? `There is no ${what} yet` : `No ${what} by that name`}
      placeholder={`Choose a ${what}`}
    />
  );
}

function Tags({ field, ...common }: Common & { field: Field }) {
  const { orgId } = useBuilder();
  const tags = useQuery({ ...tagsQuery(orgId), enabled: field.options.length === 0 });
  const options =
    field.options.length > 0
      ? field.options
      : (tags.data ?? []).map((tag) => ({ value: tag.id, label: tag.name }));
  return <Several {...common} options={options} empty="No tag by that name" />;
}

function OneSegment({ field, ...common }: Common & { field: Field }) {
  const { orgId, segmentId } = useBuilder();
  const segments = useQuery({ ...segmentsQuery(orgId), enabled: field.options.length === 0 });
  const options =
    field.options.length > 0
      ? field.options
      : (segments.data ?? []).map((segment) => ({ value: segment.id, label: segment.name }));
  return <One {...common} options={options.filter((each) => each.value !== segmentId)} what="segment" />;
}

interface PairProps {
  label: string;
  value: Json;
  onChange: (value: Json) => void;
  error?: string;
}

const Between = ({ children, error }: { children: ReactNode; error?: string }) => (
  <div>
    <Group gap={8} wrap="nowrap" className={classes.pair}>
      {children}
    </Group>
    {error && (
      <Text size="xs" c="red" mt={4}>
        {error}
      </Text>
    )}
  </div>
);

function NumberRange({ label, value, onChange, error }: PairProps) {
  const [low, high] = pair(value);
  const number = (next: number | string) => (typeof next === 'number' ? next : null);
  return (
    <Between error={error}>
      <NumberInput
        aria-label={`${label}, from`}
        data-part="value"
        placeholder="From"
        value={asNumber(low)}
        onChange={(next) => onChange([number(next), high])}
        error={Boolean(error)}
      />
      <Text span c="dimmed">
        and
      </Text>
      <NumberInput
        aria-label={`${label}, to`}
        placeholder="To"
        value={asNumber(high)}
        onChange={(next) => onChange([low, number(next)])}
        error={Boolean(error)}
      />
    </Between>
  );
}

function DateRange({ label, value, onChange, error }: PairProps) {
  const [from, to] = pair(value);
  return (
    <Between error={error}>
      <TextInput
        aria-label={`${label}, from`}
        data-part="value"
        type="date"
        value={asText(from)}
        onChange={(event) => onChange([event.currentTarget.value || null, to])}
        error={Boolean(error)}
      />
      <Text span c="dimmed">
        and
      </Text>
      <TextInput
        aria-label={`${label}, to`}
        type="date"
        value={asText(to)}
        onChange={(event) => onChange([from, event.currentTarget.value || null])}
        error={Boolean(error)}
      />
    </Between>
  );
}

function Duration({ label, field, value, onChange, error }: PairProps & { field: Field }) {
  const { amount, unit } = asDuration(value);
  return (
    <Between error={error}>
      <NumberInput
        aria-label={`${label}, how many`}
        data-part="value"
        value={amount ?? ''}
        min={1}
        allowDecimal={false}
        allowNegative={false}
        onChange={(next) => onChange({ amount: typeof next === 'number' ? next : null, unit })}
        error={Boolean(error)}
      />
      <NativeSelect
        aria-label={`${label}, unit`}
        value={unit}
        onChange={(event) => onChange({ amount, unit: event.currentTarget.value })}
        data={durationUnits(field)}
      />
    </Between>
  );
}
