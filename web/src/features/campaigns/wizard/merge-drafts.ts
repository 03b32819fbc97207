import { canonical, type DraftValues } from './draft';

/** Whether somebody else changed a field that was changed here, and to something else. What only one side changed is no question. */
export function isClash(was: Partial<DraftValues>, mine: Partial<DraftValues>, theirs: DraftValues): boolean {
  const keys = Object.keys(mine) as (keyof DraftValues)[];
  return keys.some((key) => {
    const now = canonical(theirs[key]);
    return now !== canonical(was[key]) && now !== canonical(mine[key]);
  });
}
