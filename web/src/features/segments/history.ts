import { useCallback, useEffect, useRef, useState } from 'react';
import type { RuleGroup } from './model';
import { type EditGroup, fromRules, toRules } from './tree';

const STEPS = 100;
/** Typing into one field within this time of the last key is one step back. */
const SAME_STEP_MS = 1_000;

interface State {
  tree: EditGroup;
  past: EditGroup[];
  future: EditGroup[];
  /** What the last step changed and when, so that typing becomes one step. */
  last?: { key: string; at: number };
  /** The value as given from outside when we last looked. */
  seen: string;
  /** What was told outside and has not come back yet: a slow parent must not undo newer typing. */
  said: string[];
}

const start = (value: RuleGroup): State => ({
  tree: fromRules(value),
  past: [],
  future: [],
  seen: JSON.stringify(value),
  said: [],
});

/** Takes up a value from outside: an echo of our own changes nothing, anything else replaces the tree. */
export function meet(state: State, value: RuleGroup): State {
  const text = JSON.stringify(value);
  if (text === state.seen) return state;
  const echo = state.said.indexOf(text);
  if (echo >= 0) return { ...state, seen: text, said: state.said.slice(echo + 1) };
  return start(value);
}

export interface RuleHistory {
  tree: EditGroup;
  canUndo: boolean;
  canRedo: boolean;
  /** `key` names what is typed into; steps of the same key in quick succession are one. */
  change: (edit: (tree: EditGroup) => EditGroup, key?: string) => EditGroup;
  undo: () => void;
  redo: () => void;
}

/** The tree being edited, with the steps that lead back. The rules themselves belong to the parent. */
export function useRuleHistory(value: RuleGroup, onChange: (rules: RuleGroup) => void): RuleHistory {
  const [state, setState] = useState(() => start(value));
  const current = meet(state, value);
  if (current !== state) setState(current);
  const latest = useRef(current);
  const tell = useRef(onChange);
  useEffect(() => {
    latest.current = current;
    tell.current = onChange;
  });

  const commit = useCallback((next: State) => {
    const rules = toRules(next.tree);
    const said = [...next.said, JSON.stringify(rules)].slice(-STEPS);
    latest.current = { ...next, said };
    setState(latest.current);
    tell.current(rules);
  }, []);

  const change = useCallback(
    (edit: (tree: EditGroup) => EditGroup, key?: string) => {
      const old = latest.current;
      const tree = edit(old.tree);
      if (tree === old.tree) return tree;
      const at = Date.now();
      const isSameStep = key !== undefined && old.last?.key === key && at - old.last.at < SAME_STEP_MS;
      commit({
        ...old,
        tree,
        past: isSameStep ? old.past : [...old.past, old.tree].slice(-STEPS),
        future: [],
        last: key === undefined ? undefined : { key, at },
      });
      return tree;
    },
    [commit],
  );
  const undo = useCallback(() => {
    const old = latest.current;
    const tree = old.past.at(-1);
    if (tree)
      commit({
        ...old,
        tree,
        past: old.past.slice(0, -1),
        future: [old.tree, ...old.future],
        last: undefined,
      });
  }, [commit]);
  const redo = useCallback(() => {
    const old = latest.current;
    const [tree, ...future] = old.future;
    if (tree) commit({ ...old, tree, past: [...old.past, old.tree], future, last: undefined });
  }, [commit]);
  return {
    tree: current.tree,
    canUndo: current.past.length > 0,
    canRedo: current.future.length > 0,
    change,
    undo,
    redo,
  };
}
