import { createContext, useContext } from 'react';
import type { PlacedProblem } from './places';
import type { EditorValues } from './values';

export interface EditorContext {
  orgId: string;
  values: EditorValues;
  change: (change: Partial<EditorValues>) => void;
  /** Those that are to be seen: of what was touched, or all once somebody asked to go on. */
  problems: PlacedProblem[];
  touch: (field: string) => void;
  /** The address of our redirect, as it stands in a tracked button. */
  redirect: string;
  /** Why name, language and kind of variables stay; absent while they may change. */
  fixed?: string;
  /** Why the category stays. */
  fixedCategory?: string;
}

export const Editor = createContext<EditorContext | undefined>(undefined);

export function useEditor(): EditorContext {
  const editor = useContext(Editor);
  if (!editor) throw new Error('this part belongs inside the template editor');
  return editor;
}

export const fieldId = (field: string): string => `template-${field}`;

/** What every field of the editor has: a name to jump to, what is wrong with it, and when that may be told. */
export function useField(field: string) {
  const { problems, touch } = useEditor();
  const mine = problems.filter((problem) => problem.field === field);
  const error = mine.find((problem) => problem.severity === 'error')?.message;
  const warning = mine.find((problem) => problem.severity === 'warning')?.message;
  return {
    props: { id: fieldId(field), error, onBlur: () => touch(field) },
    error,
    /** Nothing that keeps it from being submitted. */
    warning: error ? undefined : warning,
  };
}

/** Brings a field into view and the keyboard into it. */
export function jumpTo(field: string): void {
  const parts = field.split('.');
  // The nearest place that is drawn: a sample's own field may not be, its text is.
  const names = [
    field,
    field.replace(/^sample\./, '').replace(/\.[^.]+$/, ''),
    parts.slice(0, 2).join('.'),
    parts[0],
  ];
  for (const name of names) {
    const element = document.getElementById(fieldId(name ?? ''));
    if (!element) continue;
    element.scrollIntoView({ block: 'center' });
    element.focus({ preventScroll: true });
    return;
  }
}
