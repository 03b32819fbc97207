/**
 * The rules while somebody edits them: every node has an id of its own, so that rows keep their place on the screen and
 * the focus while others come, go and move. All edits are pure; one that is not possible gives the same tree back.
 */
import {
  childrenOf,
  isGroup,
  type Json,
  type Match,
  makeGroup,
  matchOf,
  type RuleGroup,
  type RuleLeaf,
} from './model';

export interface EditLeaf {
  id: string;
  field: string;
  operator: string;
  /** Undefined for operators that take none. */
  value?: Json;
}
export interface EditGroup {
  id: string;
  match: Match;
  children: EditNode[];
}
export type EditNode = EditGroup | EditLeaf;

/** Limits of the database (docs/contacts-and-segments.md); the top group is the first level. */
export const MAX_DEPTH = 8;
export const MAX_LEAVES = 100;

let made = 0;
const newId = () => {
  made += 1;
  return `n${made}`;
};

export const isEditGroup = (node: EditNode): node is EditGroup => 'children' in node;

export const blankLeaf = (): EditLeaf => ({ id: newId(), field: '', operator: '', value: null });

export const blankGroup = (match: Match): EditGroup => ({ id: newId(), match, children: [blankLeaf()] });

export function fromRules(rules: RuleGroup): EditGroup {
  return {
    id: newId(),
    match: matchOf(rules),
    children: childrenOf(rules).map((child) => (isGroup(child) ? fromRules(child) : fromLeaf(child))),
  };
}

const fromLeaf = ({ field, operator, value }: RuleLeaf): EditLeaf => ({
  id: newId(),
  field,
  operator,
  value,
});

export function toRules(group: EditGroup): RuleGroup {
  return makeGroup(
    group.match,
    group.children.map((child) => {
      if (isEditGroup(child)) return toRules(child);
      const { id: _, value, ...leaf } = child;
      return value === undefined ? leaf : { ...leaf, value };
    }),
  );
}

export interface Place {
  node: EditNode;
  /** Undefined at the top. */
  parent: EditGroup | undefined;
  index: number;
  /** From the top group down to the parent. */
  ancestors: EditGroup[];
}

export function find(root: EditGroup, id: string): Place | undefined {
  if (root.id === id) return { node: root, parent: undefined, index: 0, ancestors: [] };
  return findBelow(root, id, [root]);
}

function findBelow(group: EditGroup, id: string, ancestors: EditGroup[]): Place | undefined {
  for (const [index, node] of group.children.entries()) {
    if (node.id === id) return { node, parent: group, index, ancestors };
    const inner = isEditGroup(node) ? findBelow(node, id, [...ancestors, node]) : undefined;
    if (inner) return inner;
  }
  return undefined;
}

function changeGroup(root: EditGroup, id: string, change: (group: EditGroup) => EditGroup): EditGroup {
  if (root.id === id) return change(root);
  let changed = false;
  const children = root.children.map((child) => {
    if (!isEditGroup(child)) return child;
    const next = changeGroup(child, id, change);
    if (next !== child) changed = true;
    return next;
  });
  return changed ? { ...root, children } : root;
}

const withChildren = (group: EditGroup, children: EditNode[]): EditGroup => ({ ...group, children });

export const setMatch = (root: EditGroup, id: string, match: Match): EditGroup =>
  changeGroup(root, id, (group) => (group.match === match ? group : { ...group, match }));

export function setLeaf(root: EditGroup, id: string, change: Omit<EditLeaf, 'id'>): EditGroup {
  const place = find(root, id);
  if (!place?.parent || isEditGroup(place.node)) return root;
  return changeGroup(root, place.parent.id, (group) =>
    withChildren(
      group,
      group.children.map((child) => (child.id === id ? { id, ...change } : child)),
    ),
  );
}

export function insert(root: EditGroup, groupId: string, node: EditNode, at?: number): EditGroup {
  const next = changeGroup(root, groupId, (group) =>
    withChildren(group, group.children.toSpliced(at ?? group.children.length, 0, node)),
  );
  return fits(next) ? next : root;
}

export function remove(root: EditGroup, id: string): EditGroup {
  const parent = find(root, id)?.parent;
  if (!parent) return root;
  return changeGroup(root, parent.id, (group) =>
    withChildren(
      group,
      group.children.filter((child) => child.id !== id),
    ),
  );
}

function copyOf(node: EditNode): EditNode {
  return isEditGroup(node)
    ? { ...node, id: newId(), children: node.children.map(copyOf) }
    : { ...node, id: newId() };
}

