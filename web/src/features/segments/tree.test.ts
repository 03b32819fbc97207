import { describe, expect, it } from 'vitest';
import type { RuleGroup } from './model';
import {
  blankGroup,
  blankLeaf,
  depth,
  duplicate,
  type EditGroup,
  find,
  fromRules,
  insert,
  isEditGroup,
  leaves,
  MAX_DEPTH,
  MAX_LEAVES,
  moveBy,
  moveIn,
  moveOut,
  nodeAt,
  pointerOf,
  remove,
  setLeaf,
  setMatch,
  toRules,
  unwrap,
  wrap,
} from './tree';

const leaf = (field: string) => ({ field, operator: 'is', value: field });
const rules: RuleGroup = {
  all: [
    leaf('a'),
    { any: [leaf('b'), { none: [leaf('c')] }] },
    leaf('d'),
    { field: 'e', operator: 'is_empty' },
  ],
};

/** The tree in short: `all(a any(b none(c)) d e)`. */
function short(group: EditGroup): string {
  const inner = group.children.map((node) => (isEditGroup(node) ? short(node) : node.field)).join(' ');
  return `${group.match}(${inner})`;
}

function idOf(root: EditGroup, name: string): string {
  const visit = (group: EditGroup): string | undefined => {
    for (const node of group.children) {
      if (isEditGroup(node)) {
        if (node.match === name) return node.id;
        const inner = visit(node);
        if (inner) return inner;
      } else if (node.field === name) return node.id;
    }
    return undefined;
  };
  const id = visit(root);
  if (!id) throw new Error(`no ${name}`);
  return id;
}

const edited = (edit: (tree: EditGroup, id: (name: string) => string) => EditGroup): string => {
  const tree = fromRules(rules);
  return short(edit(tree, (name) => idOf(tree, name)));
};

