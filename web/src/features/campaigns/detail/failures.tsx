import { Text, Title } from '@mantine/core';
import { failureWords } from '@/features/inbox/failures';
import { count } from '@/lib/time';
import type { Detail, RecipientStatus } from '../model';
import { excludedTotal, exclusionWords } from '../words';
import classes from './detail.module.css';

interface FailuresProps {
  failures: Detail['failures'];
  excluded: Record<string, number>;
  onShow: (status: RecipientStatus[]) => void;
}

/** Why messages did not arrive, in words, most frequent first. */
export function Failures({ failures, excluded, onShow }: FailuresProps) {
  const out = excludedTotal(excluded);
  if (failures.length === 0 && out === 0) return null;
  return (
    <section className={classes.card} aria-labelledby="failures-title">
      <Title order={3} fz="md" id="failures-title" mb={8}>
        What didn’t arrive
      </Title>
      {failures.length > 0 && (
        <ul className={classes.reasons}>
          {[...failures]
            .sort((a, b) => b.count - a.count)
            .map((failure) => (
              <li key={failure.code ?? ''}>
                <span>{failureWords(failure.code ?? null)}</span>
                <span className={classes.figure}>{count(failure.count)}</span>
              </li>
            ))}
        </ul>
      )}
      {out > 0 && (
        <Text size="sm" c="dimmed" mt={failures.length > 0 ? 8 : 0}>
          {exclusionWords(excluded)}.{' '}
          <button type="button" className="op-link-button" onClick={() => onShow(['excluded'])}>
            See who
          </button>
        </Text>
      )}
    </section>
  );
}
