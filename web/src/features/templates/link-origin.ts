import { queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';

const schema = z.object({ linkOrigin: z.catch(z.nullish(z.url()), undefined) });

/**
 * Where tracked links begin: an origin whose `/t/` leads to the worker. Unless the server that delivered the page names
 * another, its own (PRD §7.2).
 */
export const linkOriginQuery = queryOptions({
  queryKey: ['link-origin'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: async (): Promise<string> => {
    const response = await fetch('/config.json', { credentials: 'same-origin' });
    const { linkOrigin } = schema.parse(await response.json());
    return (linkOrigin ?? window.location.origin).replace(/\/+$/, '');
  },
});

/** As Meta keeps it; what ends the address is the token. */
export const redirectOf = (origin: string): string => `${origin}/t/{{1}}`;
