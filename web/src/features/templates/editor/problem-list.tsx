import { Alert, Text } from '@mantine/core';
import { IconAlertCircle, IconBulb } from '@tabler/icons-react';
import { plural } from '@/lib/time';
import classes from './editor.module.css';
import type { PlacedProblem } from './places';

interface ProblemListProps {
  problems: PlacedProblem[];
  onJump: (field: string) => void;
}

/** Everything to mend and all advice, each a jump to its field. */
export function ProblemList({ problems, onJump }: ProblemListProps) {
  const errors = problems.filter((problem) => problem.severity === 'error');
  const advice = problems.filter((problem) => problem.severity === 'warning');
  return (
    <>
      {errors.length > 0 && (
        <Alert color="red" variant="light" icon={<IconAlertCircle aria-hidden />}>
          <List
            title={`${plural(errors.length, 'thing')} Meta would refuse`}
            problems={errors}
            onJump={onJump}
          />
        </Alert>
      )}
      {advice.length > 0 && (
        <Alert color="yellow" variant="light" icon={<IconBulb aria-hidden />}>
          <List
            title={`${plural(advice.length, 'thing')} Meta often rejects`}
            problems={advice}
            onJump={onJump}
          />
        </Alert>
      )}
    </>
  );
}

function List({ title, problems, onJump }: ProblemListProps & { title: string }) {
  return (
    <>
      <Text size="sm" fw={600}>
        {title}
      </Text>
      <ul className={classes.problems}>
        {problems.map((problem) => (
          <li key={`${problem.field} ${problem.code} ${problem.message}`}>
            <button
              type="button"
              className={`op-link-button ${classes.jump}`}
              onClick={() => onJump(problem.field)}
            >
              {problem.message}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
