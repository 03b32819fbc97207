import * as z from 'zod/mini';
import type { Group } from './rules';
import { isGroup } from './rules';

/** What the address of the contacts list holds. An unreadable value is dropped, the rest of the link still works. */
const lenient = <T extends z.ZodMiniType>(schema: T) => z.catch(z.optional(schema), undefined);
const words = lenient(z.array(z.coerce.string()));
const day = lenient(z.string().check(z.regex(/^\d{4}-\d{2}-\d{2}$/)));

export const sortKeys = ['recent', 'name', 'message', 'phone'] as const;
export type Sort = (typeof sortKeys)[number];
export type Direction = 'asc' | 'desc';

export const pageSizes = [25, 50, 100] as const;

export const contactsSearch = z.object({
  q: lenient(z.coerce.string()),
  sort: lenient(z.enum(sortKeys)),
  dir: lenient(z.enum(['asc', 'desc'])),
  page: lenient(z.coerce.number().check(z.int(), z.positive())),
  size: lenient(z.coerce.number().check(z.int(), z.positive(), z.maximum(100))),
  consent: words,
  tags: words,
  source: words,
  stage: words,
  created_from: day,
  created_to: day,
  message_from: day,
  message_to: day,
  conversation: lenient(z.enum(['yes', 'no'])),
  more: lenient(z.custom<Group>(isGroup)),
  trash: lenient(z.boolean()),
  filters: lenient(z.boolean()),
  add: lenient(z.boolean()),
  /** Links of earlier versions and of the search palette; leads to the contact's page. */
  contact: lenient(z.uuid()),
});
export type ContactsSearch = z.infer<typeof contactsSearch>;

export const defaultDirection: Record<Sort, Direction> = {
  recent: 'desc',
  name: 'asc',
  message: 'desc',
  phone: 'asc',
};
