import { IconZoomQuestion } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { describeError } from '@/lib/errors';
import { Hint, LoadProblem } from './problem';

/** The catalogue's word for what is unknown, PostgREST's for no row, Postgres's for an address that holds no id. */
const isUnknown = (code: string): boolean => /^[A-Z]+_001$|^PGRST116$|^22P02$/.test(code);

interface FindProblemProps {
  error: unknown;
  onRetry: () => void;
  what: string;
  /** Where to go from something that isn't there: trying again would not bring it back. */
  back: ReactNode;
}

/** One thing, by its address, that could not be loaded. */
export function FindProblem({ error, onRetry, what, back }: FindProblemProps) {
  if (!isUnknown(describeError(error).code))
    return <LoadProblem error={error} what={what} onRetry={onRetry} />;
  return (
    <Hint
      role="alert"
      icon={<IconZoomQuestion size={28} stroke={1.5} />}
      title={`We couldn’t find ${what}`}
      action={back}
    >
      It may have been deleted, or belong to another organisation.
    </Hint>
  );
}
