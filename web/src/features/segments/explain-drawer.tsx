import { Alert, Drawer, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconBulb, IconCircleCheck, IconCircleX, IconPin } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { LoadProblem } from '@/components/problem';
import classes from './explain.module.css';
import type { ExplainedNode, Explanation, Flip, Match } from './model';
import { explainQuery, personName, personQuery, segmentQuery } from './queries';

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
  explanation: Explanation;
  name: string;
  segment: string;
  isStatic: boolean;
}

function Explained({ explanation, name, segment, isStatic }: ExplainedProps) {
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
            <Branch node={explanation} />
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

/** Within "none of these", a rule that is not true is what is wanted. */
function Branch({ node, unwanted }: { node: ExplainedNode; unwanted?: boolean }) {
  if ('children' in node) {
    return (
      <li>
        <div className={classes.line}>
          <Mark isTrue={node.is_true} isGood={node.is_true !== (unwanted ?? false)} />
          <Text fw={600}>
            {node.children.length === 0 && node.match !== 'any'
              ? 'Everybody belongs'
              : verdicts[node.match][node.is_true ? 'true' : 'false']}
          </Text>
        </div>
        <ul className={classes.tree} data-match={node.match}>
          {node.children.map((child) => (
            <Branch key={child.path} node={child} unwanted={node.match === 'none'} />
          ))}
        </ul>
      </li>
    );
  }
  const { statement, now } = partsOf(node.sentence);
  return (
    <li>
      <div className={classes.line}>
        <Mark isTrue={node.is_true} isGood={node.is_true !== (unwanted ?? false)} />
        <div style={{ minWidth: 0 }}>
          <Text style={{ overflowWrap: 'anywhere' }}>{statement}</Text>
          {now && (
            <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
              Now: <bdi>{now}</bdi>
            </Text>
          )}
        </div>
      </div>
    </li>
  );
}

/** The database says both in one: "Company is “Sunway” (now: empty)". */
export function partsOf(sentence: string): { statement: string; now?: string } {
  const parts = /^(.*?) \(now: (.*)\)$/s.exec(sentence);
  return parts ? { statement: parts[1] ?? sentence, now: parts[2] } : { statement: sentence };
}

function Mark({ isTrue, isGood = isTrue, size = 20 }: { isTrue: boolean; isGood?: boolean; size?: number }) {
  const className = isGood ? classes.yes : classes.no;
  return isTrue ? (
    <IconCircleCheck size={size} className={className} role="img" aria-label="True" />
  ) : (
    <IconCircleX size={size} className={className} role="img" aria-label="False" />
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
