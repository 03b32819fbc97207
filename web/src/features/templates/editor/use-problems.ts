import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useDebounced } from '@/lib/debounce';
import { describeError } from '@/lib/errors';
import { type TemplateProblem, templateProblemSchema } from '../model';
import { checkQuery } from '../queries';
import { isDestination, type TemplateFields } from './fields';
import { type PlacedProblem, placeProblems } from './places';
import type { EditorValues } from './values';

export interface Problems {
  problems: PlacedProblem[];
  isChecking: boolean;
  /** The check itself failed. */
  error: unknown;
  retry: () => void;
}

const CHECK_AFTER_MS = 400;

const ours = (field: string, code: string, message: string): PlacedProblem => ({
  path: '',
  severity: 'error',
  code,
  message,
  field,
});

/** What the database cannot be asked about, because it would not take such fields at all. */
export function unfinished(values: EditorValues): PlacedProblem[] {
  const problems: PlacedProblem[] = [];
  if (!values.name) problems.push(ours('name', 'missing', 'Give it a name.'));
  if (values.category !== 'authentication' && values.cards.length === 0)
    for (const [index, button] of values.buttons.entries())
      if (button.kind === 'url' && button.tracked && !isDestination(button.destination))
        problems.push(
          ours(
            `button.${index}.destination`,
            'wrong_link',
            button.destination
              ? 'Give a whole address, starting with https://'
              : 'Where does this button lead?',
          ),
        );
  return problems;
}

/** Fields that were malformed come back as an error with the same kind of problems inside. */
function refused(error: unknown): TemplateProblem[] | undefined {
  const { code, details } = describeError(error);
  if (code !== 'TEMPLATE_004' || !Array.isArray(details.problems)) return undefined;
  return details.problems.flatMap((each) => {
    const read = templateProblemSchema.safeParse(each);
    return read.success ? [read.data] : [];
  });
}

/** What Meta would refuse or often rejects, asked while the typing pauses. */
export function useProblems(
  orgId: string,
  values: EditorValues,
  fields: TemplateFields,
  id: string | undefined,
): Problems {
  const asked = useDebounced(
    // An empty name is refused before anything else is looked at.
    JSON.stringify({ ...fields, name: fields.name || 'unnamed', ...(id && { id }) }),
    CHECK_AFTER_MS,
  );
  const query = useQuery({ ...checkQuery(orgId, asked), placeholderData: keepPreviousData });
  const told = query.error ? refused(query.error) : undefined;
  const mine = unfinished(values);
  const isMine = (problem: PlacedProblem) =>
    (problem.field === 'name' && !values.name) || mine.some((each) => each.field === problem.field);
  const placed = placeProblems(told ?? query.data ?? [], fields.components).map((problem) => {
    // The address of a tracked button is its destination to people.
    const [, index] = /^button\.(\d+)\.url$/.exec(problem.field) ?? [];
    const button = index === undefined ? undefined : values.buttons[Number(index)];
    return button?.tracked ? { ...problem, field: `button.${index}.destination` } : problem;
  });
  return {
    problems: [...mine, ...placed.filter((problem) => !isMine(problem))],
    isChecking:
      query.isFetching ||
      asked !== JSON.stringify({ ...fields, name: fields.name || 'unnamed', ...(id && { id }) }),
    error: told ? undefined : query.error,
    retry: () => void query.refetch(),
  };
}
