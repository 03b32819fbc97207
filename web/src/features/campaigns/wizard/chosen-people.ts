import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { Person } from '@/features/segments/model';
import { rowsOf, table } from '../api';

/** Names of the people a campaign was given one by one. */
export function chosenPeopleQuery(orgId: string, ids: string[]) {
  return queryOptions({
    queryKey: ['org', orgId, 'contacts', 'chosen', [...ids].sort()],
    staleTime: 60_000,
    placeholderData: keepPreviousData,
    queryFn: () =>
      rowsOf<Person[]>(
        table('contacts')
          .select('id, full_name, username, phone, email, company, avatar_url')
          .eq('org_id', orgId)
          .in('id', ids),
      ),
  });
}
