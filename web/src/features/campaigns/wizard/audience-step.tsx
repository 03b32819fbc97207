import { Button, CloseButton, Group, Radio, Select, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { LoadProblem } from '@/components/problem';
import { PersonFinder } from '@/features/segments/person-finder';
import { personName, segmentsQuery } from '@/features/segments/queries';
import { useOrg } from '@/features/tenancy/queries';
import { count, plural } from '@/lib/time';
import { type Audience, isIdsAudience, isSegmentAudience } from '../model';
import { AudienceSize } from './audience-size';
import { chosenPeopleQuery } from './chosen-people';
import type { StepProps } from './setup-step';
import classes from './wizard.module.css';

type Way = 'segment' | 'people' | 'filter';

const wayOf = (audience: Audience | null): Way => {
  if (isIdsAudience(audience)) return 'people';
  return audience && !isSegmentAudience(audience) ? 'filter' : 'segment';
};

/** Who receives it: a segment, or people chosen one by one; beside it, how many that makes. */
export function AudienceStep({ draft, campaign, problem }: StepProps) {
  const { values, set } = draft;
  const [way, setWay] = useState<Way>(wayOf(values.audience));
  return (
    <div className={classes.columns}>
      <Stack gap="md" className={classes.editor}>
        <Radio.Group label="Who receives it?" value={way} onChange={(value) => setWay(value as Way)}>
          <Stack gap={4} mt={8}>
            <Radio value="segment" label="Everybody in a segment" className={classes.radio} />
            <Radio value="people" label="People I choose one by one" className={classes.radio} />
            {wayOf(values.audience) === 'filter' && (
              <Radio value="filter" label="The contacts selected in a list" className={classes.radio} />
            )}
          </Stack>
        </Radio.Group>
        {way === 'segment' && (
          <SegmentChoice
            campaignId={campaign.id}
            value={isSegmentAudience(values.audience) ? values.audience.segment_id : null}
            onChange={(segment_id) => set({ audience: segment_id ? { segment_id } : null })}
            error={values.audience ? undefined : problem}
          />
        )}
        {way === 'people' && (
          <PeopleChoice
            ids={isIdsAudience(values.audience) ? values.audience.ids : []}
            onChange={(ids) => set({ audience: ids.length > 0 ? { ids } : null })}
            error={values.audience ? undefined : problem}
          />
        )}
      </Stack>
      <aside className={classes.truth} aria-label="Size of the audience">
        <AudienceSize draft={draft} campaign={campaign} />
      </aside>
    </div>
  );
}

interface SegmentChoiceProps {
  campaignId: string;
  value: string | null;
  onChange: (id: string | null) => void;
  error: string | undefined;
}

function SegmentChoice({ campaignId, value, onChange, error }: SegmentChoiceProps) {
  const { orgId } = useOrg();
  const navigate = useNavigate();
  const segments = useQuery(segmentsQuery(orgId));
  if (segments.isError && !segments.data)
    return (
      <LoadProblem error={segments.error} what="your segments" onRetry={() => void segments.refetch()} />
    );
  const chosen = segments.data?.find(({ id }) => id === value);
  return (
    <Stack gap="xs">
      <Select
        label="Segment"
        error={error}
        placeholder={segments.data?.length === 0 ? 'There are no segments yet' : 'Choose a segment'}
        size="md"
        searchable
        clearable
        nothingFoundMessage="No segment is called that"
        value={value}
        onChange={onChange}
        clearButtonProps={{ 'aria-label': 'Clear the segment' }}
        data={(segments.data ?? []).map(({ id, name, member_count }) => ({
          value: id,
          label: `${name} · ${count(member_count)}`,
        }))}
      />
      {chosen?.kind === 'dynamic' && (
        <Text size="sm" c="dimmed">
          Whoever is in the segment at the moment of sending receives it.
        </Text>
      )}
      {value && segments.data && !chosen && (
        <Text size="sm" c="red" role="alert">
          The segment chosen before no longer exists. Choose another.
        </Text>
      )}
      <Group>
        <Button
          variant="default"
          onClick={() => void navigate({ to: '/segments/new', search: { campaign: campaignId } })}
        >
          Make a new segment
        </Button>
      </Group>
    </Stack>
  );
}

/** More than this are better off in a segment of their own. */
const MOST_PEOPLE = 200;

interface PeopleChoiceProps {
  ids: string[];
  onChange: (ids: string[]) => void;
  error: string | undefined;
}

function PeopleChoice({ ids, onChange, error }: PeopleChoiceProps) {
  const { orgId } = useOrg();
  const people = useQuery({ ...chosenPeopleQuery(orgId, ids), enabled: ids.length > 0 });
  const known = new Map((people.data ?? []).map((person) => [person.id, person]));
  return (
    <Stack gap="xs">
      {ids.length < MOST_PEOPLE ? (
        <PersonFinder
          label="Find a contact to add"
          onChoose={(person) => onChange([...ids.filter((id) => id !== person.id), person.id])}
        />
      ) : (
        <Text size="sm" c="dimmed" role="status">
          {plural(MOST_PEOPLE, 'person', 'people')} are the most here. Make a segment for more.
        </Text>
      )}
      <Text size="sm" fw={600} role="status" c={error && 'var(--op-danger)'}>
        {ids.length === 0 ? 'Nobody chosen yet' : `${plural(ids.length, 'person', 'people')} chosen`}
      </Text>
      {ids.length > 0 && (
        <ul className={classes.people} aria-label="Chosen people">
          {ids.map((id) => {
            const person = known.get(id);
            const name = person ? personName(person) : people.isPending ? 'Loading…' : 'No longer here';
            return (
              <li key={id}>
                <Text className={classes.personName} title={name} dir="auto">
                  {name}
                </Text>
                <Text size="sm" c="dimmed">
                  {person?.phone !== name && person?.phone}
                </Text>
                <CloseButton
                  ml="auto"
                  aria-label={`Take ${name} out`}
                  onClick={() => onChange(ids.filter((each) => each !== id))}
                />
              </li>
            );
          })}
        </ul>
      )}
    </Stack>
  );
}
