/** The shapes of docs/contacts-and-segments.md, as the pages of segments use them. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export type Match = 'all' | 'any' | 'none';
export const matches: readonly Match[] = ['all', 'any', 'none'];
export const matchNames: Record<Match, string> = {
  all: 'All of these',
  any: 'Any of these',
  none: 'None of these',
};

export interface RuleLeaf {
  field: string;
  operator: string;
  /** Absent for operators that take none; null while nobody has chosen it yet. */
  value?: Json;
}
export type RuleGroup = { all: RuleNode[] } | { any: RuleNode[] } | { none: RuleNode[] };
export type RuleNode = RuleGroup | RuleLeaf;

export interface RuleProblem {
  /** JSON pointer into the rules: `/all/2/value`. */
  path: string;
  code: string;
  message: string;
}

export type ValueKind =
  | 'none'
  | 'text'
  | 'list'
  | 'number'
  | 'range'
  | 'boolean'
  | 'date'
  | 'dates'
  | 'duration'
  | 'tags'
  | 'segment'
  | 'campaign'
  | 'flow';

export interface Option {
  value: string;
  label: string;
}
export interface Operator {
  operator: string;
  label: string;
  value: ValueKind;
}
export interface Field {
  field: string;
  label: string;
  category: string;
  kind: string;
  options: Option[];
  operators: Operator[];
}

export type SegmentKind = 'dynamic' | 'static';
export const kindNames: Record<SegmentKind, string> = { dynamic: 'Dynamic', static: 'Static' };

export interface Segment {
  id: string;
  org_id: string;
  name: string;
  description: string | null;
  kind: SegmentKind;
  rules: RuleGroup | null;
  member_count: number;
  evaluated_at: string | null;
  created_at: string;
  updated_at: string;
}

/** Which contacts: everywhere a set of them is meant. `{}` is everybody. */
export type Selection =
  | { ids: string[] }
  | { search?: string; rules?: RuleGroup; trash?: boolean; except?: string[] };

export interface Person {
  id: string;
  full_name: string | null;
  username: string | null;
  phone: string | null;
  email: string | null;
  company: string | null;
  avatar_url: string | null;
}

export interface Preview {
  count: number | null;
  contacts: Person[];
  sentence: string;
  problems: RuleProblem[];
}

export type PinKind = 'include' | 'exclude';

export interface ExplainedGroup {
  path: string;
  is_true: boolean;
  match: Match;
  children: ExplainedNode[];
}
export interface ExplainedLeaf {
  path: string;
  is_true: boolean;
  field: string;
  operator: string;
  value?: Json;
  actual?: Json;
  sentence: string;
}
export type ExplainedNode = ExplainedGroup | ExplainedLeaf;
export interface Flip {
  count: number;
  changes: { field: string; action: string; value?: Json; sentence: string }[];
}
export type Explanation = ExplainedNode & {
  flip?: Flip | null;
  is_member: boolean;
  pin: PinKind | null;
};

export interface Membership {
  id: string;
  name: string;
  kind: SegmentKind;
  is_member: boolean;
  pin: PinKind | null;
}

export interface Use {
  kind: string;
  id: string;
  name: string;
}

export const everybody: RuleGroup = { all: [] };

export const isGroup = (node: RuleNode): node is RuleGroup => !('field' in node);

export function matchOf(group: RuleGroup): Match {
  if ('any' in group) return 'any';
  return 'none' in group ? 'none' : 'all';
}

export function childrenOf(group: RuleGroup): RuleNode[] {
  if ('any' in group) return group.any;
  return 'none' in group ? group.none : group.all;
}

export function makeGroup(match: Match, children: RuleNode[]): RuleGroup {
  if (match === 'any') return { any: children };
  return match === 'none' ? { none: children } : { all: children };
}

/** Reads rules from somewhere that may hold anything: a draft, an address. */
export function readRules(value: unknown): RuleGroup | undefined {
  const node = readNode(value, 0);
  return node && isGroup(node) ? node : undefined;
}

/** Deeper than the database takes, so that hand-made nonsense cannot exhaust the stack. */
const DEEPEST = 20;

function readNode(value: unknown, depth: number): RuleNode | undefined {
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return undefined;
  const record = value as Record<string, unknown>;
  if (typeof record.field === 'string' && typeof record.operator === 'string') {
    const leaf: RuleLeaf = { field: record.field, operator: record.operator };
    if (record.value !== undefined) leaf.value = record.value as Json;
    return leaf;
  }
  const match = matches.find((each) => Array.isArray(record[each]));
  if (!match) return undefined;
  const children = (record[match] as unknown[]).map((child) => readNode(child, depth + 1));
  return children.every((child) => child !== undefined) ? makeGroup(match, children) : undefined;
}

/** No value at all, or a part of one still missing. Text is trimmed of nothing, so a blank is a value. */
export function isBlank(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (Array.isArray(value)) return value.length === 0 || value.some(isBlank);
  if (typeof value === 'object') return Object.values(value).some(isBlank);
  return false;
}

const isFinished = (leaf: RuleLeaf) =>
  leaf.field !== '' && leaf.operator !== '' && !('value' in leaf && isBlank(leaf.value));

/** The rules without those still being written, and without groups that only held such: what can be counted already. */
export function finishedRules(group: RuleGroup): RuleGroup {
  const kept = childrenOf(group).filter(isKept);
  return makeGroup(
    matchOf(group),
    kept.map((child) => (isGroup(child) ? finishedRules(child) : child)),
  );
}

function isKept(node: RuleNode): boolean {
  if (!isGroup(node)) return isFinished(node);
  return childrenOf(node).length === 0 || childrenOf(finishedRules(node)).length > 0;
}

/** What a person still has to fill in, in the words of the form. */
export function unfinishedProblems(group: RuleGroup, path = ''): RuleProblem[] {
  const match = matchOf(group);
  return childrenOf(group).flatMap((child, index): RuleProblem[] => {
    const here = `${path}/${match}/${index}`;
    if (isGroup(child)) {
      return childrenOf(child).length === 0
        ? [{ path: here, code: 'empty_group', message: 'This group is empty. Add a rule, or delete it.' }]
        : unfinishedProblems(child, here);
    }
    if (!child.field)
      return [{ path: `${here}/field`, code: 'unfinished', message: 'Choose what to look at.' }];
    if (!child.operator)
      return [{ path: `${here}/operator`, code: 'unfinished', message: 'Choose how to compare.' }];
    return isFinished(child)
      ? []
      : [{ path: `${here}/value`, code: 'unfinished', message: 'Fill in the value.' }];
  });
}

/** Where something of the finished rules stands in the whole: a problem found in the former is shown in the latter. */
export function pathInWhole(group: RuleGroup, path: string): string {
  const match = matchOf(group);
  const [, step, index, ...rest] = path.split('/');
  if (step !== match || index === undefined) return path;
  const kept = [...childrenOf(group).entries()].filter(([, child]) => isKept(child));
  const found = kept[Number(index)];
  if (!found) return '';
  const [at, child] = found;
  const below = rest.length > 0 ? `/${rest.join('/')}` : '';
  return `/${match}/${at}${isGroup(child) && below ? pathInWhole(child, below) : below}`;
}

export function leafCount(group: RuleGroup): number {
  return childrenOf(group).reduce((sum, child) => sum + (isGroup(child) ? leafCount(child) : 1), 0);
}
