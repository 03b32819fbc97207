import { useState } from 'react';
import { readStored, store } from '@/lib/storage';

export const columns = [
  'email',
  'company',
  'tags',
  'consent',
  'stage',
  'message',
  'source',
  'created',
] as const;
export type Column = (typeof columns)[number];

export const columnNames: Record<Column, string> = {
  email: 'E-mail',
  company: 'Company',
  tags: 'Tags',
  consent: 'Opt-in',
  stage: 'Stage',
  message: 'Last message',
  source: 'Source',
  created: 'Added',
};

export interface ListView {
  shown: Column[];
  compact: boolean;
}

const KEY = 'octopush:contacts-view';
const usual: ListView = { shown: ['email', 'tags', 'consent', 'message', 'source'], compact: false };

function read(): ListView {
  const kept = readStored(KEY) as Partial<ListView> | undefined;
  if (!Array.isArray(kept?.shown)) return usual;
  const shown = columns.filter((column) => kept.shown?.includes(column));
  return { shown, compact: kept.compact === true };
}

/** Which columns and how dense: a taste of this device, so not in the address. */
export function useListView(): [ListView, (view: ListView) => void] {
  const [view, setView] = useState(read);
  return [
    view,
    (next) => {
      setView(next);
      store(KEY, next);
    },
  ];
}
