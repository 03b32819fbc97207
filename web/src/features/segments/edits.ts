import {
  blankGroup,
  blankLeaf,
  duplicate,
  type EditGroup,
  find,
  insert,
  isEditGroup,
  moveBy,
  moveIn,
  moveOut,
  type Part,
  remove,
  unwrap,
  wrap,
} from './tree';

export type Action =
  | 'add-rule'
  | 'add-group'
  | 'duplicate'
  | 'delete'
  | 'move-up'
  | 'move-down'
  | 'move-in'
  | 'move-out'
  | 'wrap'
  | 'unwrap';

export interface Outcome {
  tree: EditGroup;
  /** Where the keyboard goes on. */
  focus?: { id: string; part: Part | 'more' };
  /** For people who cannot see the row move. */
  said: string;
}

const IMPOSSIBLE = 'That isn’t possible here.';

/** One edit of the structure, with where the focus belongs afterwards. */
export function perform(tree: EditGroup, action: Action, id: string): Outcome {
  const outcome = run(tree, action, id);
  return outcome.tree === tree ? { tree, said: IMPOSSIBLE } : outcome;
}

function run(tree: EditGroup, action: Action, id: string): Outcome {
  const node = find(tree, id)?.node;
  if (!node) return { tree, said: '' };
  const what = isEditGroup(node) ? 'Group' : 'Rule';
  const stay = { id, part: 'more' } as const;
  switch (action) {
    case 'add-rule': {
      const leaf = blankLeaf();
      return { tree: insert(tree, id, leaf), focus: { id: leaf.id, part: 'field' }, said: 'Rule added.' };
    }
    case 'add-group': {
      const group = blankGroup(isEditGroup(node) && node.match === 'any' ? 'all' : 'any');
      return { tree: insert(tree, id, group), focus: { id: group.id, part: 'match' }, said: 'Group added.' };
    }
    case 'duplicate': {
      const copy = duplicate(tree, id);
      return {
        tree: copy.tree,
        focus: { id: copy.id, part: isEditGroup(node) ? 'match' : 'field' },
        said: `${what} duplicated.`,
      };
    }
    case 'delete':
      return { tree: remove(tree, id), focus: afterDelete(tree, id), said: `${what} deleted.` };
    case 'move-up':
      return { tree: moveBy(tree, id, -1), focus: stay, said: `${what} moved up.` };
    case 'move-down':
      return { tree: moveBy(tree, id, 1), focus: stay, said: `${what} moved down.` };
    case 'move-in':
      return { tree: moveIn(tree, id), focus: stay, said: `${what} moved into the group.` };
    case 'move-out':
      return { tree: moveOut(tree, id), focus: stay, said: `${what} moved out of the group.` };
    case 'wrap':
      return { tree: wrap(tree, id), focus: stay, said: `${what} put into a group of its own.` };
    case 'unwrap': {
      const first = isEditGroup(node) ? node.children[0] : undefined;
      return {
        tree: unwrap(tree, id),
        focus: first ? { id: first.id, part: isEditGroup(first) ? 'match' : 'field' } : afterDelete(tree, id),
        said: 'Group dissolved.',
      };
    }
  }
}

/** The next one in the list, else the one before, else the group itself. */
function afterDelete(tree: EditGroup, id: string): Outcome['focus'] {
  const place = find(tree, id);
  if (!place?.parent) return undefined;
  const { children } = place.parent;
  const next = children[place.index + 1] ?? children[place.index - 1];
  if (!next) return { id: place.parent.id, part: 'match' };
  return { id: next.id, part: isEditGroup(next) ? 'match' : 'field' };
}
