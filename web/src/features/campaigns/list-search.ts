import * as z from 'zod/mini';
import { statuses } from './statuses';

/** What the address of the campaigns list holds. An unreadable value is dropped, the rest of the link still works. */
const lenient = <T extends z.ZodMiniType>(schema: T) => z.catch(z.optional(schema), undefined);
const day = lenient(z.string().check(z.regex(/^\d{4}-\d{2}-\d{2}$/)));

export const campaignsSearch = z.object({
  q: lenient(z.coerce.string()),
  status: lenient(z.array(z.enum(statuses))),
  from: day,
  to: day,
  by: lenient(z.uuid()),
  page: lenient(z.coerce.number().check(z.int(), z.positive())),
});
export type CampaignsSearch = z.infer<typeof campaignsSearch>;
