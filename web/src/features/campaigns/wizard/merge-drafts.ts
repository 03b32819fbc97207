import { canonical, type DraftValues, differencesBetween } from './draft';

export type Changes = Partial<DraftValues>;

/** Fields that only make sense together: a test needs its variants. */
const together: (keyof DraftValues)[] = ['variants', 'test'];

/** The fields that were changed here, and what belongs to them. */
export function changedFields(saved: DraftValues, now: DraftValues): (keyof DraftValues)[] {
  const changed = Object.keys(differencesBetween(saved, now)) as (keyof DraftValues)[];
  return changed.some((key) => together.includes(key)) ? [...new Set([...changed, ...together])] : changed;
}

export function pickFields(values: DraftValues, keys: (keyof DraftValues)[]): Changes {
  return Object.fromEntries(keys.map((key) => [key, values[key]]));
}

/**
 * One's own changes for on top of a newer version; undefined where somebody else changed the same to something else. `known` is
 * what these fields said before, and what of them was sent: a save whose answer never came is one's own, too.
 */
export function mergeChanges(theirs: DraftValues, mine: Changes, known: Changes[]): Changes | undefined {
  const now = asStored(theirs);
  const mineThere = withLinksOf(theirs, mine);
  const own = [mineThere, ...known.map((each) => withLinksOf(theirs, each, mine))].map(asStored);
  const keys = Object.keys(mine) as (keyof DraftValues)[];
  const isMine = (key: keyof DraftValues) =>
    own.some((each) => key in each && canonical(each[key]) === canonical(now[key]));
  return keys.every(isMine) ? mineThere : undefined;
}

/** The database has no space around texts and writes moments in its own way: its answer to a save is not what was sent. */
function asStored({ name, description, scheduled_at, ...rest }: Changes): Changes {
  return {
    ...rest,
    ...(name !== undefined && { name: name.trim() }),
    ...(description !== undefined && { description: description?.trim() || null }),
    ...(scheduled_at !== undefined && { scheduled_at: scheduled_at && new Date(scheduled_at).toISOString() }),
  };
}

/**
 * A link that was not given here is as they have it, be it the template's own, which the database writes down, or one they gave.
 * `but` is where one was given after all, so that theirs is another.
 */
function withLinksOf(theirs: DraftValues, part: Changes, but: Changes = {}): Changes {
  if (!part.variants) return part;
  const variants = part.variants.map((variant, at) => {
    const other = theirs.variants[at];
    if (!other || other.template_id !== variant.template_id) return variant;
    const given = but.variants?.[at]?.links ?? {};
    const open = Object.entries(other.links).filter(([index]) => !(index in given));
    return { ...variant, links: { ...Object.fromEntries(open), ...variant.links } };
  });
  return { ...part, variants };
}