describe('the tree of rules', () => {
  it('gives back the rules it was made of', () => {
    expect(toRules(fromRules(rules))).toEqual(rules);
  });

  it('moves up and down among its neighbours, groups included, and stops at the ends', () => {
    expect(edited((tree, id) => moveBy(tree, id('d'), -1))).toBe('all(a d any(b none(c)) e)');
    expect(edited((tree, id) => moveBy(tree, id('any'), 1))).toBe('all(a d any(b none(c)) e)');
    const tree = fromRules(rules);
    expect(moveBy(tree, idOf(tree, 'a'), -1)).toBe(tree);
    expect(moveBy(tree, idOf(tree, 'e'), 1)).toBe(tree);
  });

  it('moves into the group below, else the one above, at the near end', () => {
    expect(edited((tree, id) => moveIn(tree, id('a')))).toBe('all(any(a b none(c)) d e)');
    expect(edited((tree, id) => moveIn(tree, id('d')))).toBe('all(a any(b none(c) d) e)');
    const tree = fromRules(rules);
    expect(moveIn(tree, idOf(tree, 'e'))).toBe(tree);
  });

  it('moves out to right after its group, one level at a time', () => {
    expect(edited((tree, id) => moveOut(tree, id('c')))).toBe('all(a any(b none() c) d e)');
    expect(edited((tree, id) => moveOut(tree, id('b')))).toBe('all(a any(none(c)) b d e)');
    const tree = fromRules(rules);
    expect(moveOut(tree, idOf(tree, 'a'))).toBe(tree);
  });

  it('wraps into a group of the other kind and dissolves it again', () => {
    expect(edited((tree, id) => wrap(tree, id('d')))).toBe('all(a any(b none(c)) any(d) e)');
    expect(edited((tree, id) => wrap(tree, id('b')))).toBe('all(a any(all(b) none(c)) d e)');
    expect(edited((tree, id) => unwrap(tree, id('any')))).toBe('all(a b none(c) d e)');
    const tree = fromRules(rules);
    expect(wrap(tree, tree.id)).toBe(tree);
    expect(unwrap(tree, tree.id)).toBe(tree);
  });

  it('deletes rules and whole groups, never the top', () => {
    expect(edited((tree, id) => remove(tree, id('any')))).toBe('all(a d e)');
    expect(edited((tree, id) => remove(tree, id('c')))).toBe('all(a any(b none()) d e)');
    const tree = fromRules(rules);
    expect(remove(tree, tree.id)).toBe(tree);
  });

  it('duplicates with ids of their own', () => {
    const tree = fromRules(rules);
    const copy = duplicate(tree, idOf(tree, 'any'));
    expect(short(copy.tree)).toBe('all(a any(b none(c)) any(b none(c)) d e)');
    const ids: string[] = [];
    const collect = (group: EditGroup) => {
      for (const node of group.children) {
        ids.push(node.id);
        if (isEditGroup(node)) collect(node);
      }
    };
    collect(copy.tree);
    expect(new Set(ids).size).toBe(ids.length);
    expect(find(copy.tree, copy.id)?.index).toBe(2);
  });

  it('keeps the nodes it does not touch, so that their rows need no new drawing', () => {
    const tree = fromRules(rules);
    const next = setLeaf(tree, idOf(tree, 'd'), { field: 'd', operator: 'is', value: 'x' });
    expect(next.children[0]).toBe(tree.children[0]);
    expect(next.children[1]).toBe(tree.children[1]);
    expect(next.children[2]).not.toBe(tree.children[2]);
    expect(setMatch(tree, tree.id, 'all')).toBe(tree);
  });

  it('stays within the limits of the database', () => {
    let deep = fromRules({ all: [] });
    let inside = deep.id;
    for (let level = 1; level < MAX_DEPTH; level += 1) {
      const group = blankGroup('any');
      deep = insert(deep, inside, group);
      inside = group.id;
    }
    expect(depth(deep)).toBe(MAX_DEPTH);
    expect(insert(deep, inside, blankGroup('all'))).toBe(deep);
    const innermost = find(deep, inside)?.node;
    if (!innermost || !isEditGroup(innermost) || !innermost.children[0]) throw new Error('no leaf');
    expect(wrap(deep, innermost.children[0].id)).toBe(deep);

    let wide = fromRules({ all: [] });
    for (let each = 0; each < MAX_LEAVES; each += 1) wide = insert(wide, wide.id, blankLeaf());
    expect(leaves(wide)).toBe(MAX_LEAVES);
    expect(insert(wide, wide.id, blankLeaf())).toBe(wide);
    expect(duplicate(wide, wide.children[0]?.id ?? '').tree).toBe(wide);
  });

  it('does not lose what has no room where it would go', () => {
    const deepest = (levels: number): RuleGroup =>
      levels === 1 ? { any: [leaf('x')] } : { any: [deepest(levels - 1)] };
    // Each may stand below the top, but not one within the other.
    const tree = fromRules({ all: [deepest(4), deepest(4)] });
    expect(short(moveIn(tree, tree.children[0]?.id ?? ''))).not.toBe(short(tree));
    const full = fromRules({ all: [deepest(7), deepest(7)] });
    expect(depth(full)).toBe(MAX_DEPTH);
    expect(moveIn(full, full.children[0]?.id ?? '')).toBe(full);
  });
});

describe('paths', () => {
  it('name every node as the database does, and lead back to it', () => {
    const tree = fromRules(rules);
    const expected = {
      a: '/all/0',
      any: '/all/1',
      b: '/all/1/any/0',
      none: '/all/1/any/1',
      c: '/all/1/any/1/none/0',
      e: '/all/3',
    };
    for (const [name, path] of Object.entries(expected)) {
      const id = idOf(tree, name);
      expect(pointerOf(tree, id)).toBe(path);
      expect(nodeAt(tree, path).id).toBe(id);
    }
    expect(pointerOf(tree, tree.id)).toBe('');
    expect(nodeAt(tree, '')).toEqual({ id: tree.id, part: 'match' });
  });

  it('tell which control is meant', () => {
    const tree = fromRules(rules);
    const c = idOf(tree, 'c');
    expect(nodeAt(tree, '/all/1/any/1/none/0/value')).toEqual({ id: c, part: 'value' });
    expect(nodeAt(tree, '/all/1/any/1/none/0/value/amount')).toEqual({ id: c, part: 'value' });
    expect(nodeAt(tree, '/all/1/any/1/none/0/operator')).toEqual({ id: c, part: 'operator' });
    expect(nodeAt(tree, '/all/1/any/1/none/0')).toEqual({ id: c, part: 'field' });
  });

  it('lead to the nearest that exists when the tree has changed since', () => {
    const tree = fromRules(rules);
    expect(nodeAt(tree, '/all/1/any/9/value').id).toBe(idOf(tree, 'any'));
    expect(nodeAt(tree, '/any/0').id).toBe(tree.id);
  });
});
