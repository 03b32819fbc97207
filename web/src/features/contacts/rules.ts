/** Segment rules as docs/contacts-and-segments.md has them: filters of the list are rules too. */
export type RuleValue = string | number | boolean | null | RuleValue[] | { [key: string]: RuleValue };
export interface Leaf {
  field: string;
  operator: string;
  value?: RuleValue;
}
export type Group = { all: RuleNode[] } | { any: RuleNode[] } | { none: RuleNode[] };
export type RuleNode = Leaf | Group;

export const childrenOf = (group: Group): RuleNode[] =>
  'all' in group ? group.all : 'any' in group ? group.any : group.none;

export const isGroup = (value: unknown): value is Group => {
  if (typeof value !== 'object' || value === null) return false;
  const keys = Object.keys(value);
  const key = keys[0];
  return (
    keys.length === 1 &&
    (key === 'all' || key === 'any' || key === 'none') &&
    Array.isArray((value as Record<string, unknown>)[key])
  );
};

export const leaf = (field: string, operator: string, value?: RuleValue): Leaf =>
  value === undefined ? { field, operator } : { field, operator, value };

/** Leaves of the tree, for "3 more rules". */
export function countLeaves(node: RuleNode): number {
  return isGroup(node) ? childrenOf(node).reduce((sum, child) => sum + countLeaves(child), 0) : 1;
}
