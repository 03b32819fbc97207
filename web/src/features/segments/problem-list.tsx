import { Alert, Text } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import { plural } from '@/lib/time';
import { problemWords } from './builder-context';
import type { RuleProblem } from './model';
import classes from './segments.module.css';

/** Everything still to mend, each a jump to its place. */
export function ProblemList({
  problems,
  onJump,
}: {
  problems: RuleProblem[];
  onJump: (path: string) => void;
}) {
  if (problems.length === 0) return null;
  return (
    <Alert color="red" variant="light" icon={<IconAlertCircle aria-hidden />} mt="md">
      <Text size="sm" fw={600}>
        {plural(problems.length, 'thing')} to mend
      </Text>
      <ul style={{ margin: '4px 0 0', paddingInlineStart: 18 }}>
        {problems.map((problem) => (
          <li key={problem.path}>
            <button
              type="button"
              className={`op-link-button ${classes.jump}`}
              onClick={() => onJump(problem.path)}
            >
              {problemWords(problem)}
            </button>
          </li>
        ))}
      </ul>
    </Alert>
  );
}
