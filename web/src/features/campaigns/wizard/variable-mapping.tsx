import { Group, NativeSelect, NumberInput, Select, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { LoadProblem } from '@/components/problem';
import { customFieldsQuery } from '@/features/contacts/queries';
import { useOrg } from '@/features/tenancy/queries';
import type { Variable } from '../model';
import {
  type CampaignTemplate,
  ownFile,
  type TemplateVariable,
  templateVariablesQuery,
  trackedButtons,
} from '../templates';
import type { DraftVariant } from './draft';
import { LinkField } from './link-field';
import { MediaVariable } from './media-variable';
import { fieldChoices, isFile, startingVariables } from './variables';
import classes from './wizard.module.css';

interface VariableMappingProps {
  template: CampaignTemplate;
  variant: DraftVariant;
  onChange: (change: Partial<DraftVariant>) => void;
  /** Somebody tried to go on: what is empty is said. */
  asked: boolean;
}

/** What stands in for each placeholder of the template, and where its tracked buttons lead. */
export function VariableMapping({ template, variant, onChange, asked }: VariableMappingProps) {
  const { orgId } = useOrg();
  const variables = useQuery(templateVariablesQuery(orgId, template.id));
  const fields = useQuery(customFieldsQuery(orgId));
  const wanted = variables.data;

  // The mapping of a template just chosen begins with a guess; entries of another template's variables go.
  useEffect(() => {
    if (!wanted) return;
    const start = startingVariables(wanted, variant.variables);
    const keys = Object.keys(start).sort().join('\n');
    if (keys !== Object.keys(variant.variables).sort().join('\n')) onChange({ variables: start });
  }, [wanted, variant.variables, onChange]);

  if (variables.isError && !wanted)
    return (
      <LoadProblem
        error={variables.error}
        what="the values of this template"
        onRetry={() => void variables.refetch()}
      />
    );
  if (!wanted) return <Skeleton height={80} role="status" aria-label="Loading" />;
  const set = (key: string, variable: Variable | undefined) => {
    const { [key]: _, ...rest } = variant.variables;
    onChange({ variables: variable ? { ...rest, [key]: variable } : rest });
  };
  const links = trackedButtons(template);
  if (wanted.length === 0 && links.length === 0)
    return (
      <Text size="sm" c="dimmed">
        This template has no values to fill in.
      </Text>
    );
  return (
    <Stack gap="md">
      {wanted.map((each) => (
        <fieldset key={each.key} className={classes.variable}>
          <legend>{each.label}</legend>
          <VariableFields
            variable={each}
            value={variant.variables[each.key]}
            onChange={(value) => set(each.key, value)}
            choices={fieldChoices(fields.data ?? [])}
            asked={asked}
            ownPath={ownFile(template, each.key)}
          />
        </fieldset>
      ))}
      {links.map(({ index, label }) => (
        <LinkField
          key={index}
          label={`Where “${label}” leads`}
          link={variant.links[index] ?? template.links[index] ?? ''}
          onChange={(link) => onChange({ links: { ...variant.links, [index]: link } })}
        />
      ))}
    </Stack>
  );
}

interface VariableFieldsProps {
  variable: TemplateVariable;
  value: Variable | undefined;
  onChange: (value: Variable | undefined) => void;
  choices: ReturnType<typeof fieldChoices>;
  asked: boolean;
  ownPath: string | undefined;
}

function VariableFields({ variable, value, onChange, choices, asked, ownPath }: VariableFieldsProps) {
  const { kind, example, label } = variable;
  if (isFile(kind))
    return (
      <MediaVariable
        kind={kind}
        label={label}
        value={value}
        onChange={onChange}
        ownPath={ownPath}
        asked={asked}
      />
    );
  if (kind === 'location')
    return <LocationFields value={value} onChange={onChange} label={label} asked={asked} />;
  const source = value?.source ?? 'static';
  const missing = (text: unknown) => asked && kind !== 'flow' && !String(text ?? '').trim();
  return (
    <Group gap="xs" align="flex-start" className={classes.variableRow}>
      <NativeSelect
        label="What stands there"
        aria-label={`Where ${label} comes from`}
        w={170}
        value={source}
        onChange={(event) =>
          onChange(
            event.currentTarget.value === 'contact'
              ? { source: 'contact', field: 'first_name', default: '' }
              : { source: 'static', value: '' },
          )
        }
        data={[
          { value: 'static', label: 'Same for everyone' },
          { value: 'contact', label: 'From the contact' },
        ]}
      />
      {value?.source === 'contact' ? (
        <>
          <Select
            label="Field"
            aria-label={`Field for ${label}`}
            className={classes.grow}
            searchable
            allowDeselect={false}
            value={value.field}
            onChange={(field) => field && onChange({ ...value, field })}
            data={choices}
          />
          <TextInput
            label="If that is empty"
            aria-label={`If ${label} is empty`}
            placeholder={example ?? undefined}
            className={classes.grow}
            value={value.default}
            onChange={(event) => onChange({ ...value, default: event.currentTarget.value })}
            error={missing(value.default) ? 'Write what people get who have none.' : undefined}
          />
        </>
      ) : (
        <TextInput
          label="Value"
          aria-label={`Value of ${label}`}
          placeholder={example ?? undefined}
          className={classes.grow}
          value={value?.source === 'static' && typeof value.value === 'string' ? value.value : ''}
          onChange={(event) => onChange({ source: 'static', value: event.currentTarget.value })}
          error={missing(value?.source === 'static' ? value.value : '') ? 'Fill in a value.' : undefined}
        />
      )}
    </Group>
  );
}

interface Place {
  latitude?: number;
  longitude?: number;
  name?: string;
  address?: string;
}

function LocationFields({
  value,
  onChange,
  label,
  asked,
}: Pick<VariableFieldsProps, 'value' | 'onChange' | 'asked'> & { label: string }) {
  const place = (value?.source === 'static' && typeof value.value === 'object' ? value.value : {}) as Place;
  const set = (change: Partial<Place>) =>
    onChange({
      source: 'static',
      value: Object.fromEntries(
        Object.entries({ ...place, ...change }).filter(([, each]) => each !== '' && each !== undefined),
      ),
    });
  const degrees = (name: 'latitude' | 'longitude', most: number) => (
    <NumberInput
      clampBehavior="strict"
      aria-label={`${name === 'latitude' ? 'Latitude' : 'Longitude'} of ${label}`}
      placeholder={name === 'latitude' ? 'Latitude' : 'Longitude'}
      className={classes.grow}
      min={-most}
      max={most}
      decimalScale={6}
      hideControls
      value={place[name] ?? ''}
      onChange={(next) => set({ [name]: typeof next === 'number' ? next : undefined })}
      error={asked && place[name] === undefined ? 'Fill it in.' : undefined}
    />
  );
  return (
    <Stack gap="xs">
      <Group gap="xs" align="flex-start">
        {degrees('latitude', 90)}
        {degrees('longitude', 180)}
      </Group>
      <TextInput
        aria-label={`Name of ${label}`}
        placeholder="Name of the place"
        value={place.name ?? ''}
        onChange={(event) => set({ name: event.currentTarget.value })}
      />
      <TextInput
        aria-label={`Address of ${label}`}
        placeholder="Address"
        value={place.address ?? ''}
        onChange={(event) => set({ address: event.currentTarget.value })}
      />
    </Stack>
  );
}
