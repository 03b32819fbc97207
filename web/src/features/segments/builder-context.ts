import { createContext, useContext } from 'react';
import type { Action } from './edits';
import type { Field, Match, RuleProblem } from './model';
import type { EditLeaf, Part } from './tree';

/** What every row of the builder needs and what never changes while rows are edited: rows render only for their own sake. */
export interface BuilderContext {
  orgId: string;
  fields: ReadonlyMap<string, Field>;
  fieldChoices: { group: string; items: { value: string; label: string }[] }[];
  /** The segment being edited, which cannot hold itself. */
  segmentId?: string;
  act: (action: Action, id: string) => void;
  setLeaf: (id: string, change: Omit<EditLeaf, 'id'>) => void;
  setMatch: (id: string, match: Match) => void;
}

const Context = createContext<BuilderContext | undefined>(undefined);
export const BuilderProvider = Context.Provider;

export function useBuilder(): BuilderContext {
  const context = useContext(Context);
  if (!context) throw new Error('rows stand within a RuleBuilder');
  return context;
}

/** Problems of one node, by the control they belong to. */
export type NodeProblems = Partial<Record<Part, string>>;

export type ProblemsById = ReadonlyMap<string, NodeProblems>;

export const sameProblems = (a: NodeProblems | undefined, b: NodeProblems | undefined): boolean =>
  a?.field === b?.field && a?.operator === b?.operator && a?.value === b?.value && a?.match === b?.match;

/** What the database says, in the words of the form; its own words where it knows better. */
export function problemWords(problem: RuleProblem): string {
  switch (problem.code) {
    case 'unknown_field':
      return 'This no longer exists. Choose something else.';
    case 'wrong_operator':
      return 'This can’t be compared that way. Choose another comparison.';
    case 'too_deep':
      return 'Groups can’t go deeper than 8 levels.';
    case 'too_many':
      return 'There are too many rules or values. The most is 100 rules, and 500 values in a list.';
    case 'malformed':
      return 'We can’t read this rule. Delete it and add it again.';
    default:
      return problem.message;
  }
}