export function duplicate(root: EditGroup, id: string): { tree: EditGroup; id: string } {
  const place = find(root, id);
  if (!place?.parent) return { tree: root, id };
  const copy = copyOf(place.node);
  const tree = insert(root, place.parent.id, copy, place.index + 1);
  return { tree, id: tree === root ? id : copy.id };
}

function relocate(root: EditGroup, node: EditNode, groupId: string, at: number): EditGroup {
  const next = insert(remove(root, node.id), groupId, node, at);
  return find(next, node.id) ? next : root;
}

export function moveBy(root: EditGroup, id: string, by: -1 | 1): EditGroup {
  const place = find(root, id);
  if (!place?.parent) return root;
  const to = place.index + by;
  if (to < 0 || to >= place.parent.children.length) return root;
  return relocate(root, place.node, place.parent.id, to);
}

/** The group a node would move into: the one right below it, else the one right above. */
export function neighbourGroup(root: EditGroup, id: string): EditGroup | undefined {
  const place = find(root, id);
  const below = place?.parent?.children[place.index + 1];
  if (below && isEditGroup(below)) return below;
  const above = place?.parent?.children[place.index - 1];
  return above && isEditGroup(above) ? above : undefined;
}

export function moveIn(root: EditGroup, id: string): EditGroup {
  const place = find(root, id);
  const group = neighbourGroup(root, id);
  if (!place?.parent || !group) return root;
  const isBelow = place.parent.children[place.index + 1]?.id === group.id;
  return relocate(root, place.node, group.id, isBelow ? 0 : group.children.length);
}

/** Out of its group, to right after it. */
export function moveOut(root: EditGroup, id: string): EditGroup {
  const place = find(root, id);
  const grandparent = place?.ancestors.at(-2);
  if (!place?.parent || !grandparent) return root;
  const at = grandparent.children.findIndex((child) => child.id === place.parent?.id) + 1;
  return relocate(root, place.node, grandparent.id, at);
}

/** Puts a node into a new group in its place; of the other kind, as the same one would change nothing. */
export function wrap(root: EditGroup, id: string): EditGroup {
  const place = find(root, id);
  if (!place?.parent) return root;
  const group: EditGroup = {
    id: newId(),
    match: place.parent.match === 'any' ? 'all' : 'any',
    children: [place.node],
  };
  const next = changeGroup(root, place.parent.id, (parent) =>
    withChildren(parent, parent.children.toSpliced(place.index, 1, group)),
  );
  return fits(next) ? next : root;
}

/** Dissolves a group: what it held stands in its place. */
export function unwrap(root: EditGroup, id: string): EditGroup {
  const place = find(root, id);
  if (!place?.parent || !isEditGroup(place.node)) return root;
  const { children } = place.node;
  return changeGroup(root, place.parent.id, (parent) =>
    withChildren(parent, parent.children.toSpliced(place.index, 1, ...children)),
  );
}

export const leaves = (node: EditNode): number =>
  isEditGroup(node) ? node.children.reduce((sum, child) => sum + leaves(child), 0) : 1;

export const depth = (node: EditNode): number =>
  isEditGroup(node) ? 1 + Math.max(0, ...node.children.map(depth)) : 0;

const fits = (root: EditGroup) => depth(root) <= MAX_DEPTH && leaves(root) <= MAX_LEAVES;

/** JSON pointer of a node, as the database names it. */
export function pointerOf(root: EditGroup, id: string): string | undefined {
  const place = find(root, id);
  if (!place) return undefined;
  if (!place.parent) return '';
  const above = pointerOf(root, place.parent.id) ?? '';
  return `${above}/${place.parent.match}/${place.index}`;
}

export type Part = 'field' | 'operator' | 'value' | 'match';

/** The node a JSON pointer names, or the nearest above it that exists, and which of its controls is meant. */
export function nodeAt(root: EditGroup, pointer: string): { id: string; part: Part } {
  const steps = pointer.split('/').slice(1);
  let node: EditNode = root;
  let at = 0;
  while (isEditGroup(node) && steps[at] === node.match && steps[at + 1] !== undefined) {
    const child: EditNode | undefined = node.children[Number(steps[at + 1])];
    if (!child) break;
    node = child;
    at += 2;
  }
  if (isEditGroup(node)) return { id: node.id, part: 'match' };
  const part = steps[at];
  return { id: node.id, part: part === 'operator' || part === 'value' ? part : 'field' };
}
