-- The feed and notifications. record_activity and notify_members are called by other domains inside their own transactions.
-- Must stay true: data carries ids and names, never message text or phone numbers.

create or replace function private.record_activity(
    p_org_id uuid,
    p_kind text,
    p_actor_id uuid default null,
    p_contact_id uuid default null,
    p_conversation_id uuid default null,
    p_data jsonb default '{}'
) returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    insert into public.activity_log (org_id, kind, actor_id, contact_id, conversation_id, data)
    values (p_org_id, p_kind, p_actor_id, p_contact_id, p_conversation_id, p_data);
    perform private.broadcast('org:' || p_org_id, 'activity', '{}');
end
$$;

create or replace function private.notify_members(p_org_id uuid, p_user_ids uuid[], p_kind text, p_priority text, p_data jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    insert into public.notifications (org_id, user_id, kind, priority, data)
    select p_org_id, u, p_kind, p_priority, p_data from unnest(p_user_ids) u;
    perform private.broadcast('user:' || u, 'notification', '{}') from unnest(p_user_ids) u;
end
$$;

create or replace function private.members_with(p_org_id uuid, p_permission text)
returns uuid[]
language sql stable
set search_path = ''
as $$
    select coalesce(array_agg(m.user_id), '{}') from public.org_memberships m
    where m.org_id = p_org_id and p_permission = any (private.role_permissions(m.role))
$$;

create or replace function public.mark_notifications_read(p_org_id uuid, p_ids uuid[] default null)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_count integer;
begin
    perform private.require_permission(p_org_id, 'read');
    update public.notifications n set read_at = now()
    where n.org_id = p_org_id and n.user_id = (select auth.uid()) and n.read_at is null and (p_ids is null or n.id = any (p_ids));
    get diagnostics v_count = row_count;
    return v_count;
end
$$;
comment on function public.mark_notifications_read(uuid, uuid[]) is 'The caller''s own notifications, all when p_ids is null; returns how many. Errors: AUTH_002, ORG_001.';
