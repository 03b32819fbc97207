-- Who may do what (design §4), and the helpers that policies and RPCs ask. The matrix lives here and nowhere else.
-- Policies must use `org_id = any ((select private.my_org_ids())::uuid[])` to the letter: one evaluation a query instead of one a row
-- (1,000 times slower, reference/model-codebases.md §3.4).

create or replace function private.role_permissions(p_role text)
returns text[]
language sql immutable parallel safe
set search_path = ''
as $$
    select case p_role
        when 'owner' then array['read', 'contacts.write', 'contacts.delete', 'contacts.bulk', 'contacts.trash', 'inbox.answer', 'campaigns.manage',
            'tags.manage', 'settings.manage', 'organization.own']
        when 'admin' then array['read', 'contacts.write', 'contacts.delete', 'contacts.bulk', 'contacts.trash', 'inbox.answer', 'campaigns.manage',
            'tags.manage', 'settings.manage']
        when 'campaign_manager' then array['read', 'contacts.write', 'contacts.delete', 'contacts.bulk', 'campaigns.manage', 'tags.manage']
        when 'agent' then array['read', 'contacts.write', 'inbox.answer']
        when 'viewer' then array['read']
        else '{}'
    end
$$;

create or replace function private.my_orgs_with(p_permission text)
returns uuid[]
language sql stable security definer parallel safe
set search_path = ''
as $$
    select coalesce(array_agg(m.org_id), '{}')
    from public.org_memberships m
    join public.organizations o on o.id = m.org_id and o.deleted_at is null
    where m.user_id = (select auth.uid()) and p_permission = any (private.role_permissions(m.role))
$$;
comment on function private.my_orgs_with(text) is 'Organisations in which the caller has a permission. Empty for anonymous callers.';

create or replace function private.my_org_ids()
returns uuid[]
language sql stable security definer parallel safe
set search_path = ''
as $$ select private.my_orgs_with('read') $$;

create or replace function private.my_colleague_ids()
returns uuid[]
language sql stable security definer parallel safe
set search_path = ''
as $$
    select coalesce(array_agg(distinct m.user_id), '{}') from public.org_memberships m
    where m.org_id = any (private.my_org_ids())
$$;

create or replace function private.require_permission(p_org_id uuid, p_permission text)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if (select auth.uid()) is null then
        perform private.raise_error('AUTH_002');
    end if;
    -- A stranger is told the same as for an organisation that does not exist.
    if p_org_id is null or not (p_org_id = any (private.my_org_ids())) then
        perform private.raise_error('ORG_001');
    end if;
    if not (p_org_id = any (private.my_orgs_with(p_permission))) then
        perform private.raise_error('AUTH_003', jsonb_build_object('permission', p_permission));
    end if;
end
$$;
comment on function private.require_permission(uuid, text) is 'Raises AUTH_002, ORG_001 or AUTH_003 unless the caller has the permission.';

create or replace function private.member_has(p_org_id uuid, p_user_id uuid, p_permission text)
returns boolean
language sql stable
set search_path = ''
as $$
    select exists (
        select from public.org_memberships m
        where m.org_id = p_org_id and m.user_id = p_user_id and p_permission = any (private.role_permissions(m.role))
    )
$$;
