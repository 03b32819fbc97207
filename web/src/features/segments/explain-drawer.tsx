import { Alert, Drawer, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconBulb, IconCircleCheck, IconCircleX, IconPin } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { LoadProblem } from '@/components/problem';
import { tagsQuery } from '@/features/contacts/queries';
import { actualWords } from './actual-words';
import classes from './explain.module.css';
import type { ExplainedNode, Explanation, Flip, Match } from './model';
import { catalogQuery, explainQuery, personName, personQuery, segmentQuery, segmentsQuery } from './queries';

interface ExplainDrawerProps {
  orgId: string;
  segmentId: string;
  contactId: string;
  onClose: () => void;
}

/** Why somebody is in a segment, or is not: each rule with what the contact really has, and what would change it. */
export function ExplainDrawer({ orgId, segmentId, contactId, onClose }: ExplainDrawerProps) {
  const explanation = useQuery(explainQuery(orgId, segmentId, contactId));
  const segment = useQuery(segmentQuery(orgId, segmentId));
  const person = useQuery(personQuery(orgId, contactId));
  const failed = [explanation, segment, person].find((each) => each.isError);
  const isReady = explanation.data && segment.data && person.data;
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={520}
      title="Why?"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {failed ? (
        <LoadProblem
          error={failed.error}
          what="the explanation"
          onRetry={() => void Promise.all([explanation.refetch(), segment.refetch(), person.refetch()])}
        />
      ) : isReady ? (
        <Explained
          orgId={orgId}
          explanation={explanation.data}
          name={personName(person.data)}
          segment={segment.data.name}
          isStatic={segment.data.kind === 'static'}
        />
      ) : (
        <Stack role="status" aria-label="Loading">
          <Skeleton height={48} />
          <Skeleton height={160} />
        </Stack>
      )}
    </Drawer>
  );
}

interface ExplainedProps {
  orgId: string;
  explanation: Explanation;
  name: string;
  segment: string;
  isStatic: boolean;
}

function Explained({ orgId, explanation, name, segment, isStatic }: ExplainedProps) {
  const names = useNames(orgId);
  const { is_member: isMember, pin } = explanation;
  return (
    <Stack gap="lg">
      <Group gap="sm" wrap="nowrap" align="flex-start">
        <Mark isTrue={isMember} size={28} />
        <Title order={3} fz="lg" style={{ overflowWrap: 'anywhere' }}>
          <bdi>{name}</bdi> is {isMember ? '' : 'not '}in “<bdi>{segment}</bdi>”
        </Title>
      </Group>
      {pin && !isStatic && (
        <Alert color="blue" variant="light" icon={<IconPin aria-hidden />}>
          {pin === 'include'
            ? 'Somebody pinned them into this segment, so they belong whatever the rules say.'
            : 'Somebody pinned them out of this segment, so they never belong, whatever the rules say.'}
        </Alert>
      )}
      {isStatic ? (
        <Text>
          {isMember
            ? 'This is a fixed list, and they are on it.'
            : 'This is a fixed list, and they are not on it.'}
        </Text>
      ) : (
        <section aria-label="The rules">
          {pin && (
            <Text c="dimmed" size="sm" mb="xs">
              By the rules alone they would {explanation.is_true ? '' : 'not '}belong:
            </Text>
          )}
          <ul className={classes.tree}>
            <Branch node={explanation} names={names} />
          </ul>
        </section>
      )}
      {!isStatic && (
        <SmallestChange flip={explanation.flip} isTrue={explanation.is_true} pinned={pin !== null} />
      )}
    </Stack>
  );
}

const verdicts: Record<Match, Record<'true' | 'false', string>> = {
  all: { true: 'All of these are true', false: 'Not all of these are true' },
  any: { true: 'At least one of these is true', false: 'None of these is true' },
  none: { true: 'None of these is true, as it should be', false: 'One of these is true, and none may be' },
};

function Branch({ node, names }: { node: ExplainedNode; names: ReadonlyMap<string, string> }) {
  if ('children' in node) {
    return (
      <li>
        <div className={classes.line}>
          <Mark isTrue={node.is_true} />
          <Text fw={600}>
            {node.children.length === 0 && node.match !== 'any'
              ? 'Everybody belongs'
              : verdicts[node.match][node.is_true ? 'true' : 'false']}
          </Text>
        </div>
        <ul className={classes.tree} data-match={node.match}>
          {node.children.map((child) => (
            <Branch key={child.path} node={child} names={names} />
          ))}
        </ul>
      </li>
    );
  }
  return (
    <li>
      <div className={classes.line}>
        <Mark isTrue={node.is_true} />
        <div style={{ minWidth: 0 }}>
          <Text style={{ overflowWrap: 'anywhere' }}>{node.sentence}</Text>
          <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }} dir="auto">
            They have: {actualWords(node.actual, names)}
          </Text>
        </div>
      </div>
    </li>
  );
}

function Mark({ isTrue, size = 20 }: { isTrue: boolean; size?: number }) {
  return isTrue ? (
    <IconCircleCheck size={size} className={classes.yes} role="img" aria-label="True" />
  ) : (
    <IconCircleX size={size} className={classes.no} role="img" aria-label="False" />
  );
}

function SmallestChange({
  flip,
  isTrue,
  pinned,
}: {
  flip: Flip | null | undefined;
  isTrue: boolean;
  pinned: boolean;
}) {
  const goal = isTrue ? 'out' : 'in';
  return (
    <section className={classes.flip} aria-label="What would change it">
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <IconBulb size={20} aria-hidden style={{ flex: 'none' }} />
        <div style={{ minWidth: 0 }}>
          {flip ? (
            <>
              <Text fw={600}>
                {pinned ? 'By the rules, the' : 'The'} smallest change that brings them {goal}:
              </Text>
              <ul className={classes.changes}>
                {flip.changes.map((change) => (
                  <li key={`${change.field} ${change.action} ${JSON.stringify(change.value)}`}>
                    {change.sentence}
                  </li>
                ))}
              </ul>
            </>
          ) : (
            <Text>Nothing about this contact could bring them {goal} by these rules.</Text>
          )}
        </div>
      </Group>
    </section>
  );
}

/** Tags, segments and whatever the catalogue offers, by id: what contacts have is told by name. */
function useNames(orgId: string): ReadonlyMap<string, string> {
  const tags = useQuery(tagsQuery(orgId));
  const segments = useQuery(segmentsQuery(orgId));
  const catalog = useQuery(catalogQuery(orgId));
  return new Map([
    ...(catalog.data ?? []).flatMap((field) =>
      field.options.map(({ value, label }) => [value, label] as const),
    ),
    ...(segments.data ?? []).map(({ id, name }) => [id, name] as const),
    ...(tags.data ?? []).map(({ id, name }) => [id, name] as const),
  ]);
}
