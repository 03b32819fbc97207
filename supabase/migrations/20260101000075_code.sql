-- Generated from sql/ by scripts/gen-supabase-migrations. Do not edit.

-- sql/code/00_foundation/10_reset.sql

-- Opens the re-runnable pass (see sql/README.md): takes back every grant and policy, so that what the files below do not say does not hold.
-- The whole pass is one transaction: nobody ever sees the moment between.

do $$
declare
    v_policy record;
begin
    -- Function bodies may name functions of later files.
    perform pg_catalog.set_config('check_function_bodies', 'off', true);
    if octopush.version() is null then
        raise exception 'the extension octopush is not installed';
    end if;
    for v_policy in
        select schemaname, tablename, policyname from pg_catalog.pg_policies
        where schemaname = 'public' or (schemaname in ('realtime', 'storage') and policyname like 'octopush\_%')
    loop
        execute format('drop policy %I on %I.%I', v_policy.policyname, v_policy.schemaname, v_policy.tablename);
    end loop;
end
$$;

revoke all on all tables in schema public from anon, authenticated, service_role;
revoke all on all sequences in schema public from anon, authenticated, service_role;
revoke all on all functions in schema public from public, anon, authenticated, service_role;
revoke all on all functions in schema private from public, anon, authenticated, service_role;
revoke all on all functions in schema worker from public, octopush_worker;

-- sql/code/00_foundation/20_errors.sql

-- The one place that raises errors for clients. Codes live in octopush.error_catalog() (docs/error-codes.md).
-- Called by every RPC; workers parse the same JSON.

create or replace function private.raise_error(p_code text, p_details jsonb default null)
returns void
language plpgsql stable
set search_path = ''
as $$
declare
    v_entry record;
begin
    select c.code, c.http_status, c.message, c.hint into v_entry from octopush.error_catalog() c where c.code = p_code;
    if not found then
        raise exception 'error code % is not in the catalogue', p_code;
    end if;
    -- PostgREST turns SQLSTATE PGRST into the HTTP answer; details must be text there, an object is its own error (PGRST121).
    raise exception sqlstate 'PGRST' using
        message = jsonb_build_object('code', v_entry.code, 'message', v_entry.message, 'details', p_details::text, 'hint', v_entry.hint)::text,
        detail = jsonb_build_object('status', v_entry.http_status, 'headers', '{}'::jsonb)::text;
end
$$;
comment on function private.raise_error(text, jsonb) is 'Raises an error of the catalogue. p_details: machine-readable facts, sent as JSON text.';

-- sql/code/00_foundation/30_clock.sql

-- The database's clock for every rule that depends on the time. Tests replace this function in their own database; nothing else may.

create or replace function private.clock()
returns timestamptz
language sql volatile parallel safe
set search_path = ''
as $$ select clock_timestamp() $$;

-- sql/code/00_foundation/40_broadcast.sql

-- Tells browsers that something changed: private Broadcast topics, ids only; the UI reads what changed under its own rights.
-- Called inside the transaction that made the change. A lost broadcast loses no data: clients refetch when they (re)subscribe.

