-- Roles of members: change, remove, hand over ownership, delete the organisation.
-- Must stay true: an organisation has at least one owner; nobody gives a role above their own; removal takes effect at once.

create or replace function private.role_rank(p_role text)
returns integer
language sql immutable parallel safe
set search_path = ''
as $$ select array_position(array['viewer', 'agent', 'campaign_manager', 'admin', 'owner'], p_role) $$;

-- Checks the caller's right, locks the organisation's members and returns the role of one of them.
create or replace function private.lock_member(p_org_id uuid, p_user_id uuid, p_permission text)
returns text
language plpgsql volatile
set search_path = ''
as $$
declare
    v_role text;
begin
    -- Before the lock, so that a stranger cannot hold up an organisation.
    perform private.require_permission(p_org_id, p_permission);
    -- One change of members at a time. no key: rows that refer to the organisation are written while we wait for conversations.
    perform from public.organizations o where o.id = p_org_id for no key update;
    -- And after it: who waited behind their own removal has no right left.
    perform private.require_permission(p_org_id, p_permission);
    select m.role into v_role from public.org_memberships m where m.org_id = p_org_id and m.user_id = p_user_id;
    if not found then
        perform private.raise_error('ORG_006');
    end if;
    return v_role;
end
$$;

-- After the membership has changed: assign_conversation holds it, so that nothing is assigned meanwhile.
create or replace function private.release_assignments(p_org_id uuid, p_user_id uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_ids uuid[];
begin
    -- In the order of the applier, which locks many as well; and no other row than these, or a later one would come out of order.
    v_ids := array(
        select c.id from public.conversations c where c.org_id = p_org_id and c.assigned_to = p_user_id order by c.id for no key update);
    update public.conversations c set assigned_to = null, updated_at = now() where c.id = any (v_ids);
    if cardinality(v_ids) > 0 then
        perform private.broadcast_conversations(p_org_id, v_ids);
    end if;
end
$$;

create or replace function public.set_member_role(p_org_id uuid, p_user_id uuid, p_role text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_old text;
    v_mine text;
begin
    v_old := private.lock_member(p_org_id, p_user_id, 'settings.manage');
    select m.role into v_mine from public.org_memberships m where m.org_id = p_org_id and m.user_id = (select auth.uid());
    if p_role is null or private.role_rank(p_role) is null or p_role = 'owner' then
        perform private.raise_error('ORG_007', jsonb_build_object('role', p_role));
    end if;
    if v_old = 'owner' then
        perform private.raise_error('ORG_004');
    end if;
    if v_mine is null or private.role_rank(v_mine) < greatest(private.role_rank(v_old), private.role_rank(p_role)) then
        perform private.raise_error('AUTH_003', '{"permission": "settings.manage"}');
    end if;
    update public.org_memberships set role = p_role, updated_at = now() where org_id = p_org_id and user_id = p_user_id;
    if not ('inbox.answer' = any (private.role_permissions(p_role))) then
        perform private.release_assignments(p_org_id, p_user_id);
    end if;
    perform private.record_activity(p_org_id, 'member.role_changed', (select auth.uid()),
        p_data => jsonb_build_object('user_id', p_user_id, 'old', v_old, 'new', p_role));
end
$$;
comment on function public.set_member_role(uuid, uuid, text) is
    'Errors: AUTH_003, ORG_001, ORG_004 (an owner: transfer ownership instead), ORG_006 (no such member), ORG_007 (no such role).';

create or replace function public.remove_member(p_org_id uuid, p_user_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_role text;
begin
    -- Anyone may leave; removing others needs the right.
    v_role := private.lock_member(p_org_id, p_user_id, case when p_user_id = (select auth.uid()) then 'read' else 'settings.manage' end);
    if v_role = 'owner' then
        perform private.raise_error('ORG_004');
    end if;
    delete from public.org_memberships where org_id = p_org_id and user_id = p_user_id;
    delete from public.notifications where org_id = p_org_id and user_id = p_user_id;
    perform private.release_assignments(p_org_id, p_user_id);
    perform private.record_activity(p_org_id, 'member.removed', (select auth.uid()),
        p_data => jsonb_build_object('user_id', p_user_id, 'role', v_role));
end
$$;
comment on function public.remove_member(uuid, uuid) is 'Removes a member, or lets the caller leave. Errors: AUTH_003, ORG_001, ORG_004, ORG_006.';

create or replace function public.transfer_ownership(p_org_id uuid, p_user_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    perform private.lock_member(p_org_id, p_user_id, 'organization.own');
    update public.org_memberships set role = 'admin', updated_at = now()
    where org_id = p_org_id and user_id = (select auth.uid()) and user_id <> p_user_id;
    update public.org_memberships set role = 'owner', updated_at = now() where org_id = p_org_id and user_id = p_user_id;
    perform private.record_activity(p_org_id, 'organization.ownership_transferred', (select auth.uid()),
        p_data => jsonb_build_object('user_id', p_user_id));
end
$$;
comment on function public.transfer_ownership(uuid, uuid) is 'The caller becomes an admin, the other member the owner. Errors: AUTH_003, ORG_001, ORG_006.';

create or replace function public.delete_organization(p_org_id uuid, p_confirm_name text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    perform private.require_permission(p_org_id, 'organization.own');
    update public.organizations set deleted_at = now(), updated_at = now() where id = p_org_id and name = p_confirm_name;
    if not found then
        perform private.raise_error('ORG_005', '{"field": "name"}');
    end if;
    perform private.disconnect_account(a.id) from public.whatsapp_accounts a where a.org_id = p_org_id and a.status <> 'disconnected';
end
$$;
comment on function public.delete_organization(uuid, text) is
    'Hides the organisation from everybody and disconnects its numbers; p_confirm_name must be its name. Errors: AUTH_003, ORG_001, ORG_005.';
