import { queryOptions, useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useUser } from '@/features/auth/session';
import { answer, backend } from '@/lib/supabase';
import { asRole, may, type Permission, type Role } from './permissions';

export interface Membership {
  orgId: string;
  role: Role;
  organization: { id: string; name: string; country: string; time_zone: string };
}

/** The organisation a person works in; null before onboarding. Phase 1 knows one per person (PRD §13): the first joined. */
export function membershipQuery(userId: string) {
  return queryOptions({
    queryKey: ['membership', userId],
    staleTime: 5 * 60_000,
    queryFn: async (): Promise<Membership | null> => {
      const rows = await answer(
        backend()
          .from('org_memberships')
          .select('org_id, role, organizations!inner(id, name, country, time_zone)')
          .eq('user_id', userId)
          .order('created_at')
          .limit(1),
      );
      const row = rows[0];
      if (!row) return null;
      return { orgId: row.org_id, role: asRole(row.role), organization: row.organizations };
    },
  });
}

export interface OrgContext extends Membership {
  can: (permission: Permission) => boolean;
}

/** Only for pages behind the organisation guard, which has loaded the membership. */
export function useOrg(): OrgContext {
  const user = useUser();
  const { data } = useSuspenseQuery(membershipQuery(user.id));
  if (!data) throw new Error('this page needs an organisation');
  return { ...data, can: (permission) => may(data.role, permission) };
}

export interface Member {
  userId: string;
  role: Role;
  name: string;
  email: string;
  avatarUrl: string | null;
}

export function membersQuery(orgId: string) {
  return queryOptions({
    queryKey: ['org', orgId, 'members'],
    staleTime: 5 * 60_000,
    queryFn: async (): Promise<Member[]> => {
      const rows = await answer(
        backend()
          .from('org_memberships')
          .select('user_id, role, profiles!inner(full_name, email, avatar_url)')
          .eq('org_id', orgId)
          .order('created_at'),
      );
      return rows.map((row) => ({
        userId: row.user_id,
        role: asRole(row.role),
        name: row.profiles.full_name || row.profiles.email,
        email: row.profiles.email,
        avatarUrl: row.profiles.avatar_url,
      }));
    },
  });
}

export function useMembers() {
  return useQuery(membersQuery(useOrg().orgId));
}

export function invitationsQuery(orgId: string) {
  return queryOptions({
    queryKey: ['org', orgId, 'invitations'],
    queryFn: () =>
      answer(
        backend()
          .from('org_invitations')
          .select('id, email, role, expires_at, created_at')
          .eq('org_id', orgId)
          .is('accepted_at', null)
          .is('revoked_at', null)
          .order('created_at', { ascending: false }),
      ),
  });
}
