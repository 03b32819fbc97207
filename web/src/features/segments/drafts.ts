import { readStored, store } from '@/lib/storage';
import { draftPrefix } from './local';
import { type RuleGroup, readRules } from './model';

export interface Draft {
  name: string;
  description: string;
  rules: RuleGroup;
  /** `updated_at` of the version it began from; null for a new segment. */
  base: string | null;
}

export const draftKey = (userId: string, what: string) => `${draftPrefix(userId)}draft:${what}`;

export function readDraft(key: string): Draft | undefined {
  const stored = readStored(key);
  if (typeof stored !== 'object' || stored === null) return undefined;
  const { name, description, rules, base } = stored as Record<string, unknown>;
  const group = readRules(rules);
  if (typeof name !== 'string' || !group) return undefined;
  return {
    name,
    description: typeof description === 'string' ? description : '',
    rules: group,
    base: typeof base === 'string' ? base : null,
  };
}

export const writeDraft = (key: string, draft: Draft | undefined): void => store(key, draft);