create or replace function private.broadcast(p_topic text, p_event text, p_payload jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform realtime.send(p_payload, p_event, p_topic, true);
end
$$;

create or replace function private.broadcast_conversations(p_org_id uuid, p_conversation_ids uuid[])
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    -- 100 ids keep an event under 4 kB; above that one refetch of the list is cheaper for the browser anyway.
    perform private.broadcast('org:' || p_org_id, 'inbox', case
        when cardinality(p_conversation_ids) <= 100 then jsonb_build_object('conversation_ids', to_jsonb(p_conversation_ids))
        else '{"all": true}'::jsonb end);
end
$$;

create or replace function private.broadcast_messages(p_conversation_id uuid, p_message_ids uuid[])
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform private.broadcast('conversation:' || p_conversation_id, 'messages', case
        when cardinality(p_message_ids) <= 100 then jsonb_build_object('message_ids', to_jsonb(p_message_ids))
        else '{"all": true}'::jsonb end);
end
$$;

-- sql/code/10_tenancy/10_permissions.sql

-- Who may do what (design §4), and the helpers that policies and RPCs ask. The matrix lives here and nowhere else.
-- Policies must use `org_id = any ((select private.my_org_ids())::uuid[])` to the letter: one evaluation a query instead of one a row
-- (1,000 times slower, reference/model-codebases.md §3.4).

create or replace function private.role_permissions(p_role text)
returns text[]
language sql immutable parallel safe
set search_path = ''
as $$
    select case p_role
        when 'owner' then array['read', 'contacts.write', 'contacts.delete', 'contacts.trash', 'inbox.answer', 'campaigns.manage',
            'tags.manage', 'settings.manage', 'organization.own']
        when 'admin' then array['read', 'contacts.write', 'contacts.delete', 'contacts.trash', 'inbox.answer', 'campaigns.manage',
            'tags.manage', 'settings.manage']
        when 'campaign_manager' then array['read', 'contacts.write', 'contacts.delete', 'campaigns.manage', 'tags.manage']
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

-- sql/code/10_tenancy/20_onboarding.sql

-- From a verified sign-up to an organisation of one's own. Called by the web UI's onboarding page.
-- Must stay true: a person onboards once; an organisation never exists without its owner.

create or replace function private.verified_email()
returns text
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_user record;
begin
    select u.email, u.email_confirmed_at into v_user from auth.users u where u.id = (select auth.uid());
    if not found then
        perform private.raise_error('AUTH_002');
    end if;
    if v_user.email_confirmed_at is null then
        perform private.raise_error('AUTH_004');
    end if;
    return lower(v_user.email);
end
$$;

create or replace function private.check_organization_fields(p_name text, p_country text, p_time_zone text)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if p_name is null or length(btrim(p_name)) not between 1 and 120 then
        perform private.raise_error('ORG_005', '{"field": "name"}');
    end if;
    if p_country is null or p_country !~ '^[A-Z]{2}$' then
        perform private.raise_error('ORG_005', '{"field": "country"}');
    end if;
    if not exists (select from pg_catalog.pg_timezone_names z where z.name = p_time_zone) then
        perform private.raise_error('ORG_005', '{"field": "time_zone"}');
    end if;
end
$$;

create or replace function public.complete_onboarding(
    p_full_name text,
    p_org_name text,
    p_country text default 'MY',
    p_time_zone text default 'Asia/Kuala_Lumpur'
) returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_email text := private.verified_email();
    v_user_id uuid := (select auth.uid());
    v_org_id uuid;
begin
    perform private.check_organization_fields(p_org_name, p_country, p_time_zone);
    insert into public.profiles (user_id, full_name, email)
    values (v_user_id, left(btrim(coalesce(p_full_name, '')), 120), v_email)
    on conflict (user_id) do update set full_name = excluded.full_name, email = excluded.email, updated_at = now();
    -- The upsert above holds the profile's row lock: a second call at the same time waits here and then finds the membership.
    -- Who deleted their organisation may start again.
    if exists (
        select from public.org_memberships m join public.organizations o on o.id = m.org_id and o.deleted_at is null
        where m.user_id = v_user_id
    ) then
        perform private.raise_error('ORG_002');
    end if;
    insert into public.organizations (name, country, time_zone)
    values (btrim(p_org_name), p_country, p_time_zone)
    returning id into v_org_id;
    insert into public.org_memberships (org_id, user_id, role) values (v_org_id, v_user_id, 'owner');
    perform private.record_activity(v_org_id, 'organization.created', v_user_id);
    return v_org_id;
end
$$;
comment on function public.complete_onboarding(text, text, text, text) is
    'Makes the caller''s organisation and their owner membership; returns its id. Errors: AUTH_002, AUTH_004, ORG_002, ORG_005.';

create or replace function public.update_organization(p_org_id uuid, p_name text, p_country text, p_time_zone text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    perform private.check_organization_fields(p_name, p_country, p_time_zone);
    update public.organizations set name = btrim(p_name), country = p_country, time_zone = p_time_zone, updated_at = now()
    where id = p_org_id;
end
$$;
comment on function public.update_organization(uuid, text, text, text) is 'Errors: AUTH_003, ORG_001, ORG_005.';

create or replace function public.update_profile(p_full_name text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    update public.profiles set full_name = left(btrim(coalesce(p_full_name, '')), 120), updated_at = now()
    where user_id = (select auth.uid());
    if not found then
        perform private.raise_error('AUTH_002');
    end if;
end
$$;
comment on function public.update_profile(text) is 'The caller''s own name, as colleagues see it. Errors: AUTH_002.';

-- sql/code/10_tenancy/30_members.sql

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

-- sql/code/10_tenancy/40_invitations.sql

-- Invitations: the link carries a random token, the table keeps its hash. Called by the settings page and the accept page.
-- Must stay true: only the invited address, verified, may accept; once; within a week.

create or replace function public.invite_member(p_org_id uuid, p_email text, p_role text)
returns table (id uuid, token text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_email text := lower(btrim(coalesce(p_email, '')));
    -- 256 bits: cannot be guessed, and the hash needs no salt.
    v_token text := encode(extensions.gen_random_bytes(32), 'hex');
    v_id uuid;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    if v_email !~ '^[^@\s]+@[^@\s]+\.[^@\s]+$' or length(v_email) > 320 then
        perform private.raise_error('ORG_008');
    end if;
    if p_role is null or private.role_rank(p_role) is null or p_role = 'owner' then
        perform private.raise_error('ORG_007', jsonb_build_object('role', p_role));
    end if;
    if exists (
        select from public.org_memberships m join public.profiles p on p.user_id = m.user_id
        where m.org_id = p_org_id and lower(p.email) = v_email
    ) then
        perform private.raise_error('ORG_002');
    end if;
    -- A new invitation replaces the open one: the old link stops working. One at a time, or two for the same address would collide.
    perform from public.organizations o where o.id = p_org_id for no key update;
    perform private.require_permission(p_org_id, 'settings.manage');
    update public.org_invitations i set revoked_at = now()
    where i.org_id = p_org_id and i.email = v_email and i.accepted_at is null and i.revoked_at is null;
    insert into public.org_invitations (org_id, email, role, token_hash, invited_by, expires_at)
    values (p_org_id, v_email, p_role, extensions.digest(v_token, 'sha256'), (select auth.uid()), private.clock() + interval '7 days')
    returning org_invitations.id into v_id;
    perform private.record_activity(p_org_id, 'member.invited', (select auth.uid()), p_data => jsonb_build_object('role', p_role));
    return query select v_id, v_token;
end
$$;
comment on function public.invite_member(uuid, text, text) is
    'Returns the invitation and its token, once: the link is <app>/invitations/<token>. Errors: AUTH_003, ORG_001, ORG_002, ORG_007, ORG_008.';

create or replace function public.accept_invitation(p_token text)
returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_email text := private.verified_email();
    v_user_id uuid := (select auth.uid());
    v_invitation record;
begin
    select i.id, i.org_id, i.role, i.email into v_invitation
    from public.org_invitations i
    join public.organizations o on o.id = i.org_id and o.deleted_at is null
    where i.token_hash = extensions.digest(coalesce(p_token, ''), 'sha256')
        and i.accepted_at is null and i.revoked_at is null and i.expires_at > private.clock()
    for update of i;
    -- A right token in the wrong hands is told nothing more than a wrong token.
    if not found or v_invitation.email <> v_email then
        perform private.raise_error('ORG_003');
    end if;
    insert into public.profiles (user_id, full_name, email) values (v_user_id, split_part(v_email, '@', 1), v_email)
    on conflict (user_id) do update set email = excluded.email, updated_at = now();
    insert into public.org_memberships (org_id, user_id, role) values (v_invitation.org_id, v_user_id, v_invitation.role)
    on conflict (org_id, user_id) do nothing;
    update public.org_invitations set accepted_at = now() where id = v_invitation.id;
    perform private.record_activity(v_invitation.org_id, 'member.joined', v_user_id, p_data => jsonb_build_object('role', v_invitation.role));
    return v_invitation.org_id;
end
$$;
comment on function public.accept_invitation(text) is 'Joins the organisation of the invitation; returns its id. Errors: AUTH_002, AUTH_004, ORG_003.';

create or replace function public.revoke_invitation(p_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_org_id uuid;
begin
    select i.org_id into v_org_id from public.org_invitations i where i.id = p_id and i.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('ORG_003');
    end if;
    perform private.require_permission(v_org_id, 'settings.manage');
    update public.org_invitations set revoked_at = now() where id = p_id and accepted_at is null and revoked_at is null;
end
$$;
comment on function public.revoke_invitation(uuid) is 'The link stops working. Errors: AUTH_003, ORG_003.';

-- sql/code/20_whatsapp/10_accounts.sql

-- Connecting a WhatsApp number. The UI gives ids and a token; a worker proves them with Meta and records the outcome.
-- Must stay true: the token goes to Vault and leaves it only through worker functions; a number speaks for one organisation at a time.

create or replace function private.disconnect_account(p_account_id uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_secret_id uuid;
    v_org_id uuid;
begin
    update public.whatsapp_accounts set status = 'disconnected', status_reason = null, connected_at = null, updated_at = now()
    where id = p_account_id returning org_id into v_org_id;
    delete from private.whatsapp_credentials where whatsapp_account_id = p_account_id returning secret_id into v_secret_id;
    if v_secret_id is not null then
        delete from vault.secrets where id = v_secret_id;
    end if;
    perform private.fail_outbox(p_account_id, 'WA_006');
    perform private.broadcast('org:' || v_org_id, 'account', jsonb_build_object('whatsapp_account_id', p_account_id));
end
$$;

create or replace function public.connect_whatsapp_account(p_org_id uuid, p_waba_id text, p_phone_number_id text, p_access_token text)
returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_account_id uuid;
    v_secret_id uuid;
    v_old_secret_id uuid;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    if coalesce(p_waba_id, '') !~ '^[0-9]{1,32}$' then
        perform private.raise_error('WA_010', '{"field": "waba_id"}');
    end if;
    if coalesce(p_phone_number_id, '') !~ '^[0-9]{1,32}$' then
        perform private.raise_error('WA_010', '{"field": "phone_number_id"}');
    end if;
    if p_access_token is null or length(p_access_token) not between 8 and 2000 or p_access_token !~ '^[[:graph:]]+$' then
        perform private.raise_error('WA_010', '{"field": "access_token"}');
    end if;
    if exists (
        select from public.whatsapp_accounts a
        where a.phone_number_id = p_phone_number_id and a.status = 'connected' and a.org_id <> p_org_id
    ) then
        perform private.raise_error('WA_009');
    end if;
    perform from public.organizations o where o.id = p_org_id for no key update;
    -- Again after the wait: the organisation may be gone, or the right.
    perform private.require_permission(p_org_id, 'settings.manage');
    select a.id into v_account_id from public.whatsapp_accounts a
    where a.org_id = p_org_id and a.phone_number_id = p_phone_number_id order by a.created_at limit 1;
    if v_account_id is null then
        insert into public.whatsapp_accounts (org_id, waba_id, phone_number_id) values (p_org_id, p_waba_id, p_phone_number_id)
        returning id into v_account_id;
    else
        update public.whatsapp_accounts set status = 'connecting', status_reason = null, updated_at = now()
        where id = v_account_id;
    end if;
    v_secret_id := vault.create_secret(p_access_token, 'whatsapp:' || v_account_id || ':' || octopush.uuid_v7(), 'WhatsApp access token');
    select c.secret_id into v_old_secret_id from private.whatsapp_credentials c where c.whatsapp_account_id = v_account_id;
    insert into private.whatsapp_credentials (whatsapp_account_id, secret_id, waba_id) values (v_account_id, v_secret_id, p_waba_id)
    on conflict (whatsapp_account_id) do update
    set secret_id = excluded.secret_id, waba_id = excluded.waba_id, checked_at = null, check_attempts = 0, check_after = private.clock();
    delete from vault.secrets where id = v_old_secret_id;
    perform private.record_activity(p_org_id, 'whatsapp_account.connecting', (select auth.uid()),
        p_data => jsonb_build_object('whatsapp_account_id', v_account_id));
    perform private.broadcast('org:' || p_org_id, 'account', jsonb_build_object('whatsapp_account_id', v_account_id));
    perform pg_catalog.pg_notify('octopush_maintenance', '');
    return v_account_id;
end
$$;
comment on function public.connect_whatsapp_account(uuid, text, text, text) is
    'Stores the token and asks a worker to check it with Meta: status connecting, then connected or error. Calling again replaces the token. Errors: AUTH_003, ORG_001, WA_009, WA_010 (details.field).';

create or replace function public.disconnect_whatsapp_account(p_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_org_id uuid;
begin
    select a.org_id into v_org_id from public.whatsapp_accounts a where a.id = p_id and a.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('WA_006');
    end if;
    perform private.require_permission(v_org_id, 'settings.manage');
    perform private.disconnect_account(p_id);
    perform private.record_activity(v_org_id, 'whatsapp_account.disconnected', (select auth.uid()),
        p_data => jsonb_build_object('whatsapp_account_id', p_id));
end
$$;
comment on function public.disconnect_whatsapp_account(uuid) is 'Forgets the token, fails what waits to be sent (WA_006), keeps the history. Errors: AUTH_003, WA_006.';

-- sql/code/20_whatsapp/20_account_checks.sql

-- The maintenance worker proves a number's token with Meta. Called by octopush_worker only.
-- Must stay true: whoever proves a token for a number owns it here; a refused token leaves a reason for a person to read.

create or replace function worker.claim_account_checks(p_limit integer)
returns table (whatsapp_account_id uuid, secret_id uuid, waba_id text, phone_number_id text, access_token text)
language plpgsql volatile security definer
set search_path = ''
as $$
#variable_conflict use_column
begin
    return query
    with due as (
        select c.whatsapp_account_id from private.whatsapp_credentials c
        where c.checked_at is null and c.check_after <= private.clock()
        order by c.check_after limit p_limit for update skip locked
    ), claimed as (
        -- Pushing check_after ahead is the lease: a worker that dies loses nothing but this minute.
        update private.whatsapp_credentials c
        set check_attempts = c.check_attempts + 1,
            check_after = private.clock() + least(interval '1 minute' * power(2, least(c.check_attempts, 6)), interval '1 hour')
        from due where c.whatsapp_account_id = due.whatsapp_account_id
        returning c.whatsapp_account_id, c.secret_id, c.waba_id
    )
    select a.id, claimed.secret_id, claimed.waba_id, a.phone_number_id, s.decrypted_secret
    from claimed
    join public.whatsapp_accounts a on a.id = claimed.whatsapp_account_id
    join vault.decrypted_secrets s on s.id = claimed.secret_id;
end
$$;

create or replace function worker.record_account_check(p_account_id uuid, p_secret_id uuid, p_outcome jsonb)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_account record;
    v_former uuid;
    v_waba_id text;
    v_reason text := p_outcome ->> 'reason';
begin
    select a.* into v_account from public.whatsapp_accounts a where a.id = p_account_id for no key update;
    if not found or v_account.status = 'disconnected' then
        return;
    end if;
    -- A token replaced since the check began: what is known of the old one says nothing about it.
    select c.waba_id into v_waba_id from private.whatsapp_credentials c
    where c.whatsapp_account_id = p_account_id and c.secret_id = p_secret_id;
    if not found then
        return;
    end if;
    if (p_outcome ->> 'ok')::boolean then
        begin
            -- A number whose token no longer works elsewhere belongs to whoever proves it now.
            for v_former in
                select a.id from public.whatsapp_accounts a
                where a.phone_number_id = v_account.phone_number_id and a.is_receiving and a.status <> 'connected' and a.id <> p_account_id
            loop
                perform private.disconnect_account(v_former);
                update public.whatsapp_accounts set status_reason = 'WA_009' where id = v_former;
            end loop;
            update public.whatsapp_accounts set
                status = 'connected', status_reason = null, waba_id = v_waba_id, connected_at = coalesce(connected_at, now()), updated_at = now(),
                display_phone_number = coalesce(p_outcome ->> 'display_phone_number', display_phone_number),
                verified_name = coalesce(p_outcome ->> 'verified_name', verified_name),
                quality_rating = case when p_outcome ->> 'quality_rating' in ('GREEN', 'YELLOW', 'RED') then p_outcome ->> 'quality_rating' else 'UNKNOWN' end,
                messaging_tier = coalesce(p_outcome ->> 'messaging_tier', messaging_tier),
                messages_per_second = coalesce(least(greatest((p_outcome ->> 'messages_per_second')::integer, 1), 5000), messages_per_second)
            where id = p_account_id;
            update private.whatsapp_credentials set checked_at = now() where whatsapp_account_id = p_account_id;
        exception when unique_violation then
            update public.whatsapp_accounts set status = 'error', status_reason = 'WA_009', updated_at = now() where id = p_account_id;
            update private.whatsapp_credentials set checked_at = now() where whatsapp_account_id = p_account_id;
        end;
        perform pg_catalog.pg_notify('octopush_send', '');
    elsif (p_outcome ->> 'final')::boolean then
        update public.whatsapp_accounts set status = 'error', status_reason = left(v_reason, 500), updated_at = now() where id = p_account_id;
        update private.whatsapp_credentials set checked_at = now() where whatsapp_account_id = p_account_id;
        perform private.notify_members(v_account.org_id, private.members_with(v_account.org_id, 'settings.manage'),
            'whatsapp_account.error', 'high', jsonb_build_object('whatsapp_account_id', p_account_id));
    else
        -- Meta could not be reached: tried again when check_after comes; the reason is shown meanwhile.
        update public.whatsapp_accounts set status_reason = left(v_reason, 500), updated_at = now() where id = p_account_id;
    end if;
    perform private.broadcast('org:' || v_account.org_id, 'account', jsonb_build_object('whatsapp_account_id', p_account_id));
end
$$;
comment on function worker.record_account_check(uuid, uuid, jsonb) is
    'p_secret_id: the token that was checked. p_outcome: {ok, display_phone_number?, verified_name?, quality_rating?, messaging_tier?, messages_per_second?} or {ok: false, final, reason}.';

-- sql/code/20_whatsapp/30_webhooks.sql

-- Webhooks: stored as received, then claimed and applied. Called by the webhook and apply roles of the worker.
-- Must stay true: store_webhooks returns only after every body is a row of the transaction; claiming and applying are one transaction,
-- so a crash gives the rows back; a row that cannot be understood is kept as rejected with its problem.

create or replace function worker.store_webhooks(p_bodies bytea[])
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.webhook_events (body) select b from unnest(p_bodies) b;
    -- Once for the whole batch: NOTIFY serialises commits (reference/model-codebases.md §3.1).
    perform pg_catalog.pg_notify('octopush_apply', '');
end
$$;
comment on function worker.store_webhooks(bytea[]) is 'Keeps raw bodies, many requests in one commit. Called before Meta is answered.';

create or replace function worker.claim_webhooks(p_limit integer)
returns table (id bigint, body bytea)
language sql volatile security definer
set search_path = ''
as $$
    select e.id, e.body from private.webhook_events e
    where e.state = 'received' order by e.id limit p_limit for update skip locked
$$;

create or replace function worker.finish_webhooks(p_ids bigint[])
returns void
language sql volatile security definer
set search_path = ''
as $$
    update private.webhook_events set state = 'applied', applied_at = clock_timestamp(), problem = null where id = any (p_ids)
$$;

create or replace function worker.reject_webhook(p_id bigint, p_problem text)
returns void
language sql volatile security definer
set search_path = ''
as $$
    update private.webhook_events set state = 'rejected', applied_at = clock_timestamp(), attempts = attempts + 1, problem = left(p_problem, 2000)
    where id = p_id
$$;
comment on function worker.reject_webhook(bigint, text) is 'Kept, not understood: listed by worker.rejected_webhooks, tried again by worker.replay_webhooks.';

create or replace function worker.rejected_webhooks(p_limit integer)
returns table (id bigint, received_at timestamptz, problem text, bytes integer)
language sql stable security definer
set search_path = ''
as $$
    select e.id, e.received_at, e.problem, length(e.body) from private.webhook_events e
    where e.state = 'rejected' order by e.id desc limit p_limit
$$;

create or replace function worker.replay_webhooks(p_ids bigint[])
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_count integer;
begin
    -- Safe for applied rows too: applying is idempotent. null: everything that was rejected.
    update private.webhook_events e set state = 'received'
    where case when p_ids is null then e.state = 'rejected' else e.id = any (p_ids) end;
    get diagnostics v_count = row_count;
    perform pg_catalog.pg_notify('octopush_apply', '');
    return v_count;
end
$$;

create or replace function worker.record_account_events(p_events jsonb)
returns void
language sql volatile security definer
set search_path = ''
as $$
    -- An item about a WABA concerns every organisation that receives for one of its numbers.
    insert into public.whatsapp_events (org_id, whatsapp_account_id, field, payload, webhook_event_id, body_hash)
    select a.org_id, a.id, left(coalesce(e.field, ''), 200), coalesce(e.payload, 'null'), e.webhook_event_id, decode(e.body_hash, 'hex')
    from jsonb_to_recordset(p_events) as e (waba_id text, phone_number_id text, field text, payload jsonb, webhook_event_id bigint, body_hash text)
    join lateral (
        select x.org_id, x.id from public.whatsapp_accounts x
        where x.is_receiving
            and case when e.phone_number_id is not null then x.phone_number_id = e.phone_number_id else x.waba_id = e.waba_id end
        limit 100
    ) a on true
    on conflict do nothing
$$;
comment on function worker.record_account_events(jsonb) is '[{waba_id, phone_number_id?, field, payload, webhook_event_id, body_hash (hex)}]: kept for people to see.';

-- sql/code/30_contacts/10_contacts.sql

-- Contacts: create, edit, delete, restore (PRD §5.2). Every write of a person goes through here.
-- Must stay true: phones are E.164; a stale edit is refused; consent changes are on record with who, old and new.

create or replace function private.contact_for(p_id uuid, p_permission text)
returns public.contacts
language plpgsql volatile
set search_path = ''
as $$
declare
    v_contact public.contacts;
begin
    select c.* into v_contact from public.contacts c where c.id = p_id and c.org_id = any (private.my_org_ids()) for no key update;
    if not found then
        perform private.raise_error('CONTACT_001');
    end if;
    perform private.require_permission(v_contact.org_id, p_permission);
    return v_contact;
end
$$;

create or replace function private.contact_phone(p_org_id uuid, p_phone text)
returns text
language plpgsql stable
set search_path = ''
as $$
declare
    v_phone text;
begin
    v_phone := octopush.normalize_phone(p_phone, (select o.country from public.organizations o where o.id = p_org_id));
    if v_phone is null then
        perform private.raise_error('CONTACT_003', jsonb_build_object('phone', left(p_phone, 50)));
    end if;
    return v_phone;
end
$$;

-- Turns the form's JSON into a row, keeping what p_base has for keys that are absent. An explicit null clears a field.
create or replace function private.merge_contact_fields(p_base public.contacts, p_fields jsonb)
returns public.contacts
language plpgsql stable
set search_path = ''
as $$
declare
    v_key text;
    v_contact public.contacts;
begin
    if p_fields is null or jsonb_typeof(p_fields) <> 'object' then
        perform private.raise_error('CONTACT_007', '{"field": null}');
    end if;
    for v_key in select jsonb_object_keys(p_fields) loop
        if v_key not in ('phone', 'full_name', 'email', 'avatar_url', 'company', 'job_title', 'address', 'notes', 'birthday', 'lifecycle_stage') then
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', v_key));
        end if;
        -- A number or a list in a text field would be stored as its JSON text.
        if v_key <> 'address' and jsonb_typeof(p_fields -> v_key) not in ('string', 'null') then
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', v_key));
        end if;
        begin
            v_contact := jsonb_populate_record(p_base, jsonb_build_object(v_key, case
                when jsonb_typeof(p_fields -> v_key) = 'string' then to_jsonb(nullif(btrim(p_fields ->> v_key), ''))
                else p_fields -> v_key end));
            p_base := v_contact;
        exception when data_exception then
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', v_key));
        end;
    end loop;
    if p_base.email is not null and p_base.email !~ '^[^@\s]+@[^@\s]+\.[^@\s]+$' then
        perform private.raise_error('CONTACT_007', '{"field": "email"}');
    end if;
    if p_base.lifecycle_stage is null then
        p_base.lifecycle_stage := 'lead';
    end if;
    if p_fields ? 'phone' and p_base.phone is not null then
        p_base.phone := private.contact_phone(p_base.org_id, p_base.phone);
    end if;
    return p_base;
end
$$;

create or replace function public.create_contact(p_org_id uuid, p_fields jsonb)
returns public.contacts
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_contact public.contacts;
    v_existing record;
    v_field text;
begin
    perform private.require_permission(p_org_id, 'contacts.write');
    v_contact.org_id := p_org_id;
    v_contact := private.merge_contact_fields(v_contact, p_fields);
    if v_contact.phone is null then
        perform private.raise_error('CONTACT_003');
    end if;
    begin
        insert into public.contacts (org_id, phone, full_name, email, avatar_url, company, job_title, address, notes, birthday, lifecycle_stage)
        values (p_org_id, v_contact.phone, v_contact.full_name, v_contact.email, v_contact.avatar_url, v_contact.company,
            v_contact.job_title, v_contact.address, v_contact.notes, v_contact.birthday, v_contact.lifecycle_stage)
        returning * into v_contact;
    exception
        when unique_violation then
            select c.id, c.deleted_at into v_existing from public.contacts c where c.org_id = p_org_id and c.phone = v_contact.phone;
            perform private.raise_error(case when v_existing.deleted_at is null then 'CONTACT_002' else 'CONTACT_004' end,
                jsonb_build_object('contact_id', v_existing.id));
        when check_violation then
            get stacked diagnostics v_field = constraint_name;
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', split_part(replace(v_field, 'contacts_', ''), '_check', 1)));
    end;
    perform private.record_activity(p_org_id, 'contact.created', (select auth.uid()), v_contact.id);
    return v_contact;
end
$$;
comment on function public.create_contact(uuid, jsonb) is
    'p_fields: phone (required, any notation; the organisation''s country is the default) and PRD §5.1''s fields. Errors: AUTH_003, ORG_001, CONTACT_002 (details.contact_id), CONTACT_003, CONTACT_004, CONTACT_007 (details.field).';

create or replace function public.update_contact(p_id uuid, p_fields jsonb, p_expected_updated_at timestamptz)
returns public.contacts
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_old public.contacts := private.contact_for(p_id, 'contacts.write');
    v_new public.contacts;
    v_field text;
begin
    if v_old.deleted_at is not null then
        perform private.raise_error('CONTACT_004', jsonb_build_object('contact_id', p_id));
    end if;
    if v_old.updated_at is distinct from p_expected_updated_at then
        perform private.raise_error('CONTACT_006', jsonb_build_object('contact', to_jsonb(v_old) - 'search_text'));
    end if;
    v_new := private.merge_contact_fields(v_old, p_fields);
    begin
        update public.contacts c set
            -- Another number is another WhatsApp account: answers must not go to the old one.
            phone = v_new.phone, wa_id = case when v_new.phone is not distinct from v_old.phone then c.wa_id end, full_name = v_new.full_name, email = v_new.email, avatar_url = v_new.avatar_url, company = v_new.company,
            job_title = v_new.job_title, address = v_new.address, notes = v_new.notes, birthday = v_new.birthday,
            lifecycle_stage = v_new.lifecycle_stage, updated_at = clock_timestamp()
        where c.id = p_id
        returning c.* into v_new;
    exception
        when unique_violation then
            perform private.raise_error('CONTACT_002', jsonb_build_object('contact_id',
                (select c.id from public.contacts c where c.org_id = v_old.org_id and c.phone = v_new.phone)));
        when check_violation then
            get stacked diagnostics v_field = constraint_name;
            if v_field = 'contacts__identity__check' then
                perform private.raise_error('CONTACT_003');
            end if;
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', split_part(replace(v_field, 'contacts_', ''), '_check', 1)));
    end;
    perform private.record_activity(v_old.org_id, 'contact.updated', (select auth.uid()), p_id,
        p_data => jsonb_build_object('fields', (select jsonb_agg(k) from jsonb_object_keys(p_fields) k)));
    return v_new;
end
$$;
comment on function public.update_contact(uuid, jsonb, timestamptz) is
    'Changes the given fields if nobody else did since p_expected_updated_at. Errors: AUTH_003, CONTACT_001–004, CONTACT_006 (details.contact = the other person''s version), CONTACT_007.';

create or replace function public.delete_contact(p_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.delete');
begin
    update public.contacts set deleted_at = now(), updated_at = clock_timestamp() where id = p_id and deleted_at is null;
    if found then
        perform private.record_activity(v_contact.org_id, 'contact.deleted', (select auth.uid()), p_id);
    end if;
end
$$;
comment on function public.delete_contact(uuid) is 'Moves a contact to the trash. Errors: AUTH_003, CONTACT_001.';

create or replace function public.restore_contact(p_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.trash');
begin
    update public.contacts set deleted_at = null, updated_at = clock_timestamp() where id = p_id and deleted_at is not null;
    if found then
        perform private.record_activity(v_contact.org_id, 'contact.restored', (select auth.uid()), p_id);
    end if;
end
$$;
comment on function public.restore_contact(uuid) is 'Takes a contact back from the trash (undo of delete_contact). Errors: AUTH_003, CONTACT_001.';

create or replace function public.set_contact_consent(p_id uuid, p_status text, p_source text default 'manual')
returns public.contacts
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.write');
begin
    if p_status is null or p_status not in ('opted_in', 'opted_out', 'pending') then
        perform private.raise_error('CONTACT_007', '{"field": "opt_in_status"}');
    end if;
    if p_source is null or p_source not in ('form', 'whatsapp', 'import', 'manual') then
        perform private.raise_error('CONTACT_007', '{"field": "opt_in_source"}');
    end if;
    if v_contact.opt_in_status = p_status then
        return v_contact;
    end if;
    perform private.record_activity(v_contact.org_id, 'contact.consent_changed', (select auth.uid()), p_id,
        p_data => jsonb_build_object('old', v_contact.opt_in_status, 'new', p_status, 'source', p_source));
    update public.contacts c set
        opt_in_status = p_status, opt_in_source = p_source, updated_at = clock_timestamp(),
        opt_in_at = case when p_status = 'opted_in' then now() else c.opt_in_at end
    where c.id = p_id returning c.* into v_contact;
    return v_contact;
end
$$;
comment on function public.set_contact_consent(uuid, text, text) is 'Errors: AUTH_003, CONTACT_001, CONTACT_007.';

-- sql/code/30_contacts/20_tags.sql

-- Tags of an organisation and of a contact (PRD §5.5).
-- Must stay true: at most 50 tags an organisation; names unique without regard to case.

create or replace function public.create_tag(p_org_id uuid, p_name text, p_color text default '#868e96')
returns public.tags
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_tag public.tags;
begin
    perform private.require_permission(p_org_id, 'tags.manage');
    -- Serialises makers of tags, or two of them could both see 49.
    perform from public.organizations o where o.id = p_org_id for no key update;
    if (select count(*) from public.tags t where t.org_id = p_org_id) >= 50 then
        perform private.raise_error('TAG_002');
    end if;
    begin
        insert into public.tags (org_id, name, color) values (p_org_id, btrim(p_name), coalesce(p_color, '#868e96')) returning * into v_tag;
    exception
        when unique_violation then
            perform private.raise_error('TAG_003');
        when check_violation or not_null_violation then
            perform private.raise_error('TAG_004');
    end;
    return v_tag;
end
$$;
comment on function public.create_tag(uuid, text, text) is 'p_color: #rrggbb. Errors: AUTH_003, ORG_001, TAG_002 (limit), TAG_003 (name taken), TAG_004 (invalid).';

create or replace function public.delete_tag(p_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_org_id uuid;
begin
    select t.org_id into v_org_id from public.tags t where t.id = p_id and t.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('TAG_001');
    end if;
    perform private.require_permission(v_org_id, 'tags.manage');
    delete from public.tags where id = p_id;
end
$$;
comment on function public.delete_tag(uuid) is 'Also takes it off every contact. Errors: AUTH_003, TAG_001.';

create or replace function public.set_contact_tags(p_id uuid, p_tag_ids uuid[])
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.write');
    v_added uuid[];
    v_removed uuid[];
begin
    -- Locked against deletion until the links are written.
    perform t.id from public.tags t where t.org_id = v_contact.org_id and t.id = any (p_tag_ids) order by t.id for key share;
    if exists (
        select from unnest(p_tag_ids) x left join public.tags t on t.id = x and t.org_id = v_contact.org_id where t.id is null
    ) then
        perform private.raise_error('TAG_001');
    end if;
    with gone as (
        delete from public.contact_tags ct
        where ct.org_id = v_contact.org_id and ct.contact_id = p_id and not (ct.tag_id = any (coalesce(p_tag_ids, '{}')))
        returning ct.tag_id
    )
    select coalesce(array_agg(tag_id), '{}') into v_removed from gone;
    with new as (
        insert into public.contact_tags (org_id, contact_id, tag_id)
        select distinct v_contact.org_id, p_id, x from unnest(p_tag_ids) x
        on conflict do nothing
        returning tag_id
    )
    select coalesce(array_agg(tag_id), '{}') into v_added from new;
    if cardinality(v_added) + cardinality(v_removed) > 0 then
        perform private.record_activity(v_contact.org_id, 'contact.tags_changed', (select auth.uid()), p_id,
            p_data => jsonb_build_object('added', to_jsonb(v_added), 'removed', to_jsonb(v_removed)));
    end if;
end
$$;
comment on function public.set_contact_tags(uuid, uuid[]) is 'The contact has exactly these tags afterwards. Errors: AUTH_003, CONTACT_001, TAG_001.';

-- sql/code/40_inbox/10_views.sql

-- What the inbox lists read. security_invoker: the caller's own policies decide the rows.

create or replace view public.conversation_list with (security_invoker = true) as
select
    c.id, c.org_id, c.whatsapp_account_id, c.contact_id, c.status, c.folder, c.assigned_to, c.window_expires_at, c.snoozed_until,
    c.unread_count, c.last_read_at, c.last_inbound_at, c.last_message_id, c.last_message_at, c.last_message_preview, c.last_message_type,
    c.last_message_direction, c.created_at, c.updated_at,
    -- Read where it is kept: statuses arrive by the thousand and must not rewrite conversations.
    m.status as last_message_status,
    coalesce(p.full_name, p.username) as contact_name,
    coalesce(p.phone, '+' || p.wa_id) as contact_phone,
    p.avatar_url as contact_avatar_url,
    p.opt_in_status as contact_opt_in_status,
    a.display_phone_number as account_display_phone_number
from public.conversations c
join public.contacts p on p.org_id = c.org_id and p.id = c.contact_id
join public.whatsapp_accounts a on a.id = c.whatsapp_account_id
left join public.messages m on m.id = c.last_message_id;
comment on view public.conversation_list is
    'Conversations with what a row of the inbox shows. Page by (last_message_at desc, id desc) within one org_id and folder.';

-- sql/code/40_inbox/20_conversations.sql

-- What a person does to a conversation: read, assign, resolve, snooze, start (PRD §6). Called by the inbox.
-- Must stay true: unread_count = inbound messages with created_at > last_read_at; the row lock orders readers and the applier.

create or replace function private.conversation_for(p_id uuid, p_permission text)
returns public.conversations
language plpgsql volatile
set search_path = ''
as $$
declare
    v_conversation public.conversations;
begin
    select c.* into v_conversation from public.conversations c where c.id = p_id and c.org_id = any (private.my_org_ids()) for no key update;
    if not found then
        perform private.raise_error('CONVERSATION_001');
    end if;
    perform private.require_permission(v_conversation.org_id, p_permission);
    return v_conversation;
end
$$;

-- A centred line in the chat ("Assigned to Aina by Ravi"); words are the UI's, payload carries the facts.
create or replace function private.add_system_message(p_conversation public.conversations, p_event text, p_payload jsonb default '{}')
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_id uuid;
begin
    insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, payload, status, sent_by)
    values (p_conversation.org_id, p_conversation.id, p_conversation.whatsapp_account_id, p_conversation.contact_id, 'internal', 'system',
        jsonb_build_object('event', p_event) || p_payload, 'received', (select auth.uid()))
    returning id into v_id;
    perform private.broadcast_messages(p_conversation.id, array[v_id]);
end
$$;

create or replace function public.mark_conversation_read(p_conversation_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
begin
    if v_conversation.unread_count = 0 then
        return;
    end if;
    update public.conversations set unread_count = 0, last_read_at = clock_timestamp(), updated_at = now() where id = p_conversation_id;
    perform private.broadcast_conversations(v_conversation.org_id, array[p_conversation_id]);
end
$$;
comment on function public.mark_conversation_read(uuid) is 'Errors: AUTH_003, CONVERSATION_001.';

create or replace function public.mark_conversation_unread(p_conversation_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
    v_last timestamptz;
begin
    select m.created_at into v_last from public.messages m
    where m.conversation_id = p_conversation_id and m.direction = 'inbound' order by m.created_at desc limit 1;
    if v_last is null or v_conversation.unread_count > 0 then
        return;
    end if;
    -- Just before the newest inbound message, so that a recount gives what is stored.
    update public.conversations c set
        last_read_at = v_last - interval '1 microsecond', updated_at = now(),
        unread_count = (select count(*) from public.messages m
            where m.conversation_id = p_conversation_id and m.direction = 'inbound' and m.created_at >= v_last)
    where c.id = p_conversation_id;
    perform private.broadcast_conversations(v_conversation.org_id, array[p_conversation_id]);
end
$$;
comment on function public.mark_conversation_unread(uuid) is 'From the contact''s last message on. Errors: AUTH_003, CONVERSATION_001.';

create or replace function public.assign_conversation(p_conversation_id uuid, p_user_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_conversation public.conversations;
begin
    -- Memberships before conversations, as when a member is removed: the right to answer holds until this commits.
    perform from public.conversations c join public.org_memberships m on m.org_id = c.org_id
    where c.id = p_conversation_id and c.org_id = any (private.my_org_ids()) and m.user_id = p_user_id
    for share of m;
    v_conversation := private.conversation_for(p_conversation_id, 'inbox.answer');
    if v_conversation.assigned_to is not distinct from p_user_id then
        return;
    end if;
    if p_user_id is not null and not private.member_has(v_conversation.org_id, p_user_id, 'inbox.answer') then
        perform private.raise_error('CONVERSATION_002');
    end if;
    update public.conversations set assigned_to = p_user_id, updated_at = now() where id = p_conversation_id;
    perform private.add_system_message(v_conversation, 'assigned', jsonb_build_object('user_id', p_user_id));
    perform private.record_activity(v_conversation.org_id, 'conversation.assigned', (select auth.uid()), v_conversation.contact_id,
        p_conversation_id, jsonb_build_object('user_id', p_user_id));
    if p_user_id is not null and p_user_id <> (select auth.uid()) then
        perform private.notify_members(v_conversation.org_id, array[p_user_id], 'conversation.assigned', 'high',
            jsonb_build_object('conversation_id', p_conversation_id, 'contact_id', v_conversation.contact_id, 'by', (select auth.uid())));
    end if;
    perform private.broadcast_conversations(v_conversation.org_id, array[p_conversation_id]);
end
$$;
comment on function public.assign_conversation(uuid, uuid) is 'null takes the assignment back. Errors: AUTH_003, CONVERSATION_001, CONVERSATION_002.';

create or replace function private.set_conversation_status(p_conversation_id uuid, p_status text, p_event text)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
    v_status text := p_status;
begin
    if p_status = 'open' and coalesce(v_conversation.window_expires_at <= private.clock(), true) then
        v_status := 'expired';
    end if;
    if v_conversation.status = v_status and v_conversation.snoozed_until is null then
        return;
    end if;
    update public.conversations set status = v_status, snoozed_until = null, is_quiet = false, updated_at = now() where id = p_conversation_id;
    perform private.add_system_message(v_conversation, p_event);
    perform private.record_activity(v_conversation.org_id, 'conversation.' || p_event, (select auth.uid()), v_conversation.contact_id, p_conversation_id);
    perform private.broadcast_conversations(v_conversation.org_id, array[p_conversation_id]);
end
$$;

create or replace function public.resolve_conversation(p_conversation_id uuid)
returns void
language sql volatile security definer
set search_path = ''
as $$ select private.set_conversation_status(p_conversation_id, 'resolved', 'resolved') $$;
comment on function public.resolve_conversation(uuid) is 'Errors: AUTH_003, CONVERSATION_001.';

create or replace function public.reopen_conversation(p_conversation_id uuid)
returns void
language sql volatile security definer
set search_path = ''
as $$ select private.set_conversation_status(p_conversation_id, 'open', 'reopened') $$;
comment on function public.reopen_conversation(uuid) is 'Becomes open, or expired when the 24-hour window is over. Errors: AUTH_003, CONVERSATION_001.';

create or replace function public.snooze_conversation(p_conversation_id uuid, p_until timestamptz)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
begin
    if p_until is null or p_until <= private.clock() or p_until > private.clock() + interval '1 year' then
        perform private.raise_error('CONVERSATION_003');
    end if;
    update public.conversations set status = 'pending', snoozed_until = p_until, updated_at = now() where id = p_conversation_id;
    perform private.add_system_message(v_conversation, 'snoozed', jsonb_build_object('until', p_until));
    perform private.broadcast_conversations(v_conversation.org_id, array[p_conversation_id]);
end
$$;
comment on function public.snooze_conversation(uuid, timestamptz) is
    'pending until then, or until the contact writes; at most a year ahead. Errors: AUTH_003, CONVERSATION_001, CONVERSATION_003.';

create or replace function public.start_conversation(p_contact_id uuid, p_whatsapp_account_id uuid)
returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_contact public.contacts := private.contact_for(p_contact_id, 'inbox.answer');
    v_id uuid;
begin
    if v_contact.deleted_at is not null then
        perform private.raise_error('CONTACT_004');
    end if;
    if not exists (
        select from public.whatsapp_accounts a where a.id = p_whatsapp_account_id and a.org_id = v_contact.org_id and a.status <> 'disconnected'
    ) then
        perform private.raise_error('WA_006');
    end if;
    -- Nobody has written yet: there is no window, so only templates can go out.
    insert into public.conversations (org_id, whatsapp_account_id, contact_id, status)
    values (v_contact.org_id, p_whatsapp_account_id, p_contact_id, 'expired')
    on conflict (whatsapp_account_id, contact_id) do nothing
    returning id into v_id;
    if v_id is not null then
        perform private.broadcast_conversations(v_contact.org_id, array[v_id]);
        return v_id;
    end if;
    select c.id into v_id from public.conversations c where c.whatsapp_account_id = p_whatsapp_account_id and c.contact_id = p_contact_id;
    return v_id;
end
$$;
comment on function public.start_conversation(uuid, uuid) is
    'The conversation of a contact on a number, made when there is none. Errors: AUTH_003, CONTACT_001, CONTACT_004, WA_006.';

-- sql/code/40_inbox/30_messages.sql

-- What a person says: messages, notes, another try. Called by the composer.
-- Must stay true: the same client_key never makes two messages; nothing enters the outbox that private.send_refusal would refuse.

create or replace function private.queue_message(p_message_id uuid, p_lane integer)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    insert into private.outbox (message_id, org_id, whatsapp_account_id, conversation_id, lane)
    select m.id, m.org_id, m.whatsapp_account_id, m.conversation_id, p_lane from public.messages m where m.id = p_message_id;
    perform pg_catalog.pg_notify('octopush_send', '');
end
$$;

create or replace function private.touch_conversation(p_conversation_id uuid, p_message public.messages)
returns void
language sql volatile
set search_path = ''
as $$
    update public.conversations set
        last_message_id = p_message.id, last_message_at = p_message.occurred_at, last_message_type = p_message.type,
        last_message_preview = left(p_message.body, 160), last_message_direction = p_message.direction,
        is_quiet = false, updated_at = now()
    where id = p_conversation_id
$$;

create or replace function private.check_message_content(p_type text, p_body text, p_payload jsonb)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    -- Limits: reference/whatsapp.md §6.2. Media is offered when the issue that brings uploads lands.
    if p_type = 'text' then
        if p_body is null or btrim(p_body, E' \t\r\n') = '' or length(p_body) > 4096 then
            perform private.raise_error('MESSAGE_002', '{"limit": 4096}');
        end if;
        if p_payload is not null then
            perform private.raise_error('MESSAGE_003', '{"field": "payload"}');
        end if;
        return;
    end if;
    if length(p_body) > 1024 then
        perform private.raise_error('MESSAGE_002', '{"limit": 1024}');
    end if;
    if length(p_payload::text) > 60000 then
        perform private.raise_error('MESSAGE_003', '{"field": "payload"}');
    end if;
    if p_type in ('image', 'video', 'document', 'audio', 'sticker') then
        if coalesce(p_payload ->> 'link', '') !~ '^https://[^\s]+$' or length(p_payload ->> 'link') > 2000 then
            perform private.raise_error('MESSAGE_003', '{"field": "payload.link"}');
        end if;
    elsif p_type = 'location' then
        if jsonb_typeof(p_payload -> 'latitude') is distinct from 'number' or jsonb_typeof(p_payload -> 'longitude') is distinct from 'number' then
            perform private.raise_error('MESSAGE_003', '{"field": "payload"}');
        end if;
        if abs((p_payload ->> 'latitude')::numeric) > 90 or abs((p_payload ->> 'longitude')::numeric) > 180 then
            perform private.raise_error('MESSAGE_003', '{"field": "payload"}');
        end if;
    elsif p_type in ('interactive', 'contacts', 'template') then
        if p_payload is null or jsonb_typeof(p_payload) not in ('object', 'array') then
            perform private.raise_error('MESSAGE_003', '{"field": "payload"}');
        end if;
    else
        perform private.raise_error('MESSAGE_003', jsonb_build_object('field', 'type', 'type', p_type));
    end if;
end
$$;

create or replace function public.send_message(
    p_conversation_id uuid,
    p_client_key text,
    p_type text default 'text',
    p_body text default null,
    p_payload jsonb default null,
    p_reply_to uuid default null
) returns public.messages
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
    v_message public.messages;
    v_refusal text;
    v_quoted text;
begin
    if p_client_key is null or length(p_client_key) not between 8 and 100 then
        perform private.raise_error('MESSAGE_005');
    end if;
    select m.* into v_message from public.messages m where m.org_id = v_conversation.org_id and m.client_key = p_client_key;
    if found then
        if v_message.conversation_id <> p_conversation_id or v_message.type is distinct from p_type or v_message.direction <> 'outbound'
            or v_message.body is distinct from p_body or v_message.payload is distinct from p_payload
            or v_message.reply_to_message_id is distinct from p_reply_to then
            perform private.raise_error('MESSAGE_005');
        end if;
        return v_message;
    end if;
    perform private.check_message_content(p_type, p_body, p_payload);
    v_refusal := private.may_send(p_conversation_id, p_type);
    if v_refusal is not null then
        perform private.raise_error(v_refusal, jsonb_build_object('window_expires_at', v_conversation.window_expires_at));
    end if;
    if p_reply_to is not null then
        select m.wa_message_id into v_quoted from public.messages m where m.id = p_reply_to and m.conversation_id = p_conversation_id;
        if not found then
            perform private.raise_error('MESSAGE_001');
        end if;
    end if;
    insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, payload, status,
        client_key, sent_by, reply_to_message_id, reply_to_wa_message_id)
    values (v_conversation.org_id, p_conversation_id, v_conversation.whatsapp_account_id, v_conversation.contact_id, 'outbound', p_type,
        p_body, p_payload, 'pending', p_client_key, (select auth.uid()), p_reply_to, v_quoted)
    on conflict (org_id, client_key) where client_key is not null do nothing
    returning * into v_message;
    if not found then
        -- Used at this very moment in another conversation: the lock above orders one conversation only.
        perform private.raise_error('MESSAGE_005');
    end if;
    perform private.touch_conversation(p_conversation_id, v_message);
    perform private.queue_message(v_message.id, 0);
    perform private.broadcast_messages(p_conversation_id, array[v_message.id]);
    perform private.broadcast_conversations(v_conversation.org_id, array[p_conversation_id]);
    return v_message;
end
$$;
comment on function public.send_message(uuid, text, text, text, jsonb, uuid) is
    'Queues a message. p_client_key: 8–100 characters, the same key again returns the same message. p_type: text | image | video | audio | document | sticker | location | interactive | contacts. Errors: AUTH_003, CONVERSATION_001, MESSAGE_001–003, MESSAGE_005, WA_002, WA_005, WA_006, CONTACT_004.';

create or replace function public.add_note(p_conversation_id uuid, p_body text, p_client_key text)
returns public.messages
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
    v_message public.messages;
begin
    if p_body is null or btrim(p_body, E' \t\r\n') = '' or length(p_body) > 4096 then
        perform private.raise_error('MESSAGE_002', '{"limit": 4096}');
    end if;
    if p_client_key is null or length(p_client_key) not between 8 and 100 then
        perform private.raise_error('MESSAGE_005');
    end if;
    select m.* into v_message from public.messages m where m.org_id = v_conversation.org_id and m.client_key = p_client_key;
    if found then
        if v_message.type <> 'note' or v_message.conversation_id <> p_conversation_id or v_message.body <> p_body then
            perform private.raise_error('MESSAGE_005');
        end if;
        return v_message;
    end if;
    insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, status, client_key, sent_by)
    values (v_conversation.org_id, p_conversation_id, v_conversation.whatsapp_account_id, v_conversation.contact_id, 'internal', 'note',
        p_body, 'received', p_client_key, (select auth.uid()))
    on conflict (org_id, client_key) where client_key is not null do nothing
    returning * into v_message;
    if not found then
        perform private.raise_error('MESSAGE_005');
    end if;
    perform private.record_activity(v_conversation.org_id, 'conversation.note_added', (select auth.uid()), v_conversation.contact_id, p_conversation_id);
    perform private.broadcast_messages(p_conversation_id, array[v_message.id]);
    return v_message;
end
$$;
comment on function public.add_note(uuid, text, text) is
    'An internal note: a message of direction internal, which no sender ever claims. Errors: AUTH_003, CONVERSATION_001, MESSAGE_002, MESSAGE_005.';

create or replace function public.retry_message(p_message_id uuid)
returns public.messages
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_message public.messages;
    v_conversation public.conversations;
    v_refusal text;
begin
    select m.* into v_message from public.messages m where m.id = p_message_id and m.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('MESSAGE_001');
    end if;
    v_conversation := private.conversation_for(v_message.conversation_id, 'inbox.answer');
    select m.* into v_message from public.messages m where m.id = p_message_id for no key update;
    -- An uncertain message may have reached the customer; sending it again is a person's decision, made with a new message.
    if v_message.direction <> 'outbound' or v_message.status <> 'failed' or v_message.is_uncertain then
        perform private.raise_error('MESSAGE_004');
    end if;
    v_refusal := private.may_send(v_message.conversation_id, v_message.type);
    if v_refusal is not null then
        perform private.raise_error(v_refusal, jsonb_build_object('window_expires_at', v_conversation.window_expires_at));
    end if;
    update public.messages m set
        send_try = m.send_try + 1, status = 'pending', wa_message_id = null, error_code = null, error_message = null, failed_at = null, accepted_at = null, sent_at = null,
        occurred_at = clock_timestamp()
    where m.id = p_message_id returning m.* into v_message;
    perform private.touch_conversation(v_message.conversation_id, v_message);
    perform private.queue_message(p_message_id, 0);
    perform private.broadcast_messages(v_message.conversation_id, array[p_message_id]);
    perform private.broadcast_conversations(v_message.org_id, array[v_message.conversation_id]);
    return v_message;
end
$$;
comment on function public.retry_message(uuid) is 'Sends a failed message again. Errors: AUTH_003, MESSAGE_001, MESSAGE_004, WA_002, WA_005, WA_006, CONTACT_004.';

-- sql/code/40_inbox/40_search.sql

-- Search of the inbox: names, phones and message text (PRD §6.2). Definer, because the operators of trigram and full-text search are
-- not leakproof: behind a policy they could not use their indexes. The organisation is checked first and leads every query.

create or replace function public.search_conversations(p_org_id uuid, p_query text, p_limit integer default 30)
returns table (conversation_id uuid, matched text, snippet text, message_id uuid, occurred_at timestamptz)
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_query text := lower(btrim(left(coalesce(p_query, ''), 200)));
    v_pattern text := '%' || replace(replace(replace(v_query, '\', '\\'), '%', '\%'), '_', '\_') || '%';
    v_words tsquery := plainto_tsquery('simple', v_query);
    v_limit integer := least(greatest(coalesce(p_limit, 30), 1), 100);
begin
    perform private.require_permission(p_org_id, 'read');
    if length(v_query) < 2 then
        return;
    end if;
    -- The last word may be half typed. Punctuation alone leaves no words, and matches no message.
    if numnode(v_words) > 0 then
        v_words := (v_words::text || ':*')::tsquery;
    end if;
    return query
    with people as (
        select c.id, 'contact'::text as matched, null::text as snippet, null::uuid as message_id, c.last_message_at as at
        from public.contacts p
        join public.conversations c on c.org_id = p.org_id and c.contact_id = p.id
        where p.org_id = p_org_id and p.search_text like v_pattern and p.deleted_at is null
        order by c.last_message_at desc limit v_limit
    ), words as (
        select m.conversation_id, m.id, m.body, m.occurred_at
        from public.messages m
        where m.org_id = p_org_id
            and to_tsvector('simple', coalesce(m.body, '')) @@ v_words
        order by m.id desc limit 200
    ), texts as (
        select distinct on (w.conversation_id) w.conversation_id, w.body, w.id, w.occurred_at
        from words w order by w.conversation_id, w.occurred_at desc
    ), found as (
        select p.id, p.matched, p.snippet, p.message_id, p.at from people p
        union all
        select t.conversation_id, 'message', substr(t.body, greatest(position(v_query in lower(t.body)) - 40, 1), 160), t.id, t.occurred_at
        from texts t
        join public.conversations c on c.id = t.conversation_id
        join public.contacts p on p.org_id = c.org_id and p.id = c.contact_id and p.deleted_at is null
        where t.conversation_id not in (select p.id from people p)
    )
    select f.id, f.matched, f.snippet, f.message_id, f.at from found f order by (f.matched = 'contact') desc, f.at desc limit v_limit;
end
$$;
comment on function public.search_conversations(uuid, text, integer) is
    'Conversations whose contact (name, phone, e-mail, company) or messages match, at least two letters; matched: contact | message. Errors: AUTH_002, ORG_001.';

-- sql/code/40_inbox/50_apply_messages.sql

-- Inbound messages, applied in batches inside the applier's transaction. Called by octopush_worker only.
-- Must stay true: one Meta message id makes one row however often it is delivered; the window follows Meta's timestamps and never
-- moves back; conversations are locked before messages are written, so that unread counts equal a recount.

-- Finds or makes the contact; what is news about a known one is for private.enrich_contacts.
create or replace function private.resolve_contact(p_org_id uuid, p_wa_id text, p_bsuid text, p_profile_name text, p_username text)
returns uuid
language plpgsql volatile
set search_path = ''
as $$
declare
    v_wa_id text := case when p_wa_id ~ '^[0-9]{5,20}$' then p_wa_id end;
    v_bsuid text := case when length(p_bsuid) between 4 and 140 then p_bsuid end;
    v_phone text := case when p_wa_id ~ '^[1-9][0-9]{6,14}$' then '+' || p_wa_id end;
    v_id uuid;
begin
    if v_wa_id is null and v_bsuid is null then
        return null;
    end if;
    -- Twice: a first writer elsewhere may win between our look and our insert.
    for i in 1..2 loop
        -- A phone names the person when both are given: sources disagree (reference/whatsapp.md §2.2), and a phone is what people recognise.
        select c.id into v_id from public.contacts c
        -- A phone somebody typed is a hint: it names nobody who is known by another WhatsApp number.
        where c.org_id = p_org_id and (c.wa_id = v_wa_id or (c.phone = v_phone and c.wa_id is null) or c.bsuid = v_bsuid)
        order by (c.wa_id = v_wa_id) desc nulls last, (c.phone = v_phone and c.wa_id is null) desc nulls last limit 1;
        if found then
            return v_id;
        end if;
        insert into public.contacts (org_id, phone, wa_id, bsuid, full_name, username, source)
        values (p_org_id, case when not exists (select from public.contacts x where x.org_id = p_org_id and x.phone = v_phone) then v_phone end, v_wa_id, v_bsuid, nullif(left(btrim(p_profile_name), 200), ''), left(ltrim(p_username, '@'), 100), 'whatsapp')
        on conflict do nothing
        returning id into v_id;
        if found then
            insert into public.activity_log (org_id, kind, contact_id, data)
            values (p_org_id, 'contact.created', v_id, '{"source": "whatsapp"}');
            return v_id;
        end if;
    end loop;
    raise exception 'contact of % could not be resolved', p_org_id using errcode = 'serialization_failure';
end
$$;

-- What the senders of a batch tell about contacts that exist. Locks all of them in one order, so that appliers cannot wait for each other.
create or replace function private.enrich_contacts(p_senders jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_sender record;
begin
    perform c.id from public.contacts c
    where c.id in (select s.contact_id from jsonb_to_recordset(p_senders) as s (contact_id uuid))
    order by c.id for no key update;
    for v_sender in
        select c.id, c.org_id, s.name, s.username, s.wa_id, s.bsuid
        from (
            select x.contact_id, nullif(left(btrim(x.profile_name), 200), '') as name, left(ltrim(x.username, '@'), 100) as username,
                case when x.wa_id ~ '^[0-9]{5,20}$' then x.wa_id end as wa_id,
                case when length(x.bsuid) between 4 and 140 then x.bsuid end as bsuid
            from jsonb_to_recordset(p_senders) as x (contact_id uuid, profile_name text, username text, wa_id text, bsuid text)
        ) s
        join public.contacts c on c.id = s.contact_id
        where (c.wa_id is distinct from s.wa_id and s.wa_id is not null) or (c.bsuid is null and s.bsuid is not null)
            or (c.full_name is null and s.name is not null) or c.deleted_at is not null
            or (s.username is not null and c.username is distinct from s.username)
    loop
        update public.contacts c set
            -- Known by BSUID and writing from a new number: answers go where the person is now.
            wa_id = case when v_sender.wa_id is null or exists (
                select from public.contacts x where x.org_id = v_sender.org_id and x.wa_id = v_sender.wa_id) then c.wa_id else v_sender.wa_id end,
            bsuid = coalesce(c.bsuid, case when not exists (
                select from public.contacts x where x.org_id = v_sender.org_id and x.bsuid = v_sender.bsuid) then v_sender.bsuid end),
            full_name = coalesce(c.full_name, v_sender.name),
            username = coalesce(v_sender.username, c.username),
            -- Someone who writes is a contact again: an answer must be possible.
            deleted_at = null,
            updated_at = clock_timestamp()
        where c.id = v_sender.id;
    end loop;
end
$$;

-- The events with contact_id, null where the sender has no identity we could answer to.
create or replace function private.with_contacts(p_events jsonb)
returns jsonb
language plpgsql volatile
set search_path = ''
as $$
declare
    v_senders jsonb;
begin
    with senders as materialized (
        select distinct on (x.org_id, x.wa_id, x.bsuid) x.*
        from jsonb_to_recordset(p_events) as x (org_id uuid, wa_id text, bsuid text, profile_name text, username text, occurred_at timestamptz)
        order by x.org_id, x.wa_id, x.bsuid, x.occurred_at desc
    ), resolved as materialized (
        select s.*, private.resolve_contact(s.org_id, s.wa_id, s.bsuid, s.profile_name, s.username) as contact_id from senders s
    )
    select jsonb_agg(to_jsonb(r)) into v_senders from resolved r;
    perform private.enrich_contacts(v_senders);
    return (
        select jsonb_agg(e.value || jsonb_build_object('contact_id', s.contact_id))
        from jsonb_array_elements(p_events) e
        join jsonb_to_recordset(v_senders) as s (org_id uuid, wa_id text, bsuid text, contact_id uuid)
            on s.org_id = (e.value ->> 'org_id')::uuid
            and s.wa_id is not distinct from e.value ->> 'wa_id' and s.bsuid is not distinct from e.value ->> 'bsuid'
    );
end
$$;

create or replace function private.apply_reactions(p_reactions jsonb)
returns uuid[]
language plpgsql volatile
set search_path = ''
as $$
declare
    v_conversation_ids uuid[];
begin
    perform m.id from public.messages m
    where (m.whatsapp_account_id, m.wa_message_id) in (
        select r.whatsapp_account_id, r.target from jsonb_to_recordset(p_reactions) as r (whatsapp_account_id uuid, target text))
    order by m.id for no key update;

    with newest as (
        select distinct on (r.whatsapp_account_id, r.target) r.*
        from jsonb_to_recordset(p_reactions) as r (whatsapp_account_id uuid, target text, emoji text, occurred_at timestamptz)
        order by r.whatsapp_account_id, r.target, r.occurred_at desc
    ), changed as (
        update public.messages m
        set reactions = m.reactions || jsonb_build_object('contact', jsonb_build_object('emoji', n.emoji, 'at', n.occurred_at))
        from newest n
        where m.whatsapp_account_id = n.whatsapp_account_id and m.wa_message_id = n.target
            -- Meta's times have seconds: within one the later arrival wins.
            and coalesce((m.reactions #>> '{contact,at}')::timestamptz <= n.occurred_at, true)
        returning m.id, m.conversation_id
    ), told as (
        select private.broadcast_messages(c.conversation_id, array_agg(c.id)) from changed c group by c.conversation_id
    )
    select array_agg(distinct c.conversation_id) into v_conversation_ids from changed c, (select count(*) from told) t;
    return v_conversation_ids;
end
$$;

create or replace function worker.apply_messages(p_events jsonb)
returns table (webhook_event_id bigint, problem text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_events jsonb;
    v_new_conversation_ids uuid[];
    v_inserted jsonb;
    v_org record;
begin
    -- What no connected number of ours received is reported back, and stays visible as a rejected webhook.
    return query
    select distinct e.webhook_event_id, 'no connected number ' || coalesce(e.phone_number_id, '?')
    from jsonb_to_recordset(p_events) as e (webhook_event_id bigint, phone_number_id text)
    where not exists (select from public.whatsapp_accounts a where a.phone_number_id = e.phone_number_id and a.is_receiving);

    -- One event a Meta message id; a real message beats the 131060 placeholder that may come before or after it under the same id.
    select jsonb_agg(to_jsonb(x)) into v_events from (
        select distinct on (a.id, e.wa_message_id) a.org_id, a.id as whatsapp_account_id, e.*
        from jsonb_to_recordset(p_events) as e (
            webhook_event_id bigint, phone_number_id text, wa_id text, bsuid text, profile_name text, username text, wa_message_id text, occurred_at timestamptz,
            type text, body text, payload jsonb, reply_to text, is_placeholder boolean, reaction_to text, opens_window boolean)
        join public.whatsapp_accounts a on a.phone_number_id = e.phone_number_id and a.is_receiving
        left join public.messages m on m.whatsapp_account_id = a.id and m.wa_message_id = e.wa_message_id
        where m.id is null or (not e.is_placeholder and m.type = 'unsupported' and (m.payload ->> 'is_placeholder')::boolean)
        order by a.id, e.wa_message_id, e.is_placeholder
    ) x;
    if v_events is null then
        return;
    end if;

    -- Locks are taken in one order everywhere: contacts, conversations, messages, outbox.
    v_events := private.with_contacts(v_events);
    return query
    select distinct e.webhook_event_id, 'a sender without a phone number or user id'
    from jsonb_to_recordset(v_events) as e (webhook_event_id bigint, contact_id uuid) where e.contact_id is null;

    with made as (
        insert into public.conversations (org_id, whatsapp_account_id, contact_id, last_message_at)
        select distinct on (e.whatsapp_account_id, e.contact_id) e.org_id, e.whatsapp_account_id, e.contact_id, e.occurred_at
        from jsonb_to_recordset(v_events) as e (org_id uuid, whatsapp_account_id uuid, contact_id uuid, occurred_at timestamptz)
        where e.contact_id is not null
        order by e.whatsapp_account_id, e.contact_id, e.occurred_at
        on conflict (whatsapp_account_id, contact_id) do nothing
        returning id
    )
    select coalesce(array_agg(id), '{}') into v_new_conversation_ids from made;

    perform c.id from public.conversations c
    where (c.whatsapp_account_id, c.contact_id) in (
        select e.whatsapp_account_id, e.contact_id from jsonb_to_recordset(v_events) as e (whatsapp_account_id uuid, contact_id uuid))
    order by c.id for no key update;

    with written as (
        insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, payload, wa_message_id,
            reply_to_wa_message_id, reply_to_message_id, status, occurred_at)
        select e.org_id, c.id, e.whatsapp_account_id, e.contact_id, 'inbound',
            case when e.type in ('text', 'image', 'video', 'audio', 'document', 'sticker', 'location', 'contacts', 'interactive', 'button',
                'reaction', 'order', 'system') then e.type else 'unsupported' end,
            left(e.body, 10000),
            case when e.is_placeholder then coalesce(e.payload, '{}') || '{"is_placeholder": true}' else e.payload end,
            e.wa_message_id, e.reply_to, q.id, 'received', e.occurred_at
        from jsonb_to_recordset(v_events) as e (
            org_id uuid, whatsapp_account_id uuid, contact_id uuid, wa_message_id text, occurred_at timestamptz, type text, body text,
            payload jsonb, reply_to text, is_placeholder boolean, reaction_to text)
        join public.conversations c on c.whatsapp_account_id = e.whatsapp_account_id and c.contact_id = e.contact_id
        left join public.messages q on q.whatsapp_account_id = e.whatsapp_account_id and q.wa_message_id = e.reply_to
        -- A reaction is shown on its message; it becomes a row of its own only when we never saw that message.
        where e.reaction_to is null or not exists (
            select from public.messages t where t.whatsapp_account_id = e.whatsapp_account_id and t.wa_message_id = e.reaction_to
            union all
            select from jsonb_to_recordset(v_events) as t (whatsapp_account_id uuid, wa_message_id text, reaction_to text)
            where t.whatsapp_account_id = e.whatsapp_account_id and t.wa_message_id = e.reaction_to and t.reaction_to is null)
        order by e.occurred_at, e.wa_message_id
        on conflict (whatsapp_account_id, wa_message_id) where wa_message_id is not null do update
        set type = excluded.type, body = excluded.body, payload = excluded.payload
        where messages.type = 'unsupported' and (messages.payload ->> 'is_placeholder')::boolean and excluded.type <> 'unsupported'
        returning id, org_id, conversation_id, contact_id, wa_message_id, type, body, occurred_at, reply_to_wa_message_id, reply_to_message_id,
            xmax = 0 as is_new
    )
    select jsonb_agg(to_jsonb(w)) into v_inserted from written w;

    perform private.apply_reactions(jsonb_agg(jsonb_build_object('whatsapp_account_id', e.whatsapp_account_id, 'target', e.reaction_to,
        'emoji', e.body, 'occurred_at', e.occurred_at)))
    from jsonb_to_recordset(v_events) as e (whatsapp_account_id uuid, reaction_to text, body text, occurred_at timestamptz)
    where e.reaction_to is not null
    having count(*) > 0;

    if v_inserted is null then
        return;
    end if;
    -- Answers to messages of the same batch, which the insert above could not see.
    update public.messages m set reply_to_message_id = q.id
    from jsonb_to_recordset(v_inserted) as i (id uuid, reply_to_wa_message_id text, reply_to_message_id uuid), public.messages q
    where i.reply_to_wa_message_id is not null and i.reply_to_message_id is null and m.id = i.id
        and q.whatsapp_account_id = m.whatsapp_account_id and q.wa_message_id = m.reply_to_wa_message_id;
    perform private.fold_inbound(v_events, v_inserted, v_new_conversation_ids);
    for v_org in
        select i.org_id, array_agg(distinct i.conversation_id) as conversation_ids
        from jsonb_to_recordset(v_inserted) as i (org_id uuid, conversation_id uuid) group by i.org_id
    loop
        perform private.broadcast_conversations(v_org.org_id, v_org.conversation_ids);
        perform private.broadcast('org:' || v_org.org_id, 'activity', '{}');
    end loop;
    perform private.broadcast_messages(i.conversation_id, array_agg(i.id))
    from jsonb_to_recordset(v_inserted) as i (id uuid, conversation_id uuid) group by i.conversation_id;
end
$$;
comment on function worker.apply_messages(jsonb) is
    '[{webhook_event_id, phone_number_id, wa_id?, bsuid?, profile_name?, username?, wa_message_id, occurred_at, type, body?, payload?, reply_to?, is_placeholder, reaction_to?, opens_window}] → webhooks that name no connected number.';

-- What new inbound messages mean for their conversations, contacts, the feed and the people on duty.
create or replace function private.fold_inbound(p_events jsonb, p_inserted jsonb, p_new_conversation_ids uuid[])
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_waiting record;
begin
    with news as (
        select i.*, coalesce(e.opens_window, false) as opens_window
        from jsonb_to_recordset(p_inserted) as i (
            id uuid, org_id uuid, conversation_id uuid, contact_id uuid, wa_message_id text, type text, body text, occurred_at timestamptz, is_new boolean)
        join jsonb_to_recordset(p_events) as e (contact_id uuid, wa_message_id text, opens_window boolean)
            on e.wa_message_id = i.wa_message_id and e.contact_id = i.contact_id
    ), folded as (
        select n.conversation_id, count(*) filter (where n.is_new) as unread,
            max(n.occurred_at) filter (where n.opens_window) as last_opening, max(n.occurred_at) as last_inbound,
            (array_agg(n.id order by n.occurred_at desc, n.id desc))[1] as id,
            (array_agg(n.type order by n.occurred_at desc, n.id desc))[1] as type,
            (array_agg(n.body order by n.occurred_at desc, n.id desc))[1] as body
        from news n group by n.conversation_id
    )
    update public.conversations c set
        unread_count = c.unread_count + f.unread,
        -- 24 hours from Meta's time of the message (reference/whatsapp.md §9.3). An old message that arrives late moves nothing back.
        window_expires_at = greatest(c.window_expires_at, f.last_opening + interval '24 hours'),
        last_inbound_at = greatest(c.last_inbound_at, f.last_inbound),
        is_quiet = false,
        snoozed_until = case when f.last_opening is null then c.snoozed_until end,
        status = case
            when f.last_opening is null then c.status
            when greatest(c.window_expires_at, f.last_opening + interval '24 hours') > private.clock() then 'open'
            else 'expired' end,
        last_message_id = case when f.last_inbound >= c.last_message_at or c.last_message_id is null then f.id else c.last_message_id end,
        last_message_type = case when f.last_inbound >= c.last_message_at or c.last_message_id is null then f.type else c.last_message_type end,
        last_message_direction = case when f.last_inbound >= c.last_message_at or c.last_message_id is null then 'inbound' else c.last_message_direction end,
        last_message_preview = case when f.last_inbound >= c.last_message_at or c.last_message_id is null then left(f.body, 160) else c.last_message_preview end,
        last_message_at = greatest(c.last_message_at, f.last_inbound),
        updated_at = now()
    from folded f where c.id = f.conversation_id;

    update public.contacts p set last_message_at = greatest(p.last_message_at, l.at)
    from (
        select i.contact_id, max(i.occurred_at) as at from jsonb_to_recordset(p_inserted) as i (contact_id uuid, occurred_at timestamptz)
        group by i.contact_id
    ) l where p.id = l.contact_id;

    insert into public.activity_log (org_id, kind, contact_id, conversation_id, data)
    select i.org_id, case when i.conversation_id = any (p_new_conversation_ids) then 'conversation.created' else 'message.received' end,
        i.contact_id, i.conversation_id, jsonb_build_object('messages', count(*))
    from jsonb_to_recordset(p_inserted) as i (org_id uuid, conversation_id uuid, contact_id uuid, is_new boolean)
    where i.is_new group by i.org_id, i.conversation_id, i.contact_id;

    for v_waiting in
        select c.org_id, c.id, c.contact_id from public.conversations c where c.id = any (p_new_conversation_ids) and c.assigned_to is null
    loop
        perform private.notify_members(v_waiting.org_id, private.members_with(v_waiting.org_id, 'inbox.answer'), 'conversation.unassigned',
            'normal', jsonb_build_object('conversation_id', v_waiting.id, 'contact_id', v_waiting.contact_id));
    end loop;
end
$$;

-- sql/code/40_inbox/60_apply_statuses.sql

-- Delivery statuses, applied in batches inside the applier's transaction. Called by octopush_worker only.
-- Must stay true: status only climbs pending < sent < failed < delivered < read, whatever the order of arrival (a later delivery proves a
-- failure wrong); the first time of each state is kept; a status of a message we cannot name yet is parked, not lost.

create or replace function private.status_rank(p_status text)
returns integer
language sql immutable parallel safe
set search_path = ''
as $$ select array_position(array['pending', 'sent', 'failed', 'delivered', 'read'], p_status) $$;

-- p_events: [{message_id, status, occurred_at, wa_message_id, error_code, error_message}], message_id known.
create or replace function private.settle_statuses(p_events jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_changed jsonb;
begin
    perform m.id from public.messages m
    where m.id in (select e.message_id from jsonb_to_recordset(p_events) as e (message_id uuid))
    order by m.id for no key update;

    with folded as (
        select e.message_id,
            (array_agg(e.status order by private.status_rank(e.status) desc))[1] as status,
            min(e.occurred_at) filter (where e.status = 'sent') as sent_at,
            min(e.occurred_at) filter (where e.status = 'delivered') as delivered_at,
            min(e.occurred_at) filter (where e.status = 'read') as read_at,
            min(e.occurred_at) filter (where e.status = 'failed') as failed_at,
            max(e.wa_message_id) as wa_message_id,
            max(e.error_code) as error_code, max(e.error_message) as error_message
        from jsonb_to_recordset(p_events) as e (message_id uuid, status text, occurred_at timestamptz, wa_message_id text, error_code text, error_message text)
        where private.status_rank(e.status) is not null
        group by e.message_id
    ), climbed as (
        select m.id, case when private.status_rank(f.status) > private.status_rank(m.status) then f.status else m.status end as status,
            coalesce(m.wa_message_id, f.wa_message_id) as wa_message_id,
            -- A message that was delivered was sent: Meta skips states (reference/whatsapp.md §4).
            least(m.sent_at, f.sent_at, f.delivered_at, f.read_at) as sent_at,
            least(m.delivered_at, f.delivered_at, f.read_at) as delivered_at,
            least(m.read_at, f.read_at) as read_at,
            least(m.failed_at, f.failed_at) as failed_at,
            coalesce(f.error_code, m.error_code) as error_code, coalesce(f.error_message, m.error_message) as error_message
        from folded f join public.messages m on m.id = f.message_id
    ), changed as (
        update public.messages m set
            status = c.status, wa_message_id = c.wa_message_id, is_uncertain = false, accepted_at = coalesce(m.accepted_at, now()),
            sent_at = c.sent_at, delivered_at = c.delivered_at, read_at = c.read_at, failed_at = c.failed_at,
            error_code = case when c.status = 'failed' then c.error_code end,
            error_message = case when c.status = 'failed' then c.error_message end
        from climbed c
        where m.id = c.id and (m.is_uncertain
            or (m.status, m.wa_message_id, m.sent_at, m.delivered_at, m.read_at, m.failed_at)
                is distinct from (c.status, c.wa_message_id, c.sent_at, c.delivered_at, c.read_at, c.failed_at))
        returning m.id, m.org_id, m.conversation_id
    )
    select jsonb_agg(to_jsonb(c)) into v_changed from changed c;
    if v_changed is null then
        return;
    end if;

    -- Meta knows these messages: they must never be handed over again, whatever became of our own record of the call.
    delete from private.outbox o using jsonb_to_recordset(v_changed) as c (id uuid) where o.message_id = c.id;
    perform private.broadcast_messages(c.conversation_id, array_agg(c.id))
    from jsonb_to_recordset(v_changed) as c (id uuid, conversation_id uuid) group by c.conversation_id;
    perform private.broadcast_conversations(v.org_id, array_agg(v.id))
    from jsonb_to_recordset(v_changed) as c (id uuid, conversation_id uuid)
    join public.conversations v on v.id = c.conversation_id and v.last_message_id = c.id and not v.is_quiet
    group by v.org_id;
end
$$;

-- The events whose message we know, with message_id: by Meta's id, or by ours that travelled with the message.
create or replace function private.known_statuses(p_events jsonb)
returns jsonb
language sql volatile
set search_path = ''
as $$
    select jsonb_agg(to_jsonb(x)) from (
        select coalesce(m.id, t.id) as message_id, e.status, e.occurred_at, e.phone_number_id, e.wa_message_id, e.error_code, e.error_message
        from jsonb_to_recordset(p_events) as e (
            phone_number_id text, wa_message_id text, message_id uuid, send_try integer, status text, occurred_at timestamptz,
            error_code text, error_message text)
        -- Whatever became of the number since: what it sent is ours.
        join public.whatsapp_accounts a on a.phone_number_id = e.phone_number_id
        left join public.messages m on m.whatsapp_account_id = a.id and m.wa_message_id = e.wa_message_id
        left join public.messages t on m.id is null and t.id = e.message_id and t.whatsapp_account_id = a.id
            and t.direction = 'outbound' and t.send_try = e.send_try and t.wa_message_id is null
        where coalesce(m.direction, t.direction) = 'outbound'
    ) x
$$;

-- The events that are not in p_known.
create or replace function private.other_statuses(p_events jsonb, p_known jsonb)
returns jsonb
language sql immutable
set search_path = ''
as $$
    select jsonb_agg(e.value) from jsonb_array_elements(p_events) e
    where not exists (
        select from jsonb_to_recordset(coalesce(p_known, '[]')) as k (phone_number_id text, wa_message_id text)
        where k.phone_number_id = e.value ->> 'phone_number_id' and k.wa_message_id = e.value ->> 'wa_message_id')
$$;

-- Held by whoever gives a message its Meta id and by whoever parks a status for that id: one of the two then sees what the other wrote.
create or replace function private.lock_wa_message_ids(p_wa_message_ids text[])
returns void
language sql volatile
set search_path = ''
as $$
    select pg_catalog.pg_advisory_xact_lock(k.key)
    from (select distinct hashtextextended(x, 0) as key from unnest(p_wa_message_ids) x where x is not null order by 1) k
$$;

create or replace function worker.apply_statuses(p_events jsonb)
returns table (webhook_event_id bigint, problem text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_known jsonb := private.known_statuses(p_events);
    v_early jsonb;
begin
    if v_known is not null then
        perform private.settle_statuses(v_known);
        -- Settling may have given a message its Meta id while a status of that id was being parked. Messages first, ids second, as everywhere.
        perform private.lock_wa_message_ids(array(select k.wa_message_id from jsonb_to_recordset(v_known) as k (wa_message_id text)));
        perform private.settle_parked_statuses((
            select jsonb_agg(distinct jsonb_build_object('id', k.message_id, 'wa_message_id', k.wa_message_id))
            from jsonb_to_recordset(v_known) as k (message_id uuid, wa_message_id text)));
    end if;
    v_early := private.other_statuses(p_events, v_known);
    if v_early is null then
        return;
    end if;

    perform private.lock_wa_message_ids(array(select e.wa_message_id from jsonb_to_recordset(v_early) as e (wa_message_id text)));
    v_known := private.known_statuses(v_early);
    if v_known is not null then
        perform private.settle_statuses(v_known);
        v_early := private.other_statuses(v_early, v_known);
    end if;
    insert into private.parked_statuses (phone_number_id, wa_message_id, status)
    select a.phone_number_id, e.value ->> 'wa_message_id', e.value
    from jsonb_array_elements(v_early) e
    join public.whatsapp_accounts a on a.phone_number_id = e.value ->> 'phone_number_id' and a.is_receiving
    where e.value ->> 'wa_message_id' is not null;

    return query
    select distinct e.webhook_event_id, 'no connected number ' || coalesce(e.phone_number_id, '?')
    from jsonb_to_recordset(v_early) as e (webhook_event_id bigint, phone_number_id text)
    where not exists (select from public.whatsapp_accounts a where a.phone_number_id = e.phone_number_id and a.is_receiving);
end
$$;
comment on function worker.apply_statuses(jsonb) is
    '[{webhook_event_id, phone_number_id, wa_message_id, message_id?, send_try?, status sent|delivered|read|failed, occurred_at, error_code?, error_message?}] → webhooks that name no connected number.';

-- sql/code/50_sending/10_may_send.sql

-- The one answer to "may this leave?" (design §3, invariant 5). Asked when a message is queued and again when it is claimed.
-- Must stay true: nobody else decides; null means yes, otherwise a code of the error catalogue.

create or replace function private.send_refusal(
    p_account_status text,
    p_quality_rating text,
    p_contact_deleted boolean,
    p_opt_in_status text,
    p_window_expires_at timestamptz,
    p_type text,
    p_is_marketing boolean,
    p_now timestamptz
) returns text
language sql immutable parallel safe
set search_path = ''
as $$
    select case
        when p_account_status is distinct from 'connected' then 'WA_006'
        when p_contact_deleted then 'CONTACT_004'
        when p_is_marketing and p_opt_in_status <> 'opted_in' then 'CONTACT_008'
        when p_is_marketing and p_quality_rating = 'RED' then 'WA_007'
        -- Templates are the only door when the window is shut, and none is approved before the templates domain says so.
        when p_type = 'template' then 'WA_002'
        when p_window_expires_at is null or p_window_expires_at <= p_now then 'WA_005'
    end
$$;

create or replace function private.may_send(p_conversation_id uuid, p_type text)
returns text
language sql volatile
set search_path = ''
as $$
    select private.send_refusal(a.status, a.quality_rating, p.deleted_at is not null, p.opt_in_status, c.window_expires_at, p_type,
        false, private.clock())
    from public.conversations c
    join public.whatsapp_accounts a on a.id = c.whatsapp_account_id
    join public.contacts p on p.org_id = c.org_id and p.id = c.contact_id
    where c.id = p_conversation_id
$$;
comment on function private.may_send(uuid, text) is 'null, or the error code that says why not.';

-- sql/code/50_sending/20_leases.sql

-- Each phone number belongs to one sender process at a time, so that its rate limiter is exact and in memory (design §8).
-- Called by the send role of the worker.
-- Must stay true: a number changes hands only when its holder's session is gone or its lease ran out; whatever the old holder had
-- handed to Meta without recording the answer becomes uncertain, and is never sent again.

-- "octo" in ASCII: the first half of the advisory lock by which a sender process shows that it lives.
create or replace function private.sender_lock_class()
returns integer
language sql immutable parallel safe
set search_path = ''
as $$ select 1868788847 $$;

create or replace function worker.announce_sender(p_lock_key integer)
returns boolean
language sql volatile security definer
set search_path = ''
as $$ select pg_catalog.pg_try_advisory_lock(private.sender_lock_class(), p_lock_key) $$;
comment on function worker.announce_sender(integer) is 'Called once on the sender''s LISTEN session; the lock lives as long as the session. false: the key is taken, choose another.';

create or replace function private.settle_abandoned_sends(p_account_id uuid, p_new_holder uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_changed jsonb;
begin
    -- Messages before outbox, as everywhere: the old holder may be reporting at this moment.
    perform m.id from public.messages m
    where m.id in (
        select o.message_id from private.outbox o
        where o.whatsapp_account_id = p_account_id and o.state = 'sending' and o.holder <> p_new_holder)
    order by m.id for no key update;
    with abandoned as (
        update private.outbox o set state = 'uncertain'
        where o.whatsapp_account_id = p_account_id and o.state = 'sending' and o.holder <> p_new_holder
        returning o.message_id
    ), marked as (
        update public.messages m set is_uncertain = true, error_code = 'WA_008'
        from abandoned a where m.id = a.message_id and m.status = 'pending' and m.wa_message_id is null
        returning m.id, m.conversation_id
    )
    select jsonb_agg(to_jsonb(m)) into v_changed from marked m;
    if v_changed is not null then
        perform private.broadcast_messages(c.conversation_id, array_agg(c.id))
        from jsonb_to_recordset(v_changed) as c (id uuid, conversation_id uuid) group by c.conversation_id;
    end if;
end
$$;

create or replace function worker.lease_numbers(p_holder uuid, p_lock_key integer, p_seconds integer, p_ready_cap integer)
returns table (whatsapp_account_id uuid, phone_number_id text, access_token text, messages_per_second integer, ready integer, next_ready_at timestamptz)
language plpgsql volatile security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_account uuid;
    -- A constant, so that the backlog is looked at by index: this runs at every wake-up, however much waits.
    v_now timestamptz := clock_timestamp();
begin
    -- Queued while the number was being disconnected: nobody will ever lease it for these.
    for v_account in
        select a.id from public.whatsapp_accounts a
        where a.status = 'disconnected' and exists (select from private.outbox o where o.whatsapp_account_id = a.id and o.state = 'ready')
    loop
        perform private.fail_outbox(v_account, 'WA_006');
    end loop;
    for v_account in
        select a.id from public.whatsapp_accounts a
        left join private.phone_leases l on l.whatsapp_account_id = a.id
        -- What a dead holder was sending must become uncertain even when the number is no longer connected.
        where exists (
                select from private.outbox o
                where o.whatsapp_account_id = a.id and (o.state = 'sending' or (o.state = 'ready' and a.status = 'connected')))
            and (l.holder is null or l.holder = p_holder or l.lease_until < clock_timestamp() or not exists (
                select from pg_catalog.pg_locks k
                where k.locktype = 'advisory' and k.classid = private.sender_lock_class()::oid and k.objid = l.lock_key::oid and k.granted
                    and k.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())))
            -- An extension is due at half time; before that there is nothing to write.
            and (l.holder is distinct from p_holder or l.lease_until < clock_timestamp() + make_interval(secs => p_seconds / 2.0))
        order by a.id
    loop
        insert into private.phone_leases as l (whatsapp_account_id, holder, lock_key, lease_until)
        values (v_account, p_holder, p_lock_key, clock_timestamp() + make_interval(secs => p_seconds))
        on conflict (whatsapp_account_id) do update
        set holder = excluded.holder, lock_key = excluded.lock_key, lease_until = excluded.lease_until
        where l.holder = p_holder or l.lease_until < clock_timestamp() or not exists (
            select from pg_catalog.pg_locks k
            where k.locktype = 'advisory' and k.classid = private.sender_lock_class()::oid and k.objid = l.lock_key::oid and k.granted
                and k.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database()));
        if found then
            perform private.settle_abandoned_sends(v_account, p_holder);
        end if;
    end loop;
    return query
    select a.id, a.phone_number_id, s.decrypted_secret, a.messages_per_second, r.ready::integer, r.next_ready_at
    from private.phone_leases l
    join public.whatsapp_accounts a on a.id = l.whatsapp_account_id and a.status = 'connected'
    join private.whatsapp_credentials c on c.whatsapp_account_id = a.id
    join vault.decrypted_secrets s on s.id = c.secret_id
    cross join lateral (
        -- Apart, so that rows waiting for a retry never hide those behind them that are ready.
        select (
            select count(*) from (
                select from private.outbox o
                where o.whatsapp_account_id = a.id and o.state = 'ready' and o.ready_at <= v_now and coalesce(a.paused_until <= v_now, true)
                limit p_ready_cap
            ) x
        ) as ready, case when a.paused_until > v_now then a.paused_until else (
            select min(o.ready_at) from private.outbox o
            where o.whatsapp_account_id = a.id and o.state = 'ready' and o.ready_at > v_now
        ) end as next_ready_at
    ) r
    where l.holder = p_holder and l.lease_until > clock_timestamp() and r.ready + coalesce(extract(epoch from r.next_ready_at), 0) > 0;
end
$$;
comment on function worker.lease_numbers(uuid, integer, integer, integer) is
    'Takes and extends the leases of numbers that have something to send; returns those held, with how many messages are ready (at most p_ready_cap).';

create or replace function worker.release_leases(p_holder uuid)
returns void
language sql volatile security definer
set search_path = ''
as $$ delete from private.phone_leases where holder = p_holder $$;

-- sql/code/50_sending/30_claims.sql

-- Claiming and recording sends. Called by the send role of the worker.
-- Must stay true: claim and intent are one commit, so a row handed out once is never handed out again unless Meta itself refused it;
-- private.send_refusal is asked again at this moment; messages of one conversation leave in order.

create or replace function private.fail_messages(p_failures jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_changed jsonb;
begin
    perform m.id from public.messages m
    where m.id in (select f.message_id from jsonb_to_recordset(p_failures) as f (message_id uuid))
    order by m.id for no key update;
    with changed as (
        update public.messages m set status = 'failed', failed_at = clock_timestamp(), is_uncertain = false,
            error_code = f.error_code, error_message = left(f.error_message, 500)
        from jsonb_to_recordset(p_failures) as f (message_id uuid, error_code text, error_message text)
        where m.id = f.message_id and m.status in ('pending', 'sent')
        returning m.id, m.org_id, m.conversation_id
    ), gone as (
        delete from private.outbox o using jsonb_to_recordset(p_failures) as f (message_id uuid) where o.message_id = f.message_id
    )
    select jsonb_agg(to_jsonb(c)) into v_changed from changed c;
    if v_changed is null then
        return;
    end if;
    perform private.broadcast_messages(c.conversation_id, array_agg(c.id))
    from jsonb_to_recordset(v_changed) as c (id uuid, conversation_id uuid) group by c.conversation_id;
    perform private.broadcast_conversations(c.org_id, array_agg(distinct c.conversation_id))
    from jsonb_to_recordset(v_changed) as c (org_id uuid, conversation_id uuid) group by c.org_id;
end
$$;

create or replace function private.fail_outbox(p_account_id uuid, p_code text)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_message_ids uuid[];
    v_failures jsonb;
begin
    v_message_ids := array(select o.message_id from private.outbox o where o.whatsapp_account_id = p_account_id and o.state = 'ready');
    perform m.id from public.messages m where m.id = any (v_message_ids) order by m.id for no key update;
    -- One that was claimed meanwhile is on its way to Meta: its own report decides.
    with gone as (
        delete from private.outbox o where o.message_id = any (v_message_ids) and o.state = 'ready' returning o.message_id
    )
    select jsonb_agg(jsonb_build_object('message_id', g.message_id, 'error_code', p_code)) into v_failures from gone g;
    if v_failures is not null then
        perform private.fail_messages(v_failures);
    end if;
end
$$;

create or replace function worker.claim_sends(p_holder uuid, p_account_id uuid, p_limit integer)
returns table (message_id uuid, send_try integer, attempt integer, recipient_phone text, recipient_bsuid text, type text, body text,
    payload jsonb, reply_to text, queued_at timestamptz)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_refused jsonb;
    v_claimed uuid[];
begin
    -- Taking the lease's row in share mode keeps a takeover waiting until this claim is on record.
    perform from private.phone_leases l
    where l.whatsapp_account_id = p_account_id and l.holder = p_holder and l.lease_until > clock_timestamp() for share;
    if not found then
        return;
    end if;
    with candidates as (
        select o.message_id, private.send_refusal(a.status, a.quality_rating, p.deleted_at is not null, p.opt_in_status,
            c.window_expires_at, m.type, false, private.clock()) as refusal
        from private.outbox o
        join public.whatsapp_accounts a on a.id = o.whatsapp_account_id
        join public.messages m on m.id = o.message_id
        join public.conversations c on c.id = o.conversation_id
        join public.contacts p on p.org_id = c.org_id and p.id = c.contact_id
        -- A number that is not connected for the moment keeps what waits.
        where o.whatsapp_account_id = p_account_id and a.status = 'connected' and o.state = 'ready' and o.ready_at <= clock_timestamp()
            and coalesce(a.paused_until <= clock_timestamp(), true)
            -- Only the head of a conversation: Meta does not keep order, we do.
            and not exists (select from private.outbox e where e.conversation_id = o.conversation_id and e.seq < o.seq and e.state <> 'uncertain')
        order by o.lane, o.seq limit p_limit
        -- A claim waits for nobody: whoever settles messages takes them before their outbox rows, the other way round.
        for update of o skip locked
    ), sending as (
        update private.outbox o set state = 'sending', holder = p_holder, intent_at = clock_timestamp(), attempt = o.attempt + 1
        from candidates c where o.message_id = c.message_id and c.refusal is null
        returning o.message_id
    )
    select (select array_agg(s.message_id) from sending s),
        (select jsonb_agg(jsonb_build_object('message_id', c.message_id, 'error_code', c.refusal)) from candidates c where c.refusal is not null)
    into v_claimed, v_refused;
    if v_refused is not null then
        with free as (
            select m.id from public.messages m
            where m.id in (select r.message_id from jsonb_to_recordset(v_refused) as r (message_id uuid))
            for no key update skip locked
        )
        select jsonb_agg(r.value) into v_refused
        from jsonb_array_elements(v_refused) r join free f on f.id = (r.value ->> 'message_id')::uuid;
    end if;
    if v_refused is not null then
        perform private.fail_messages(v_refused);
    end if;
    return query
    select m.id, m.send_try::integer, o.attempt::integer,
        -- The number Meta answered from beats the number somebody typed (reference/whatsapp.md §2.2).
        coalesce('+' || p.wa_id, p.phone), p.bsuid, m.type, m.body, m.payload, m.reply_to_wa_message_id, m.created_at
    from private.outbox o
    join public.messages m on m.id = o.message_id
    join public.contacts p on p.org_id = m.org_id and p.id = m.contact_id
    where o.message_id = any (v_claimed) order by o.lane, o.seq;
end
$$;
comment on function worker.claim_sends(uuid, uuid, integer) is
    'Hands out messages and records the intent in the same commit. Refused ones are failed with their code and not returned.';

create or replace function worker.record_sends(p_results jsonb)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_accepted jsonb;
    v_failures jsonb;
    v_changed jsonb;
begin
    perform m.id from public.messages m
    where m.id in (select r.message_id from jsonb_to_recordset(p_results) as r (message_id uuid))
    order by m.id for no key update;
    perform private.lock_wa_message_ids(array(
        select r.wa_message_id from jsonb_to_recordset(p_results) as r (outcome text, wa_message_id text) where r.outcome = 'accepted'));

    -- What Meta answered is true whoever reports it and however late, even after the lease was lost. Try (a person's) and attempt (ours) keep
    -- a report that comes late or twice from touching a later one.
    with accepted as (
        update public.messages m set wa_message_id = r.wa_message_id, is_uncertain = false, accepted_at = coalesce(m.accepted_at, clock_timestamp()),
            error_code = case when m.status = 'failed' then m.error_code end
        from jsonb_to_recordset(p_results) as r (message_id uuid, send_try integer, outcome text, wa_message_id text)
        where r.outcome = 'accepted' and m.id = r.message_id and m.send_try = r.send_try
            and (m.wa_message_id is null or m.wa_message_id = r.wa_message_id)
        returning m.id, m.conversation_id, m.wa_message_id
    ), gone as (
        delete from private.outbox o using accepted a where o.message_id = a.id
    )
    select jsonb_agg(to_jsonb(a)) into v_accepted from accepted a;

    with uncertain as (
        update private.outbox o set state = 'uncertain'
        from jsonb_to_recordset(p_results) as r (message_id uuid, send_try integer, attempt integer, outcome text)
        join public.messages m on m.id = r.message_id and m.send_try = r.send_try
        where r.outcome = 'uncertain' and o.message_id = r.message_id and o.attempt = r.attempt and o.state = 'sending'
        returning o.message_id
    ), requeued as (
        update private.outbox o set state = 'ready', holder = null, intent_at = null,
            ready_at = clock_timestamp() + make_interval(secs => r.retry_seconds)
        from jsonb_to_recordset(p_results) as r (message_id uuid, send_try integer, attempt integer, outcome text, retry_seconds double precision)
        join public.messages m on m.id = r.message_id and m.send_try = r.send_try
        where r.outcome = 'retry' and o.message_id = r.message_id and o.attempt = r.attempt and o.state in ('sending', 'uncertain')
        returning o.message_id
    ), changed as (
        update public.messages m set is_uncertain = x.is_uncertain, error_code = case when x.is_uncertain then 'WA_008' end
        from (select u.message_id, true as is_uncertain from uncertain u union all select q.message_id, false from requeued q) x
        where m.id = x.message_id and m.status = 'pending' and m.wa_message_id is null and (x.is_uncertain or m.is_uncertain)
        returning m.id, m.conversation_id
    )
    select jsonb_agg(to_jsonb(c)) into v_changed from changed c;

    select jsonb_agg(to_jsonb(r)) into v_failures
    from jsonb_to_recordset(p_results) as r (message_id uuid, send_try integer, attempt integer, outcome text, error_code text, error_message text)
    join public.messages m on m.id = r.message_id and m.send_try = r.send_try
    join private.outbox o on o.message_id = r.message_id and o.attempt = r.attempt
    where r.outcome = 'failed';
    if v_failures is not null then
        perform private.fail_messages(v_failures);
    end if;

    if v_accepted is not null then
        perform private.settle_parked_statuses(v_accepted);
    end if;
    perform private.broadcast_messages(c.conversation_id, array_agg(c.id))
    from jsonb_to_recordset(coalesce(v_accepted, '[]') || coalesce(v_changed, '[]')) as c (id uuid, conversation_id uuid) group by c.conversation_id;
end
$$;
comment on function worker.record_sends(jsonb) is
    '[{message_id, send_try, attempt, outcome accepted|failed|retry|uncertain, wa_message_id?, error_code?, error_message?, retry_seconds?}].';

-- p_accepted: [{id, wa_message_id}] just recorded; their statuses may have come first.
create or replace function private.settle_parked_statuses(p_accepted jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_events jsonb;
begin
    with taken as (
        delete from private.parked_statuses s
        using jsonb_to_recordset(p_accepted) as a (id uuid, wa_message_id text), public.messages m, public.whatsapp_accounts w
        where s.wa_message_id = a.wa_message_id and m.id = a.id and w.id = m.whatsapp_account_id and s.phone_number_id = w.phone_number_id
        returning a.id, s.status
    )
    select jsonb_agg(t.status || jsonb_build_object('message_id', t.id)) into v_events from taken t;
    if v_events is not null then
        perform private.settle_statuses(v_events);
    end if;
end
$$;

create or replace function worker.pause_number(p_account_id uuid, p_seconds double precision)
returns void
language sql volatile security definer
set search_path = ''
as $$
    update public.whatsapp_accounts set paused_until = greatest(paused_until, clock_timestamp() + make_interval(secs => p_seconds))
    where id = p_account_id
$$;

create or replace function worker.suspend_number(p_account_id uuid, p_reason text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_org_id uuid;
begin
    -- The token or the account needs a person. What waits stays in the outbox until the number is connected again.
    update public.whatsapp_accounts set status = 'error', status_reason = left(p_reason, 500), updated_at = now()
    where id = p_account_id and status = 'connected' returning org_id into v_org_id;
    if v_org_id is null then
        return;
    end if;
    perform private.notify_members(v_org_id, private.members_with(v_org_id, 'settings.manage'), 'whatsapp_account.error', 'high',
        jsonb_build_object('whatsapp_account_id', p_account_id));
    perform private.broadcast('org:' || v_org_id, 'account', jsonb_build_object('whatsapp_account_id', p_account_id));
end
$$;

-- sql/code/60_activity/10_activity.sql

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

-- sql/code/60_activity/20_maintenance.sql

-- Time moved forward: windows that closed, snoozes that ended, rows past their retention, and the figures /metrics and doctor show.
-- Called by the maintenance role of the worker, every few seconds; each call does a bounded piece and returns how much.
-- Must stay true: correctness never waits for a sweep (windows are judged by their time); sweeps only tell people.

create or replace function worker.sweep_windows(p_limit integer)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_org record;
    v_count integer := 0;
    v_soon record;
begin
    for v_org in
        with closed as (
            update public.conversations c set status = 'expired', updated_at = now()
            where c.id in (
                select x.id from public.conversations x
                where x.status in ('open', 'pending') and x.snoozed_until is null and x.window_expires_at <= private.clock()
                order by x.window_expires_at limit p_limit for update skip locked)
            returning c.id, c.org_id
        )
        select c.org_id, array_agg(c.id) as ids from closed c group by c.org_id
    loop
        v_count := v_count + cardinality(v_org.ids);
        perform private.broadcast_conversations(v_org.org_id, v_org.ids);
    end loop;

    -- An hour before the end, once for each window, and only where a customer still waits for an answer.
    for v_soon in
        update public.conversations c set window_warned_at = private.clock()
        where c.id in (
            select x.id from public.conversations x
            where x.status in ('open', 'pending') and x.window_expires_at > private.clock()
                and x.window_expires_at <= private.clock() + interval '1 hour'
                and coalesce(x.window_warned_at < x.window_expires_at - interval '24 hours', true)
                and x.last_message_direction = 'inbound'
            order by x.window_expires_at limit p_limit for update skip locked)
        returning c.id, c.org_id, c.contact_id, c.assigned_to, c.window_expires_at
    loop
        perform private.notify_members(v_soon.org_id,
            case when v_soon.assigned_to is null then private.members_with(v_soon.org_id, 'inbox.answer') else array[v_soon.assigned_to] end,
            'conversation.window_closing', 'high', jsonb_build_object('conversation_id', v_soon.id, 'contact_id', v_soon.contact_id,
                'window_expires_at', v_soon.window_expires_at));
    end loop;
    return v_count;
end
$$;

create or replace function worker.wake_snoozed(p_limit integer)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_org record;
    v_count integer := 0;
begin
    for v_org in
        with woken as (
            update public.conversations c set snoozed_until = null, updated_at = now(),
                status = case when c.window_expires_at > private.clock() then 'open' else 'expired' end
            where c.id in (
                select x.id from public.conversations x where x.snoozed_until <= private.clock()
                order by x.snoozed_until limit p_limit for update skip locked)
            returning c.id, c.org_id
        )
        select w.org_id, array_agg(w.id) as ids from woken w group by w.org_id
    loop
        v_count := v_count + cardinality(v_org.ids);
        perform private.broadcast_conversations(v_org.org_id, v_org.ids);
    end loop;
    return v_count;
end
$$;

create or replace function worker.purge(p_limit integer)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_total integer := 0;
    v_count integer;
begin
    -- Retention: webhooks 90 days, activity and read notifications a year (PRD §18); a status nobody claimed in a day belongs to another app.
    delete from private.webhook_events where id in (
        select e.id from private.webhook_events e where e.received_at < private.clock() - interval '90 days' and e.state <> 'received' limit p_limit);
    get diagnostics v_count = row_count;
    v_total := v_total + v_count;
    delete from private.parked_statuses where id in (
        select s.id from private.parked_statuses s where s.created_at < private.clock() - interval '1 day' limit p_limit);
    get diagnostics v_count = row_count;
    v_total := v_total + v_count;
    delete from public.activity_log where id in (
        select l.id from public.activity_log l where l.created_at < private.clock() - interval '1 year' limit p_limit);
    get diagnostics v_count = row_count;
    v_total := v_total + v_count;
    delete from public.notifications where id in (
        select n.id from public.notifications n where n.created_at < private.clock() - interval '1 year' and n.read_at is not null limit p_limit);
    get diagnostics v_count = row_count;
    return v_total + v_count;
end
$$;

create or replace function worker.queue_figures()
returns table (webhooks_waiting bigint, webhooks_oldest_seconds double precision, webhooks_rejected bigint, sends_waiting bigint,
    sends_oldest_seconds double precision, sends_uncertain bigint)
language sql volatile security definer
set search_path = ''
as $$
    select
        (select count(*) from (select from private.webhook_events where state = 'received' limit 100000) x),
        (select coalesce(extract(epoch from clock_timestamp() - e.received_at), 0)::double precision
            from (select min(id) as id from private.webhook_events where state = 'received') o left join private.webhook_events e on e.id = o.id),
        (select count(*) from (select from private.webhook_events where state = 'rejected' limit 100000) x),
        (select count(*) from private.outbox),
        (select coalesce(extract(epoch from clock_timestamp() - min(o.ready_at)), 0)::double precision
            from private.outbox o where o.state = 'ready' and o.ready_at <= clock_timestamp()),
        (select count(*) from public.messages where is_uncertain)
$$;

create or replace function worker.versions()
returns table (extension_version text, schema_version integer, code_hash text)
language sql stable security definer
set search_path = ''
as $$
    select octopush.version(), (select max(version) from private.schema_migrations), (select hash from private.schema_code)
$$;

-- sql/code/90_access/10_policies.sql

-- Row-level security of everything the API can reach: reading is by membership, writing is by RPC, so there are select policies only.
-- Must stay true: the expression below to the letter (10_tenancy/10_permissions.sql says why); one policy for each table, role and command.

create policy octopush_members_select on public.organizations for select to authenticated
    using (id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.org_memberships for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_managers_select on public.org_invitations for select to authenticated
    using (org_id = any ((select private.my_orgs_with('settings.manage'))::uuid[]));
-- One's own profile, and colleagues'.
create policy octopush_colleagues_select on public.profiles for select to authenticated
    using (user_id = (select auth.uid()) or user_id = any ((select private.my_colleague_ids())::uuid[]));

create policy octopush_members_select on public.whatsapp_accounts for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_managers_select on public.whatsapp_events for select to authenticated
    using (org_id = any ((select private.my_orgs_with('settings.manage'))::uuid[]));

create policy octopush_members_select on public.contacts for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[])
        and (deleted_at is null or org_id = any ((select private.my_orgs_with('contacts.trash'))::uuid[])));
create policy octopush_members_select on public.tags for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.contact_tags for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));

create policy octopush_members_select on public.conversations for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.messages for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));

create policy octopush_members_select on public.activity_log for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_recipient_select on public.notifications for select to authenticated
    using (user_id = (select auth.uid()) and org_id = any ((select private.my_org_ids())::uuid[]));

-- sql/code/90_access/20_realtime.sql

-- Who may listen to which private topic, and show presence on it. Nobody may broadcast from a browser: what is heard comes from the database.

create or replace function private.may_hear(p_topic text)
returns boolean
language sql stable security definer
set search_path = ''
as $$
    select case
        when p_topic !~ '^(org|conversation|user):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then false
        when p_topic like 'org:%' then split_part(p_topic, ':', 2)::uuid = any (private.my_org_ids())
        when p_topic like 'user:%' then split_part(p_topic, ':', 2)::uuid = (select auth.uid())
        else exists (
            select from public.conversations c
            where c.id = split_part(p_topic, ':', 2)::uuid and c.org_id = any (private.my_org_ids()))
    end
$$;

create policy octopush_topic_select on realtime.messages for select to authenticated
    using (extension in ('broadcast', 'presence') and private.may_hear((select realtime.topic())));
create policy octopush_presence_insert on realtime.messages for insert to authenticated
    with check (extension = 'presence' and private.may_hear((select realtime.topic())));

-- sql/code/90_access/30_storage.sql

-- The bucket for media of conversations: <org_id>/<conversation_id>/<file>. Members read, those who answer upload, nobody overwrites or deletes.

insert into storage.buckets (id, name, public, file_size_limit)
-- 100 MB is the largest file WhatsApp takes (reference/whatsapp.md §7).
values ('media', 'media', false, 104857600)
on conflict (id) do update set public = false, file_size_limit = excluded.file_size_limit;

create policy octopush_media_select on storage.objects for select to authenticated
    using (bucket_id = 'media' and (storage.foldername(name))[1] = any ((select private.my_org_ids())::text[]));
create policy octopush_media_insert on storage.objects for insert to authenticated
    with check (bucket_id = 'media' and (storage.foldername(name))[1] = any ((select private.my_orgs_with('inbox.answer'))::text[]));

-- sql/code/90_access/40_grants.sql

-- Every grant of the product, in one place; 00_foundation/10_reset.sql took all of them back first.
-- Must stay true: authenticated reads tables and calls RPCs, nothing else; anon has nothing; octopush_worker executes worker.* only.

grant select on
    public.organizations, public.profiles, public.org_memberships, public.whatsapp_accounts, public.whatsapp_events,
    public.contacts, public.tags, public.contact_tags, public.conversations, public.messages, public.activity_log, public.notifications,
    public.conversation_list
to authenticated;
-- Without token_hash.
grant select (id, org_id, email, role, invited_by, expires_at, accepted_at, revoked_at, created_at) on public.org_invitations to authenticated;
grant select on
    public.organizations, public.profiles, public.org_memberships, public.whatsapp_accounts, public.whatsapp_events,
    public.contacts, public.tags, public.contact_tags, public.conversations, public.messages, public.activity_log, public.notifications,
    public.conversation_list
to service_role;

-- Policies run these as the caller.
grant execute on function private.my_org_ids(), private.my_orgs_with(text), private.my_colleague_ids(), private.may_hear(text)
to authenticated, service_role;

grant execute on function
    public.complete_onboarding(text, text, text, text),
    public.update_organization(uuid, text, text, text),
    public.update_profile(text),
    public.set_member_role(uuid, uuid, text),
    public.remove_member(uuid, uuid),
    public.transfer_ownership(uuid, uuid),
    public.delete_organization(uuid, text),
    public.invite_member(uuid, text, text),
    public.accept_invitation(text),
    public.revoke_invitation(uuid),
    public.connect_whatsapp_account(uuid, text, text, text),
    public.disconnect_whatsapp_account(uuid),
    public.create_contact(uuid, jsonb),
    public.update_contact(uuid, jsonb, timestamptz),
    public.delete_contact(uuid),
    public.restore_contact(uuid),
    public.set_contact_consent(uuid, text, text),
    public.create_tag(uuid, text, text),
    public.delete_tag(uuid),
    public.set_contact_tags(uuid, uuid[]),
    public.mark_conversation_read(uuid),
    public.mark_conversation_unread(uuid),
    public.assign_conversation(uuid, uuid),
    public.resolve_conversation(uuid),
    public.reopen_conversation(uuid),
    public.snooze_conversation(uuid, timestamptz),
    public.start_conversation(uuid, uuid),
    public.search_conversations(uuid, text, integer),
    public.send_message(uuid, text, text, text, jsonb, uuid),
    public.add_note(uuid, text, text),
    public.retry_message(uuid),
    public.mark_notifications_read(uuid, uuid[])
to authenticated;

grant execute on all functions in schema worker to octopush_worker;

insert into private.schema_code (hash) values ('7838874bdd6e00da19e8ef644539d2c137c74b984996c167caaa6e69b5d00ace') on conflict (is_current) do update set hash = excluded.hash, applied_at = now();
