import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useOrg } from '@/features/tenancy/queries';
import { tellDone, tellProblem } from '@/lib/tell';
import type { Person, PinKind, Segment } from './model';
import { personName, pinContacts, segmentKey } from './queries';

/** Puts somebody in, out, or (null) back to what the rules say; on a static list: on it, or off it. */
export function usePin(segment: Pick<Segment, 'id' | 'kind'>) {
  const { orgId } = useOrg();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ person, as }: { person: Person; as: PinKind | null }) =>
      pinContacts(segment.id, [person.id], as),
    onSuccess: (_, { person, as }) =>
      tellDone(`${personName(person)} ${segment.kind === 'static' ? listedWords(as) : pinnedWords(as)}.`),
    onError: tellProblem,
    onSettled: () => queryClient.invalidateQueries({ queryKey: segmentKey(orgId) }),
  });
}

const listedWords = (as: PinKind | null) => (as === null ? 'is off the list' : 'is on the list');

function pinnedWords(as: PinKind | null): string {
  if (as === 'include') return 'is always in now';
  return as === 'exclude' ? 'is always out now' : 'is no longer pinned';
}
