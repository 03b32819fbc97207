import { canonical, type DraftValues } from './draft';

/** Whether somebody else changed a field that was changed here, and to something else. What only one side changed is no question. */
export function isClash(was: Partial<DraftValues>, mine: Partial<DraftValues>, theirs: DraftValues): boolean {
  const before = asStored(was);
  const now = asStored(theirs);
  const wanted = asStored(withLinksOf(theirs, mine));
  const keys = Object.keys(mine) as (keyof DraftValues)[];
  return keys.some((key) => {
    const stored = canonical(now[key]);
    return stored !== canonical(before[key]) && stored !== canonical(wanted[key]);
  });
}

/** The database has no space around texts and writes moments in its own way: its answer to a save is not what was sent. */
function asStored({ name, description, scheduled_at, ...rest }: Partial<DraftValues>): Partial<DraftValues> {
  return {
    ...rest,
    ...(name !== undefined && { name: name.trim() }),
    ...(description !== undefined && { description: description?.trim() || null }),
    ...(scheduled_at !== undefined && { scheduled_at: scheduled_at && new Date(scheduled_at).toISOString() }),
  };
}

/** A link that is not given is the template's own, which the database writes down. */
function withLinksOf(theirs: DraftValues, mine: Partial<DraftValues>): Partial<DraftValues> {
  if (!mine.variants) return mine;
  const variants = mine.variants.map((variant, index) => ({
    ...variant,
    links: { ...theirs.variants[index]?.links, ...variant.links },
  }));
  return { ...mine, variants };
}
