import { Loader, Skeleton, Stack, Text } from '@mantine/core';
import { PersonAvatar } from '@/components/person-avatar';
import { Problem } from '@/components/problem';
import { plural } from '@/lib/time';
import { finishedRules, leafCount, type Person, type RuleGroup } from './model';
import type { LivePreview } from './preview';
import { personName } from './queries';
import classes from './segments.module.css';

interface PreviewPanelProps {
  preview: LivePreview;
  rules: RuleGroup;
  /** Contacts who are in or out by hand: the count of the saved segment has them, this one has not. */
  pinned: number;
}

/** The truth beside the builder: how many, who they are, and the rules as a sentence. */
export function PreviewPanel({ preview, rules, pinned }: PreviewPanelProps) {
  const { data, isCounting, error, retry, problems } = preview;
  const unfinished = leafCount(rules) - leafCount(finishedRules(rules));
  return (
    <section className={classes.panel} aria-label="Who matches">
      <div className={classes.count}>
        <LiveCount preview={preview} />
      </div>
      {error && !isCounting ? <Problem error={error} onRetry={retry} /> : null}
      {problems.length > 0 ? (
        <Text c="dimmed">Mend the marked rules, and we count again.</Text>
      ) : (
        data?.sentence && (
          <Text className={classes.sentence} data-stale={isCounting || undefined}>
            {data.sentence}
          </Text>
        )
      )}
      {unfinished > 0 && (
        <Text size="sm" c="dimmed">
          {plural(unfinished, 'rule')} {unfinished === 1 ? 'isn’t' : 'aren’t'} finished and not counted yet.
        </Text>
      )}
      {pinned > 0 && (
        <Text size="sm" c="dimmed">
          This is by the rules alone, without {plural(pinned, 'pin')} set by hand.
        </Text>
      )}
      <FirstPeople people={data?.contacts} stale={isCounting} total={data?.count ?? 0} />
    </section>
  );
}

/** The number stays while the next one is counted. */
export function LiveCount({ preview: { data, isCounting } }: { preview: LivePreview }) {
  return (
    <Text fz={22} fw={650} component="div" className={classes.live}>
      <span role="status" aria-busy={isCounting} data-stale={isCounting || undefined}>
        {typeof data?.count === 'number' ? plural(data.count, 'contact') : '– contacts'}
      </span>
      {isCounting && <Loader size={16} color="gray" aria-label="Counting" />}
    </Text>
  );
}

function FirstPeople({
  people,
  stale,
  total,
}: {
  people: Person[] | undefined;
  stale: boolean;
  total: number;
}) {
  if (!people) {
    return (
      <Stack gap="xs" aria-hidden>
        {[1, 2, 3, 4].map((line) => (
          <Skeleton key={line} height={36} />
        ))}
      </Stack>
    );
  }
  if (people.length === 0)
    return stale ? null : <Text c="dimmed">Nobody matches right now. You can save it all the same.</Text>;
  return (
    <div>
      <Text size="sm" c="dimmed" mb={4}>
        {total > people.length ? `The first ${people.length}` : 'Everybody who matches'}
      </Text>
      <ul className={classes.people} data-stale={stale || undefined} aria-label="Contacts who match">
        {people.map((person) => (
          <li key={person.id}>
            <PersonAvatar src={person.avatar_url} name={personName(person)} size={32} />
            <div style={{ minWidth: 0 }}>
              <Text fw={600} truncate title={personName(person)} dir="auto">
                {personName(person)}
              </Text>
              <Text size="sm" c="dimmed" truncate style={{ fontVariantNumeric: 'tabular-nums' }}>
                {person.phone ?? person.email ?? person.company ?? ''}
              </Text>
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}
