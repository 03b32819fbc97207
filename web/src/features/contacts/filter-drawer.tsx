import {
  Button,
  Chip,
  Drawer,
  Group,
  Input,
  MultiSelect,
  SegmentedControl,
  Skeleton,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Suspense, useId, useState } from 'react';
import { finishedRules, type RuleProblem } from '@/features/segments/model';
import { useOrg } from '@/features/tenancy/queries';
import { describeError } from '@/lib/errors';
import { lazyPart } from '@/lib/lazy-part';
import { plural } from '@/lib/time';
import classes from './contacts.module.css';
import type { Filters } from './filters';
import { choices, consentNames, sourceNames, stageNames } from './model';
import { tagsQuery } from './queries';
import { childrenOf, type Group as Rules } from './rules';

const RuleBuilder = lazyPart(async () => (await import('@/features/segments/rule-builder')).RuleBuilder);

interface FilterDrawerProps {
  filters: Filters;
  /** How many match; undefined while nobody knows. */
  total: number | undefined;
  error: unknown;
  onChange: (change: Partial<Filters>) => void;
  onClear: () => void;
  onClose: () => void;
}

/** Every choice works at once; the list behind follows. */
export function FilterDrawer({ filters, total, error, onChange, onClear, onClose }: FilterDrawerProps) {
  const { orgId } = useOrg();
  const tags = useQuery(tagsQuery(orgId));
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={520}
      title="Filter contacts"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack gap="lg">
        <Chips
          label="Opt-in"
          names={consentNames}
          value={filters.consent}
          onChange={(consent) => onChange({ consent })}
        />
        <MultiSelect
          label="Tags"
          description="Contacts with any of these"
          placeholder={filters.tags?.length ? undefined : 'Any'}
          data={tags.data?.map((tag) => ({ value: tag.id, label: tag.name })) ?? []}
          value={filters.tags ?? []}
          onChange={(value) => onChange({ tags: value.length > 0 ? value : undefined })}
          searchable
          clearable
          clearButtonProps={{ 'aria-label': 'Clear the tags' }}
          nothingFoundMessage="No such tag"
        />
        <Chips
          label="Stage"
          names={stageNames}
          value={filters.stage}
          onChange={(stage) => onChange({ stage })}
        />
        <Chips
          label="Source"
          names={sourceNames}
          value={filters.source}
          onChange={(source) => onChange({ source })}
        />
        <Days
          label="Added"
          from={filters.created_from}
          to={filters.created_to}
          onFrom={(created_from) => onChange({ created_from })}
          onTo={(created_to) => onChange({ created_to })}
        />
        <Days
          label="Last message"
          from={filters.message_from}
          to={filters.message_to}
          onFrom={(message_from) => onChange({ message_from })}
          onTo={(message_to) => onChange({ message_to })}
        />
        <Conversation value={filters.conversation} onChange={(conversation) => onChange({ conversation })} />
        <MoreRules value={filters.more} error={error} onChange={(more) => onChange({ more })} />
        <Group justify="space-between">
          <Button variant="default" onClick={onClear}>
            Clear all
          </Button>
          <Button onClick={onClose}>
            {total === undefined ? 'Show contacts' : `Show ${plural(total, 'contact')}`}
          </Button>
        </Group>
      </Stack>
    </Drawer>
  );
}

function Conversation({
  value,
  onChange,
}: {
  value: Filters['conversation'];
  onChange: (value: Filters['conversation']) => void;
}) {
  const id = useId();
  return (
    <fieldset className={classes.fieldset} aria-labelledby={id}>
      <Input.Label component="div" id={id} mb={4}>
        Conversation
      </Input.Label>
      <SegmentedControl
        fullWidth
        value={value ?? 'any'}
        onChange={(next) => onChange(next === 'yes' || next === 'no' ? next : undefined)}
        data={[
          { value: 'any', label: 'Any' },
          { value: 'yes', label: 'Has one' },
          { value: 'no', label: 'None yet' },
        ]}
      />
    </fieldset>
  );
}

interface ChipsProps {
  label: string;
  names: Record<string, string>;
  value: string[] | undefined;
  onChange: (value: string[] | undefined) => void;
}

function Chips({ label, names, value, onChange }: ChipsProps) {
  const id = useId();
  return (
    <fieldset className={classes.fieldset} aria-labelledby={id}>
      <Input.Label component="div" id={id} mb={6}>
        {label}
      </Input.Label>
      <Chip.Group
        multiple
        value={value ?? []}
        onChange={(next) => onChange(next.length > 0 ? next : undefined)}
      >
        <Group gap={6}>
          {choices(names).map((choice) => (
            <Chip key={choice.value} value={choice.value} variant="outline" size="sm">
              {choice.label}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
    </fieldset>
  );
}

interface DaysProps {
  label: string;
  from: string | undefined;
  to: string | undefined;
  onFrom: (day: string | undefined) => void;
  onTo: (day: string | undefined) => void;
}

function Days({ label, from, to, onFrom, onTo }: DaysProps) {
  return (
    <Group grow gap="sm">
      <TextInput
        type="date"
        label={`${label} from`}
        max={to}
        value={from ?? ''}
        onChange={(event) => onFrom(event.currentTarget.value || undefined)}
      />
      <TextInput
        type="date"
        label={`${label} to`}
        min={from}
        value={to ?? ''}
        onChange={(event) => onTo(event.currentTarget.value || undefined)}
      />
    </Group>
  );
}

interface MoreRulesProps {
  value: Rules | undefined;
  error: unknown;
  onChange: (value: Rules | undefined) => void;
}

/** Everything segments know. What is still being written stays here until it is a whole rule. */
function MoreRules({ value, error, onChange }: MoreRulesProps) {
  const { orgId } = useOrg();
  const [draft, setDraft] = useState<Rules | undefined>(value);
  const id = useId();
  if (!draft)
    return (
      <Group>
        <Button variant="default" leftSection={<IconPlus size={18} />} onClick={() => setDraft({ all: [] })}>
          More rules
        </Button>
      </Group>
    );
  const { code, details } = describeError(error);
  const problems =
    error && code === 'SEGMENT_002' ? (details.problems as RuleProblem[] | undefined) : undefined;
  const change = (next: Rules) => {
    setDraft(next);
    const whole = finishedRules(next);
    onChange(whole && childrenOf(whole).length > 0 ? whole : undefined);
  };
  return (
    <fieldset className={classes.fieldset} aria-labelledby={id}>
      <Text id={id} fw={500} mb={6}>
        More rules
      </Text>
      <Suspense fallback={<Skeleton height={96} role="status" aria-label="Loading" />}>
        <RuleBuilder orgId={orgId} value={draft} onChange={change} problems={problems} />
      </Suspense>
    </fieldset>
  );
}
