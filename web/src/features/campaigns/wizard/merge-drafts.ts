import { canonical, changedFields, type DraftValues, pickFields } from './draft';

export type Changes = Partial<DraftValues>;

/** Fields that only make sense together: a test needs its variants. */
const together: (keyof DraftValues)[] = ['variants', 'test'];

/** What was changed here with what belongs to it, and what the same fields said before. */
export function changesHere(saved: DraftValues, now: DraftValues): { changes: Changes; was: Changes } {
  const changed = changedFields(saved, now);
  const keys = changed.some((key) => together.includes(key))
    ? [...new Set([...changed, ...together])]
    : changed;
  return { changes: pickFields(now, keys), was: pickFields(saved, keys) };
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

/** The database has no space around texts: its answer to a save is not what was sent. */
function asStored({ name, description, ...rest }: Changes): Changes {
  return {
    ...rest,
    ...(name !== undefined && { name: name.trim() }),
    ...(description !== undefined && { description: description?.trim() || null }),
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
