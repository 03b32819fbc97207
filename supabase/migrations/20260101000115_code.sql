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

-- Contacts: create, edit, delete, restore (PRD §5.2). What a person does to one contact goes through here.
-- Must stay true: phones are E.164; a stale edit is refused; nothing is done to an erased contact.

-- Tells browsers that contacts changed, tags and consent included. Once a call, whatever it changed.
create or replace function private.broadcast_contacts(p_org_id uuid, p_contact_ids uuid[])
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform private.broadcast('org:' || p_org_id, 'contacts', case
        when cardinality(p_contact_ids) <= 100 then jsonb_build_object('contact_ids', to_jsonb(p_contact_ids))
        else '{"all": true}'::jsonb end);
end
$$;

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
    if v_contact.erased_at is not null then
        perform private.raise_error('CONTACT_010');
    end if;
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
        if v_key not in ('phone', 'full_name', 'email', 'avatar_url', 'company', 'job_title', 'address', 'notes', 'birthday', 'lifecycle_stage', 'custom_fields') then
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', v_key));
        end if;
        if v_key = 'custom_fields' then
            p_base.custom_fields := private.change_custom_values(p_base.org_id, coalesce(p_base.custom_fields, '{}'), p_fields -> v_key);
            continue;
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
    v_status text;
    v_source text;
    v_tag_ids uuid[];
begin
    perform private.require_permission(p_org_id, 'contacts.write');
    v_contact.org_id := p_org_id;
    if jsonb_typeof(p_fields) = 'object' then
        v_status := coalesce(p_fields ->> 'opt_in_status', 'pending');
        v_source := coalesce(p_fields ->> 'opt_in_source', 'manual');
        perform private.check_consent(v_status, v_source, null);
        begin
            v_tag_ids := array(select x.value::uuid from jsonb_array_elements_text(nullif(p_fields -> 'tag_ids', 'null')) x);
        exception when data_exception then
            perform private.raise_error('CONTACT_007', '{"field": "tag_ids"}');
        end;
        p_fields := p_fields - '{opt_in_status,opt_in_source,tag_ids}'::text[];
    end if;
    v_contact := private.merge_contact_fields(v_contact, p_fields);
    if v_contact.phone is null then
        perform private.raise_error('CONTACT_003');
    end if;
    begin
        insert into public.contacts (org_id, phone, full_name, email, avatar_url, company, job_title, address, notes, birthday, lifecycle_stage,
            custom_fields, opt_in_status, opt_in_source, opt_in_at)
        values (p_org_id, v_contact.phone, v_contact.full_name, v_contact.email, v_contact.avatar_url, v_contact.company,
            v_contact.job_title, v_contact.address, v_contact.notes, v_contact.birthday, v_contact.lifecycle_stage,
            coalesce(v_contact.custom_fields, '{}'), v_status, case when v_status <> 'pending' then v_source end,
            case when v_status = 'opted_in' then now() end)
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
    perform private.record_activity(p_org_id, 'contact.created', (select auth.uid()), v_contact.id, p_data => '{"source": "manual"}');
    if v_status <> 'pending' then
        perform private.record_consents(p_org_id, (select auth.uid()), jsonb_build_array(jsonb_build_object('contact_id', v_contact.id,
            'old', null, 'new', v_status, 'source', v_source)));
    end if;
    if cardinality(v_tag_ids) > 0 then
        perform private.put_tags(v_contact, v_tag_ids);
    end if;
    perform private.broadcast_contacts(p_org_id, array[v_contact.id]);
    return v_contact;
end
$$;
comment on function public.create_contact(uuid, jsonb) is
    'p_fields: phone (required, any notation; the organisation''s country is the default), PRD §5.1''s fields, custom_fields, tag_ids, opt_in_status, opt_in_source. Errors: AUTH_003, ORG_001, CONTACT_002 (details.contact_id), CONTACT_003, CONTACT_004, CONTACT_007 (details.field, details.problem), TAG_001.';

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
            phone = v_new.phone, wa_id = case when v_new.phone is not distinct from v_old.phone then c.wa_id end,
            full_name = v_new.full_name, email = v_new.email, avatar_url = v_new.avatar_url, company = v_new.company,
            custom_fields = v_new.custom_fields, job_title = v_new.job_title, address = v_new.address, notes = v_new.notes, birthday = v_new.birthday,
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
        p_data => jsonb_build_object('fields', (
            select jsonb_agg(k) from (
                select k from jsonb_object_keys(p_fields) k where k <> 'custom_fields'
                union all
                select 'custom.' || k from jsonb_object_keys(p_fields -> 'custom_fields') k
            ) x)));
    perform private.broadcast_contacts(v_old.org_id, array[p_id]);
    return v_new;
end
$$;
comment on function public.update_contact(uuid, jsonb, timestamptz) is
    'Changes the given fields if nobody else did since p_expected_updated_at. Errors: AUTH_003, CONTACT_001–004, CONTACT_006 (details.contact = the other person''s version), CONTACT_007 (details.field, details.problem), CONTACT_010.';

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
        perform private.broadcast_contacts(v_contact.org_id, array[p_id]);
    end if;
end
$$;
comment on function public.delete_contact(uuid) is 'Moves a contact to the trash. Errors: AUTH_003, CONTACT_001, CONTACT_010.';

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
        perform private.broadcast_contacts(v_contact.org_id, array[p_id]);
    end if;
end
$$;
comment on function public.restore_contact(uuid) is 'Takes a contact back from the trash (undo of delete_contact). Errors: AUTH_003, CONTACT_001, CONTACT_010.';

-- sql/code/30_contacts/15_custom_fields.sql

-- Fields that an organisation adds to its contacts, and the values in contacts.custom_fields (design §6). Managed in the settings.
-- Must stay true: a key never changes and never names two fields; at most 100 fields are not archived; a stored value was accepted by
-- octopush.check_custom_value; what is archived keeps its values and takes no new ones.

create or replace function private.custom_field_for(p_id uuid)
returns public.custom_field_definitions
language plpgsql volatile
set search_path = ''
as $$
declare
    v_field public.custom_field_definitions;
begin
    -- Serialises changes of the fields of an organisation, or two people could both see 99.
    perform from public.organizations o
    where o.id = (select d.org_id from public.custom_field_definitions d where d.id = p_id and d.org_id = any (private.my_org_ids())) for no key update;
    select d.* into v_field from public.custom_field_definitions d where d.id = p_id and d.org_id = any (private.my_org_ids()) for no key update;
    if not found then
        perform private.raise_error('FIELD_001');
    end if;
    perform private.require_permission(v_field.org_id, 'settings.manage');
    return v_field;
end
$$;

create or replace function private.check_custom_field_room(p_org_id uuid)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if (select count(*) from public.custom_field_definitions d where d.org_id = p_org_id and d.archived_at is null) >= 100 then
        perform private.raise_error('FIELD_002', '{"limit": 100}');
    end if;
end
$$;

-- The options as they are kept: trimmed, in their order. Refused when one is empty, long or there twice, whatever its case.
create or replace function private.custom_field_options(p_type text, p_options text[])
returns text[]
language plpgsql stable
set search_path = ''
as $$
declare
    v_options text[] := array(select btrim(x.o) from unnest(p_options) with ordinality x (o, position) order by x.position);
begin
    if (p_type in ('choice', 'multi_choice')) <> (cardinality(v_options) > 0) or cardinality(v_options) > 100
        or array_position(v_options, null) is not null
        or exists (select from unnest(v_options) o where length(o) not between 1 and 100)
        or (select count(distinct lower(o)) from unnest(v_options) o) <> cardinality(v_options) then
        perform private.raise_error('FIELD_003', '{"part": "options"}');
    end if;
    return v_options;
end
$$;

-- A key for people to recognise: letters and digits of the label, numbered when another field has it.
create or replace function private.custom_field_key(p_org_id uuid, p_label text)
returns text
language sql stable
set search_path = ''
as $$
    with made as (
        select left(case when k ~ '^[a-z]' then k when k = '' then 'field' else 'field_' || k end, 40) as key
        from btrim(regexp_replace(lower(extensions.unaccent(p_label)), '[^a-z0-9]+', '_', 'g'), '_') k
    )
    select m.key || case when n > 1 then '_' || n else '' end
    from made m, generate_series(1, 1000) n
    where not exists (
        select from public.custom_field_definitions d where d.org_id = p_org_id and d.key = m.key || case when n > 1 then '_' || n else '' end)
    order by n limit 1
$$;

create or replace function public.create_custom_field(p_org_id uuid, p_label text, p_type text, p_options text[] default '{}', p_key text default null)
returns public.custom_field_definitions
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_field public.custom_field_definitions;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    perform from public.organizations o where o.id = p_org_id for no key update;
    perform private.check_custom_field_room(p_org_id);
    if p_type is null or p_type not in ('text', 'number', 'date', 'boolean', 'choice', 'multi_choice') then
        perform private.raise_error('FIELD_003', '{"part": "type"}');
    end if;
    if p_key !~ '^[a-z][a-z0-9_]{0,49}$' then
        perform private.raise_error('FIELD_003', '{"part": "key"}');
    end if;
    if coalesce(btrim(p_label), '') = '' or length(btrim(p_label)) > 80 then
        perform private.raise_error('FIELD_003', '{"part": "label"}');
    end if;
    begin
        insert into public.custom_field_definitions (org_id, key, label, type, options, position)
        values (p_org_id, coalesce(p_key, private.custom_field_key(p_org_id, p_label)), btrim(p_label), p_type,
            private.custom_field_options(p_type, coalesce(p_options, '{}')),
            (select coalesce(max(d.position) + 1, 0) from public.custom_field_definitions d where d.org_id = p_org_id))
        returning * into v_field;
    exception when unique_violation then
        perform private.raise_error('FIELD_004');
    end;
    perform private.broadcast('org:' || p_org_id, 'contacts', '{"all": true}');
    return v_field;
end
$$;
comment on function public.create_custom_field(uuid, text, text, text[], text) is
    'p_type: text | number | date | boolean | choice | multi_choice; p_options for the choices; p_key (a-z, 0-9, _) is made from the label when null. Errors: AUTH_003, ORG_001, FIELD_002 (100), FIELD_003 (details.part), FIELD_004.';

create or replace function public.update_custom_field(p_id uuid, p_label text default null, p_options text[] default null, p_position integer default null)
returns public.custom_field_definitions
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_field public.custom_field_definitions := private.custom_field_for(p_id);
begin
    if btrim(p_label) = '' or length(btrim(p_label)) > 80 then
        perform private.raise_error('FIELD_003', '{"part": "label"}');
    end if;
    begin
        update public.custom_field_definitions d set
            label = coalesce(btrim(p_label), d.label), position = coalesce(p_position, d.position), updated_at = clock_timestamp(),
            options = case when p_options is null then d.options else private.custom_field_options(d.type, p_options) end
        where d.id = p_id returning d.* into v_field;
    exception when unique_violation then
        perform private.raise_error('FIELD_004');
    end;
    perform private.broadcast('org:' || v_field.org_id, 'contacts', '{"all": true}');
    return v_field;
end
$$;
comment on function public.update_custom_field(uuid, text, text[], integer) is
    'null leaves as it is; values with an option that is taken away stay until they are edited. Errors: AUTH_003, FIELD_001, FIELD_003 (details.part), FIELD_004.';

create or replace function public.archive_custom_field(p_id uuid)
returns public.custom_field_definitions
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_field public.custom_field_definitions := private.custom_field_for(p_id);
begin
    update public.custom_field_definitions d set archived_at = coalesce(d.archived_at, now()), updated_at = clock_timestamp()
    where d.id = p_id returning d.* into v_field;
    perform private.broadcast('org:' || v_field.org_id, 'contacts', '{"all": true}');
    return v_field;
end
$$;
comment on function public.archive_custom_field(uuid) is 'Values stay, new ones are refused. Errors: AUTH_003, FIELD_001.';

create or replace function public.restore_custom_field(p_id uuid)
returns public.custom_field_definitions
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_field public.custom_field_definitions := private.custom_field_for(p_id);
begin
    if v_field.archived_at is null then
        return v_field;
    end if;
    perform private.check_custom_field_room(v_field.org_id);
    begin
        update public.custom_field_definitions d set archived_at = null, updated_at = clock_timestamp() where d.id = p_id returning d.* into v_field;
    exception when unique_violation then
        perform private.raise_error('FIELD_004');
    end;
    perform private.broadcast('org:' || v_field.org_id, 'contacts', '{"all": true}');
    return v_field;
end
$$;
comment on function public.restore_custom_field(uuid) is 'Errors: AUTH_003, FIELD_001, FIELD_002, FIELD_004.';

-- p_present with the given keys changed; null clears. Errors name the field and what is wrong with its value.
create or replace function private.change_custom_values(p_org_id uuid, p_present jsonb, p_given jsonb)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
    v_value record;
    v_checked jsonb;
begin
    if jsonb_typeof(p_given) <> 'object' then
        perform private.raise_error('CONTACT_007', '{"field": "custom_fields"}');
    end if;
    for v_value in
        select g.key, g.value, d.id, d.archived_at,
            jsonb_build_object('key', d.key, 'label', d.label, 'type', d.type, 'options', d.options) as definition
        from jsonb_each(p_given) g
        left join public.custom_field_definitions d on d.org_id = p_org_id and d.key = g.key
    loop
        if v_value.value = 'null' then
            p_present := p_present - v_value.key;
            continue;
        end if;
        v_checked := case
            when v_value.id is null then '{"problem": "There is no such field."}'
            when v_value.archived_at is null then octopush.check_custom_value(v_value.definition, v_value.value)
            -- A form may send back what it was shown.
            when p_present -> v_value.key is distinct from v_value.value then '{"problem": "The field is archived."}'
            else jsonb_build_object('value', v_value.value) end;
        if v_checked ? 'problem' then
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', 'custom.' || v_value.key, 'problem', v_checked -> 'problem'));
        end if;
        p_present := case when v_checked -> 'value' = 'null' then p_present - v_value.key
            else p_present || jsonb_build_object(v_value.key, v_checked -> 'value') end;
    end loop;
    return p_present;
end
$$;

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

create or replace function private.tag_for(p_id uuid)
returns public.tags
language plpgsql stable
set search_path = ''
as $$
declare
    v_tag public.tags;
begin
    select t.* into v_tag from public.tags t where t.id = p_id and t.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('TAG_001');
    end if;
    perform private.require_permission(v_tag.org_id, 'tags.manage');
    return v_tag;
end
$$;

create or replace function public.update_tag(p_id uuid, p_name text, p_color text default null)
returns public.tags
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_tag public.tags := private.tag_for(p_id);
begin
    begin
        update public.tags t set name = btrim(p_name), color = coalesce(p_color, t.color) where t.id = p_id returning t.* into v_tag;
    exception
        when unique_violation then
            perform private.raise_error('TAG_003');
        when check_violation or not_null_violation then
            perform private.raise_error('TAG_004');
    end;
    perform private.broadcast('org:' || v_tag.org_id, 'contacts', '{"all": true}');
    return v_tag;
end
$$;
comment on function public.update_tag(uuid, text, text) is 'p_color: #rrggbb, null leaves it. Errors: AUTH_003, TAG_001, TAG_003 (name taken), TAG_004 (invalid).';

create or replace function public.delete_tag(p_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_tag public.tags := private.tag_for(p_id);
begin
    -- Contacts come before tags wherever both are locked.
    perform c.id from public.contacts c
    where c.org_id = v_tag.org_id and c.id in (select ct.contact_id from public.contact_tags ct where ct.org_id = v_tag.org_id and ct.tag_id = p_id)
    order by c.id for no key update;
    delete from public.tags where id = p_id;
    perform private.broadcast('org:' || v_tag.org_id, 'contacts', '{"all": true}');
end
$$;
comment on function public.delete_tag(uuid) is 'Also takes it off every contact. Errors: AUTH_003, TAG_001.';

-- The contact, whose row the caller has locked, has exactly these tags afterwards; whether that changed anything.
create or replace function private.put_tags(p_contact public.contacts, p_tag_ids uuid[])
returns boolean
language plpgsql volatile
set search_path = ''
as $$
declare
    v_added uuid[];
    v_removed uuid[];
begin
    perform private.check_tags(p_contact.org_id, p_tag_ids);
    with gone as (
        delete from public.contact_tags ct
        where ct.org_id = p_contact.org_id and ct.contact_id = p_contact.id and not (ct.tag_id = any (coalesce(p_tag_ids, '{}')))
        returning ct.tag_id
    )
    select coalesce(array_agg(tag_id), '{}') into v_removed from gone;
    with new as (
        insert into public.contact_tags (org_id, contact_id, tag_id)
        select distinct p_contact.org_id, p_contact.id, x from unnest(p_tag_ids) x
        on conflict do nothing
        returning tag_id
    )
    select coalesce(array_agg(tag_id), '{}') into v_added from new;
    if cardinality(v_added) + cardinality(v_removed) = 0 then
        return false;
    end if;
    perform private.record_activity(p_contact.org_id, 'contact.tags_changed', (select auth.uid()), p_contact.id,
        p_data => jsonb_build_object('added', to_jsonb(v_added), 'removed', to_jsonb(v_removed)));
    return true;
end
$$;

-- Locks the tags against deletion until the links are written. Error: TAG_001.
create or replace function private.check_tags(p_org_id uuid, p_tag_ids uuid[])
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform t.id from public.tags t where t.org_id = p_org_id and t.id = any (p_tag_ids) order by t.id for key share;
    if exists (select from unnest(p_tag_ids) x left join public.tags t on t.id = x and t.org_id = p_org_id where t.id is null) then
        perform private.raise_error('TAG_001');
    end if;
end
$$;

create or replace function public.set_contact_tags(p_id uuid, p_tag_ids uuid[])
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.write');
begin
    if private.put_tags(v_contact, p_tag_ids) then
        perform private.broadcast_contacts(v_contact.org_id, array[p_id]);
    end if;
end
$$;
comment on function public.set_contact_tags(uuid, uuid[]) is
    'The contact has exactly these tags afterwards. Errors: AUTH_003, CONTACT_001, CONTACT_010, TAG_001.';

create or replace view public.tag_usage with (security_invoker = true) as
select t.id as tag_id, t.org_id, (
    select count(*) from public.contact_tags ct join public.contacts c on c.org_id = ct.org_id and c.id = ct.contact_id and c.deleted_at is null
    where ct.org_id = t.org_id and ct.tag_id = t.id) as contacts
from public.tags t;
comment on view public.tag_usage is 'How many contacts outside the trash carry each tag.';

-- sql/code/30_contacts/25_counters.sql

-- messages_sent and last_message_at of contacts as we write to them; what they write is folded by worker.apply_messages, which holds them.
-- Must stay true: messages_sent + what waits in private.sent_messages equals a recount of outbound messages; whoever sends holds a
-- conversation already and never waits for a contact (lock order: contacts before conversations).

create or replace function private.count_sent()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    if not exists (select from new_messages m where m.direction = 'outbound') then
        return null;
    end if;
    with sent as materialized (
        select m.org_id, m.contact_id, count(*)::integer as sent, max(m.occurred_at) as last_at
        from new_messages m where m.direction = 'outbound' group by m.org_id, m.contact_id
    ), free as materialized (
        select c.id from public.contacts c where c.id in (select s.contact_id from sent s) order by c.id for no key update skip locked
    ), counted as (
        update public.contacts c set messages_sent = c.messages_sent + s.sent, last_message_at = greatest(c.last_message_at, s.last_at)
        from sent s join free f on f.id = s.contact_id where c.id = s.contact_id
    )
    insert into private.sent_messages (org_id, contact_id, sent, last_at)
    select s.org_id, s.contact_id, s.sent, s.last_at from sent s where s.contact_id not in (select f.id from free f);
    return null;
end
$$;

create or replace trigger messages__count_sent after insert on public.messages
    referencing new table as new_messages for each statement execute function private.count_sent();

-- Counts what waits, for contacts nobody holds. Called by the maintenance role, every few seconds.
create or replace function private.fold_sent_messages(p_limit integer)
returns void
language sql volatile
set search_path = ''
as $$
    with waiting as materialized (
        select distinct w.contact_id from (select x.contact_id from private.sent_messages x order by x.id limit p_limit) w
    ), free as materialized (
        select c.id from public.contacts c where c.id in (select w.contact_id from waiting w) order by c.id for no key update skip locked
    ), taken as (
        delete from private.sent_messages w
        where w.contact_id in (select f.id from free f)
            -- Gone with its organisation.
            or (w.contact_id in (select x.contact_id from waiting x) and not exists (select from public.contacts c where c.id = w.contact_id))
        returning w.contact_id, w.sent, w.last_at
    ), folded as (
        select t.contact_id, sum(t.sent)::integer as sent, max(t.last_at) as last_at from taken t group by t.contact_id
    )
    update public.contacts c set messages_sent = c.messages_sent + f.sent, last_message_at = greatest(c.last_message_at, f.last_at)
    from folded f where c.id = f.contact_id
$$;

-- sql/code/30_contacts/30_consent.sql

-- Consent to marketing (PRD §5.6): one person at a time here, many at once through private.record_consents.
-- Must stay true: a consent changes together with its line of history and its activity, or not at all.

-- p_changes: [{contact_id, old, new, source, evidence, decided_at?}], of contacts whose rows the caller has locked and changes itself.
-- Called by everything that changes consent: this file, creation, bulk changes, imports, keywords, merges.
create or replace function private.record_consents(p_org_id uuid, p_actor uuid, p_changes jsonb)
returns void
language sql volatile
set search_path = ''
as $$
    with changes as materialized (
        select x.contact_id, x.old, x.new, x.source, left(x.evidence, 500) as evidence, coalesce(x.decided_at, clock_timestamp()) as decided_at
        from jsonb_to_recordset(p_changes) as x (contact_id uuid, old text, new text, source text, evidence text, decided_at timestamptz)
    ), history as (
        insert into public.contact_consents (org_id, contact_id, old_status, new_status, source, evidence, actor_id, decided_at)
        select p_org_id, c.contact_id, c.old, c.new, c.source, c.evidence, p_actor, c.decided_at from changes c
    )
    insert into public.activity_log (org_id, kind, actor_id, contact_id, data)
    select p_org_id, 'contact.consent_changed', p_actor, c.contact_id, jsonb_build_object('old', c.old, 'new', c.new, 'source', c.source)
    from changes c
$$;

create or replace function private.check_consent(p_status text, p_source text, p_evidence text)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if p_status is null or p_status not in ('opted_in', 'opted_out', 'pending') then
        perform private.raise_error('CONTACT_007', '{"field": "opt_in_status"}');
    end if;
    if p_source is null or p_source not in ('form', 'whatsapp', 'import', 'manual') then
        perform private.raise_error('CONTACT_007', '{"field": "opt_in_source"}');
    end if;
    if length(p_evidence) > 500 then
        perform private.raise_error('CONTACT_007', '{"field": "evidence"}');
    end if;
end
$$;

create or replace function public.set_contact_consent(p_id uuid, p_status text, p_source text default 'manual', p_evidence text default null)
returns public.contacts
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.write');
begin
    perform private.check_consent(p_status, p_source, p_evidence);
    if v_contact.deleted_at is not null then
        perform private.raise_error('CONTACT_004', jsonb_build_object('contact_id', p_id));
    end if;
    if v_contact.opt_in_status = p_status then
        return v_contact;
    end if;
    perform private.record_consents(v_contact.org_id, (select auth.uid()), jsonb_build_array(jsonb_build_object('contact_id', p_id,
        'old', v_contact.opt_in_status, 'new', p_status, 'source', p_source, 'evidence', nullif(btrim(p_evidence), ''))));
    update public.contacts c set
        opt_in_status = p_status, opt_in_source = p_source, updated_at = clock_timestamp(),
        opt_in_at = case when p_status = 'opted_in' then now() else c.opt_in_at end
    where c.id = p_id returning c.* into v_contact;
    perform private.broadcast('org:' || v_contact.org_id, 'activity', '{}');
    perform private.broadcast_contacts(v_contact.org_id, array[p_id]);
    return v_contact;
end
$$;
comment on function public.set_contact_consent(uuid, text, text, text) is
    'p_source: form | whatsapp | import | manual; p_evidence: what shows it, at most 500 characters. Errors: AUTH_003, CONTACT_001, CONTACT_004, CONTACT_007 (details.field), CONTACT_010.';

-- sql/code/30_contacts/35_keywords.sql

-- STOP and START: a message that is nothing but one of the organisation's words withdraws or gives consent, and is confirmed once. Called by
-- worker.apply_messages inside its transaction, and by the settings.
-- Must stay true: a redelivered message changes nothing; of two decisions the one that was written later holds, whatever arrived first; who is
-- already in the state gets no confirmation; the message itself stays an ordinary message of the conversation.

create or replace function private.add_default_keywords()
returns trigger
language plpgsql volatile
set search_path = ''
as $$
begin
    insert into public.consent_keywords (org_id, kind, word, bare)
    select o.id, k.kind, k.word, k.word from new_organizations o cross join private.default_keywords() k;
    return null;
end
$$;

create or replace function private.default_keywords()
returns table (kind text, word text, language text)
language sql immutable parallel safe
set search_path = ''
as $$
    values ('stop', 'STOP', 'en'), ('stop', 'UNSUBSCRIBE', 'en'), ('stop', 'BERHENTI', 'ms'), ('stop', 'HENTI', 'ms'), ('stop', 'BATAL', 'ms'),
        ('start', 'START', 'en'), ('start', 'SUBSCRIBE', 'en'), ('start', 'MULA', 'ms'), ('start', 'LANGGAN', 'ms')
$$;

create or replace trigger organizations__default_keywords after insert on public.organizations
    referencing new table as new_organizations for each statement execute function private.add_default_keywords();

-- Organisations older than the trigger. One that was given words of its own always has a stop word.
insert into public.consent_keywords (org_id, kind, word, bare)
select o.id, k.kind, k.word, k.word from public.organizations o cross join private.default_keywords() k
where not exists (select from public.consent_keywords x where x.org_id = o.id);

-- What is compared: capitals, without punctuation and blanks, typographic and Chinese ones included.
create or replace function private.bare_word(p_text text)
returns text
language sql immutable parallel safe
set search_path = ''
as $$ select upper(regexp_replace(p_text, '[[:punct:][:space:]“”‘’«»…–—·!?。，、！？　]', '', 'g')) $$;

create or replace function public.set_consent_keywords(p_org_id uuid, p_stop text[], p_start text[])
returns setof public.consent_keywords
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_kind text;
    v_words text[];
    v_all text[] := array[]::text[];
    v_stop_words integer;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    perform from public.organizations o where o.id = p_org_id for no key update;
    foreach v_kind in array array['stop', 'start'] loop
        v_words := array(
            select distinct upper(regexp_replace(btrim(w), '\s+', ' ', 'g'))
            from unnest(case v_kind when 'stop' then p_stop else p_start end) w);
        -- There must be a way out.
        if (v_kind = 'stop' and cardinality(v_words) = 0) or cardinality(v_words) > 20
            or exists (select from unnest(v_words) w where w is null or length(w) > 40 or private.bare_word(w) = '')
            or (select count(distinct private.bare_word(w)) from unnest(v_all || v_words) w) <> cardinality(v_all || v_words) then
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', v_kind));
        end if;
        v_all := v_all || v_words;
        v_stop_words := coalesce(v_stop_words, cardinality(v_words));
    end loop;
    delete from public.consent_keywords k where k.org_id = p_org_id;
    insert into public.consent_keywords (org_id, kind, word, bare)
    select p_org_id, case when x.position <= v_stop_words then 'stop' else 'start' end, x.word, private.bare_word(x.word)
    from unnest(v_all) with ordinality x (word, position);
    return query select k.* from public.consent_keywords k where k.org_id = p_org_id order by k.kind, k.word;
end
$$;
comment on function public.set_consent_keywords(uuid, text[], text[]) is
    'At most 20 words each, at least one to stop, no word twice. Errors: AUTH_003, ORG_001, CONTACT_007 (details.field stop | start).';

-- The confirmation, in the language of the word; in both for a word of the organisation's own.
create or replace function private.consent_reply(p_org_id uuid, p_kind text, p_word text)
returns text
language sql stable
set search_path = ''
as $$
    select string_agg(
        case d.language || p_kind
            when 'enstop' then format('You will get no more promotional messages from %s.', o.name)
            when 'enstart' then format('You will get promotional messages from %s.', o.name)
            when 'msstop' then format('Anda tidak akan menerima mesej promosi daripada %s lagi.', o.name)
            when 'msstart' then format('Anda akan menerima mesej promosi daripada %s.', o.name) end
        || coalesce(case d.language || p_kind
            when 'enstop' then format(' To get them again, reply %s.', d.back)
            when 'enstart' then format(' To stop them, reply %s.', d.back)
            when 'msstop' then format(' Untuk menerimanya semula, balas %s.', d.back)
            when 'msstart' then format(' Untuk berhenti, balas %s.', d.back) end, ''),
        E'\n\n' order by d.language)
    from public.organizations o
    cross join lateral (
        select l.language, (
            select k.word from public.consent_keywords k
            left join private.default_keywords() with ordinality b (kind, word, language, place) on b.word = k.word
            where k.org_id = p_org_id and k.kind <> p_kind order by (b.language = l.language) desc nulls last, b.place, k.word limit 1) as back
        from unnest(array['en', 'ms']) l (language)
        where l.language = coalesce((select b.language from private.default_keywords() b where b.word = p_word), l.language)
    ) d
    where o.id = p_org_id
$$;

-- p_inserted: what worker.apply_messages wrote; contacts and conversations are locked.
create or replace function private.apply_consent_keywords(p_inserted jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_decision record;
    v_status text;
    v_old text;
    v_message public.messages;
    -- These are taken in their order.
    v_batch uuid[] := array(select i.id from jsonb_to_recordset(p_inserted) as i (id uuid));
begin
    for v_decision in
        select i.id, i.org_id, i.conversation_id, i.contact_id, i.occurred_at, k.kind, k.word
        from jsonb_to_recordset(p_inserted) as i (
            id uuid, org_id uuid, conversation_id uuid, contact_id uuid, type text, body text, occurred_at timestamptz, is_new boolean)
        join public.consent_keywords k on k.org_id = i.org_id and k.bare = private.bare_word(i.body)
        -- A button of ours is a word, too.
        where i.is_new and i.type in ('text', 'button', 'interactive') and length(i.body) <= 80
        order by i.occurred_at, i.id
    loop
        v_status := case v_decision.kind when 'stop' then 'opted_out' else 'opted_in' end;
        select c.opt_in_status into v_old from public.contacts c where c.id = v_decision.contact_id;
        continue when v_old = v_status or exists (
            select from public.contact_consents x
            where x.org_id = v_decision.org_id and x.contact_id = v_decision.contact_id
                and case when x.source = 'whatsapp' and x.actor_id is null then x.decided_at > v_decision.occurred_at
                    -- Nor does a word that was held up undo what somebody put on record since. Meta's times are whole seconds.
                    else v_decision.kind = 'start' and x.new_status = 'opted_out' and x.decided_at >= v_decision.occurred_at + interval '1 second' end
        ) or exists (
            -- A later word that changed nothing when it came is on no record.
            select from public.conversations v
            join public.messages m on m.conversation_id = v.id and m.direction = 'inbound' and m.occurred_at > v_decision.occurred_at
            join public.consent_keywords k on k.org_id = v.org_id and k.kind <> v_decision.kind and k.bare = private.bare_word(m.body)
            where v.org_id = v_decision.org_id and v.contact_id = v_decision.contact_id
                and m.type in ('text', 'button', 'interactive') and length(m.body) <= 80 and m.id <> all (v_batch));
        update public.contacts c set opt_in_status = v_status, opt_in_source = 'whatsapp', updated_at = clock_timestamp(),
            opt_in_at = case when v_status = 'opted_in' then v_decision.occurred_at else c.opt_in_at end
        where c.id = v_decision.contact_id;
        perform private.record_consents(v_decision.org_id, null, jsonb_build_array(jsonb_build_object('contact_id', v_decision.contact_id,
            'old', v_old, 'new', v_status, 'source', 'whatsapp', 'evidence', v_decision.word || ', message ' || v_decision.id,
            'decided_at', v_decision.occurred_at)));
        perform private.broadcast_contacts(v_decision.org_id, array[v_decision.contact_id]);

        -- A number that cannot send just now, or a message that took a day to arrive: the decision holds without an answer.
        continue when private.may_send(v_decision.conversation_id, 'text') is not null;
        insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, status, client_key)
        select v.org_id, v.id, v.whatsapp_account_id, v.contact_id, 'outbound', 'text',
            private.consent_reply(v_decision.org_id, v_decision.kind, v_decision.word), 'pending', 'consent-' || v_decision.id
        from public.conversations v where v.id = v_decision.conversation_id
        on conflict (org_id, client_key) where client_key is not null do nothing
        returning * into v_message;
        if found then
            perform private.touch_conversation(v_decision.conversation_id, v_message);
            perform private.queue_message(v_message.id, 0);
            perform private.broadcast_messages(v_decision.conversation_id, array[v_message.id]);
        end if;
    end loop;
end
$$;

-- sql/code/30_contacts/40_search.sql

-- What makes contacts findable: private.contact_search, kept by triggers, and the patterns of a search. Called by the list, selections and
-- the inbox.
-- Must stay true: contact_search has one row for every contact outside the trash, with its present text; an update that changes none of the
-- searched columns (every inbound message) never touches it.

create or replace function private.contact_search_text(p_search_text text, p_wa_id text)
returns text
language sql immutable parallel safe
set search_path = ''
as $$ select ' ' || p_search_text || coalesce(' ' || p_wa_id, '') $$;

create or replace function private.add_to_search()
returns trigger
language plpgsql volatile
set search_path = ''
as $$
begin
    insert into private.contact_search (org_id, contact_id, created_at, search_text)
    select c.org_id, c.id, c.created_at, private.contact_search_text(c.search_text, c.wa_id) from new_contacts c where c.deleted_at is null;
    return null;
end
$$;

create or replace function private.follow_in_search()
returns trigger
language plpgsql volatile
set search_path = ''
as $$
begin
    if new.deleted_at is not null then
        delete from private.contact_search s where s.org_id = new.org_id and s.contact_id = new.id;
    else
        insert into private.contact_search (org_id, contact_id, created_at, search_text)
        values (new.org_id, new.id, new.created_at, private.contact_search_text(new.search_text, new.wa_id))
        on conflict (org_id, contact_id) do update set search_text = excluded.search_text, created_at = excluded.created_at;
    end if;
    return null;
end
$$;

create or replace function private.take_from_search()
returns trigger
language plpgsql volatile
set search_path = ''
as $$
begin
    delete from private.contact_search s using old_contacts c where s.org_id = c.org_id and s.contact_id = c.id;
    return null;
end
$$;

create or replace trigger contacts__take_from_search after delete on public.contacts
    referencing old table as old_contacts for each statement execute function private.take_from_search();
create or replace trigger contacts__add_to_search after insert on public.contacts
    referencing new table as new_contacts for each statement execute function private.add_to_search();
create or replace trigger contacts__follow_in_search after update on public.contacts
    for each row when (
        old.search_text is distinct from new.search_text or old.wa_id is distinct from new.wa_id or old.created_at <> new.created_at
        or (old.deleted_at is null) <> (new.deleted_at is null))
    execute function private.follow_in_search();

-- The digits as they stand in a stored number: with the country's code where the organisation writes a leading zero. A fragment is filled
-- up to a number that is valid there, and what was filled in is taken off again.
create or replace function private.stored_digits(p_org_id uuid, p_digits text)
returns text
language plpgsql stable
set search_path = ''
as $$
declare
    v_country text;
    v_phone text;
begin
    if p_digits like '00%' then
        return '+' || ltrim(p_digits, '0');
    end if;
    if p_digits not like '0%' then
        return p_digits;
    end if;
    select o.country into v_country from public.organizations o where o.id = p_org_id;
    for i in 0..10 loop
        v_phone := octopush.normalize_phone(p_digits || left('3456789012', i), v_country);
        if v_phone is not null then
            return left(v_phone, length(v_phone) - i);
        end if;
    end loop;
    return ltrim(p_digits, '0');
end
$$;

-- Every word must be found; a word is found by any of its patterns. null: the search says nothing. Words of one and two letters are looked
-- for where words begin, because an index of three-letter pieces can find nothing shorter.
create or replace function private.search_patterns(p_org_id uuid, p_search text)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
    v_search text := lower(btrim(left(p_search, 200), E' \t\r\n'));
    v_words text[];
    v_word text;
    v_digits text;
    v_patterns text[];
    v_result jsonb;
begin
    -- A number may be written with blanks and brackets.
    if v_search ~ '^[0-9+()./ -]+$' and length(regexp_replace(v_search, '\D', '', 'g')) >= 3 then
        v_words := array[v_search];
    else
        v_words := (regexp_split_to_array(v_search, '\s+'))[1:8];
    end if;
    foreach v_word in array coalesce(v_words, '{}') loop
        v_word := ltrim(v_word, '@');
        v_digits := regexp_replace(v_word, '\D', '', 'g');
        v_patterns := array[replace(replace(replace(v_word, '\', '\\'), '%', '\%'), '_', '\_')];
        if v_word = '' then
            continue;
        elsif v_word ~ '^[0-9+()./ -]+$' and length(v_digits) >= 3 then
            if v_word like '+%' then
                v_digits := '+' || v_digits;
            end if;
            v_patterns := array['%' || v_digits || '%', '%' || private.stored_digits(p_org_id, v_digits) || '%'];
            if v_patterns[1] = v_patterns[2] then
                v_patterns := v_patterns[1:1];
            end if;
        elsif length(v_word) < 3 then
            v_patterns := array['% ' || v_patterns[1] || '%'] || case when v_digits = v_word then array['% +' || v_digits || '%'] else '{}' end;
        else
            v_patterns := array['%' || v_patterns[1] || '%'];
        end if;
        v_result := coalesce(v_result, '[]') || jsonb_build_array(to_jsonb(v_patterns));
    end loop;
    return v_result;
end
$$;

-- sql/code/30_contacts/45_list.sql

-- Which contacts: selections and the list (PRD §5.3). Definer, because the operators of trigram search are not leakproof: behind a policy
-- they could not use their index. The organisation is checked first and leads every query.
-- Must stay true: values reach SQL as parameters only; the text that is executed consists of the literals below and of predicates made by
-- octopush.compile_segment. Parameters of every such query: $1 text[] values of the rules, $2 now, $3 organisation, $4 text[] patterns.

-- The rows a search, rules and the trash leave: source and conditions as text, with their values.
create or replace function private.contact_filter(
    p_org_id uuid, p_search text, p_rules jsonb, p_trash boolean, p_needs_contacts boolean
) returns private.contact_filter
language plpgsql stable
set search_path = ''
as $$
declare
    v_patterns jsonb := private.search_patterns(p_org_id, p_search);
    v_context jsonb;
    v_problems jsonb;
    v_column text := case when p_trash then '(private.contact_search_text(c.search_text, c.wa_id))' else 's.search_text' end;
    v_word jsonb;
    v_found text;
    v_filter private.contact_filter;
begin
    v_filter.patterns := '{}';
    if p_trash then
        v_filter.source := 'public.contacts c';
        v_filter.condition := 'c.org_id = $3 and c.deleted_at is not null and c.erased_at is null';
    elsif v_patterns is null and (p_needs_contacts or p_rules is not null) then
        v_filter.source := 'public.contacts c';
        v_filter.condition := 'c.org_id = $3 and c.deleted_at is null';
    else
        v_filter.source := 'private.contact_search s';
        v_filter.condition := 's.org_id = $3';
        if p_needs_contacts or p_rules is not null then
            v_filter.source := v_filter.source || ' join public.contacts c on c.org_id = s.org_id and c.id = s.contact_id and c.deleted_at is null';
        end if;
    end if;
    for v_word in select w.value from jsonb_array_elements(v_patterns) w loop
        select string_agg(format('%s like ($4)[%s]', v_column, cardinality(v_filter.patterns) + p.position), ' or ') into v_found
        from jsonb_array_elements_text(v_word) with ordinality p (pattern, position);
        v_filter.condition := v_filter.condition || ' and (' || v_found || ')';
        v_filter.patterns := v_filter.patterns || array(select p.value from jsonb_array_elements_text(v_word) p);
    end loop;
    if p_rules is not null and p_rules <> 'null' then
        -- What is in the trash is not in the search.
        v_context := private.segment_context(p_org_id) || jsonb_build_object('search', not p_trash);
        v_problems := octopush.check_segment(p_rules, v_context);
        if jsonb_array_length(v_problems) > 0 then
            perform private.raise_error('SEGMENT_002', jsonb_build_object('problems', v_problems));
        end if;
        select v_filter.condition || ' and (' || r.predicate || ')', r.params into v_filter.condition, v_filter.rule_values
        from octopush.compile_segment(p_rules, v_context, 1) r;
    end if;
    return v_filter;
end
$$;

create or replace function private.selected_contacts(p_org_id uuid, p_selection jsonb)
returns setof uuid
language plpgsql stable
set search_path = ''
as $$
declare
    v_filter private.contact_filter;
    v_except uuid[] := array[]::uuid[];
begin
    if p_selection is null or jsonb_typeof(p_selection) <> 'object'
        or exists (select from jsonb_object_keys(p_selection) k where k not in ('ids', 'search', 'rules', 'trash', 'except'))
        or (p_selection ? 'ids' and (select count(*) from jsonb_object_keys(p_selection)) > 1)
        or coalesce(jsonb_typeof(p_selection -> 'search') not in ('string', 'null'), false)
        or coalesce(jsonb_typeof(p_selection -> 'trash') not in ('boolean', 'null'), false)
        or coalesce(jsonb_typeof(p_selection -> 'rules') not in ('object', 'null'), false)
        or coalesce(jsonb_typeof(p_selection -> 'ids') <> 'array', false)
        or coalesce(jsonb_typeof(p_selection -> 'except') not in ('array', 'null'), false)
    then
        perform private.raise_error('CONTACT_012');
    end if;
    begin
        if p_selection ? 'ids' then
            return query
            select c.id from public.contacts c
            where c.org_id = p_org_id and c.erased_at is null
                and c.id = any (array(select x.value::uuid from jsonb_array_elements_text(p_selection -> 'ids') x));
            return;
        end if;
        if jsonb_typeof(p_selection -> 'except') = 'array' then
            v_except := array(select x.value::uuid from jsonb_array_elements_text(p_selection -> 'except') x);
        end if;
    exception when invalid_text_representation then
        perform private.raise_error('CONTACT_012');
    end;
    v_filter := private.contact_filter(p_org_id, p_selection ->> 'search', nullif(p_selection -> 'rules', 'null'),
        coalesce((p_selection ->> 'trash')::boolean, false), true);
    return query execute format('select c.id from %s where %s and c.id <> all ($5)', v_filter.source, v_filter.condition)
        using v_filter.rule_values, private.clock(), p_org_id, v_filter.patterns, v_except;
end
$$;
comment on function private.selected_contacts(uuid, jsonb) is
    'Resolves {"ids"} or {"search", "rules", "trash", "except"}. Ids of others are left out. The caller has checked who asks. Errors: CONTACT_012, SEGMENT_002.';

-- The page by a walk along an index of the sort: without sorts the planner can do nothing else, and whoever calls this knows that it will
-- soon have met enough contacts that match. It starts at the end that is nearer.
create or replace function private.walk_page(
    p_org_id uuid, p_filter private.contact_filter, p_key text, p_descending boolean, p_total bigint, p_limit bigint, p_offset bigint
) returns uuid[]
language plpgsql stable
set search_path = ''
set enable_sort = off
-- An Append that is not parallel keeps the order of its parts.
set max_parallel_workers_per_gather = 0
as $$
declare
    v_from_end boolean := p_offset > p_total / 2;
    v_direction text := case when p_descending <> v_from_end then 'desc' else 'asc' end;
    v_named text := format('(select c.id from %s where %s and %s is not null order by %3$s %s, c.id %4$s)', p_filter.source, p_filter.condition,
        p_key, v_direction);
    v_unnamed text := format('(select c.id from %s where %s and %s is null order by c.id %s)', p_filter.source, p_filter.condition, p_key, v_direction);
    v_ids uuid[];
begin
    -- Contacts without the key come last whichever way the others are sorted.
    execute format('select array(%s limit $5 offset $6)', case
            when p_key = 'c.created_at' then v_named
            when v_from_end then v_unnamed || ' union all ' || v_named
            else v_named || ' union all ' || v_unnamed end)
        into v_ids using p_filter.rule_values, private.clock(), p_org_id, p_filter.patterns, p_limit,
            case when v_from_end then p_total - p_offset - p_limit else p_offset end;
    return case when v_from_end then array(select x.id from unnest(v_ids) with ordinality x (id, position) order by x.position desc) else v_ids end;
end
$$;

-- The page by finding all that match and sorting them.
create or replace function private.sort_page(
    p_org_id uuid, p_filter private.contact_filter, p_id text, p_key text, p_descending boolean, p_limit bigint, p_offset bigint
) returns uuid[]
language plpgsql stable
set search_path = ''
set work_mem = '16MB'
as $$
declare
    v_ids uuid[];
begin
    execute format('with matching as materialized (select %s as id, %s as key from %s where %s)
        select array(select m.id from matching m order by m.key %5$s nulls last, m.id %5$s limit $5 offset $6)',
        p_id, p_key, p_filter.source, p_filter.condition, case when p_descending then 'desc' else 'asc' end)
        into v_ids using p_filter.rule_values, private.clock(), p_org_id, p_filter.patterns, p_limit, p_offset;
    return v_ids;
end
$$;

create or replace function private.list_page(
    p_org_id uuid, p_search text, p_rules jsonb, p_trash boolean, p_key text, p_descending boolean, p_limit integer, p_offset bigint,
    out total bigint, out ids uuid[]
)
language plpgsql stable
set search_path = ''
as $$
declare
    v_filter private.contact_filter := private.contact_filter(p_org_id, p_search, p_rules, p_trash, p_trash);
    v_by_text_only boolean := v_filter.source = 'private.contact_search s';
    v_limit bigint;
    v_walk double precision;
    v_all double precision;
begin
    -- Rules may have to look at every contact: that is done once, and the ids are kept.
    execute format('select count(*), %s from %s where %s', case when p_rules is null then 'null::uuid[]' else 'array_agg(c.id)' end,
        v_filter.source, v_filter.condition)
        into total, ids using v_filter.rule_values, private.clock(), p_org_id, v_filter.patterns;
    v_limit := least(p_limit::bigint, total - p_offset);
    if v_limit <= 0 then
        ids := '{}';
        return;
    end if;
    -- Contacts the walk meets until the page is full, if those that match are spread evenly.
    v_walk := (least(p_offset, total - p_offset - v_limit) + v_limit)::double precision;
    if p_rules is not null or v_filter.patterns <> '{}' then
        select greatest(k.reltuples, 1)::double precision into v_all from pg_catalog.pg_class k where k.oid = 'private.contact_search'::regclass;
        v_walk := v_walk * v_all / total::double precision;
    end if;
    if not p_trash and v_walk < total then
        ids := private.walk_page(p_org_id, private.contact_filter(p_org_id, p_search, p_rules, false, true), p_key, p_descending, total, v_limit, p_offset);
    elsif p_rules is not null then
        v_filter.source := 'unnest($1::uuid[]) x (id) join public.contacts c on c.id = x.id';
        v_filter.condition := 'true';
        v_filter.rule_values := ids::text[];
        ids := private.sort_page(p_org_id, v_filter, 'c.id', p_key, p_descending, v_limit, p_offset);
    elsif v_by_text_only and p_key = 'c.created_at' then
        ids := private.sort_page(p_org_id, v_filter, 's.contact_id', 's.created_at', p_descending, v_limit, p_offset);
    else
        ids := private.sort_page(p_org_id, private.contact_filter(p_org_id, p_search, p_rules, p_trash, true), 'c.id', p_key, p_descending, v_limit, p_offset);
    end if;
end
$$;

create or replace function public.list_contacts(
    p_org_id uuid,
    p_search text default null,
    p_rules jsonb default null,
    p_sort text default 'created_at',
    p_descending boolean default true,
    p_limit integer default 25,
    p_offset integer default 0,
    p_trash boolean default false
) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_page record;
    v_key text := case p_sort when 'name' then 'lower(c.full_name)' when 'last_message_at' then 'c.last_message_at'
        when 'created_at' then 'c.created_at' when 'phone' then 'c.phone' end;
begin
    perform private.require_permission(p_org_id, case when p_trash then 'contacts.trash' else 'read' end);
    if v_key is null then
        perform private.raise_error('CONTACT_007', '{"field": "sort"}');
    end if;
    v_page := private.list_page(p_org_id, p_search, nullif(p_rules, 'null'), coalesce(p_trash, false), v_key, coalesce(p_descending, true),
        least(greatest(coalesce(p_limit, 25), 1), 200), greatest(coalesce(p_offset, 0), 0));
    return jsonb_build_object('total', v_page.total, 'contacts', coalesce((
        select jsonb_agg(to_jsonb(c) - 'search_text' || jsonb_build_object('tags', coalesce((
            select jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'color', t.color) order by lower(t.name))
            from public.contact_tags ct join public.tags t on t.id = ct.tag_id
            where ct.org_id = p_org_id and ct.contact_id = c.id), '[]')) order by p.position)
        from unnest(v_page.ids) with ordinality p (id, position)
        join public.contacts c on c.id = p.id), '[]'));
end
$$;
comment on function public.list_contacts(uuid, text, jsonb, text, boolean, integer, integer, boolean) is
    'p_search: words of name, phone in any notation, e-mail, company, user name; p_rules: a segment''s; p_sort: name | last_message_at | created_at | phone, contacts without it last; p_limit at most 200 → {"total", "contacts"}. Errors: AUTH_002, AUTH_003, ORG_001, CONTACT_007, SEGMENT_002 (details.problems).';

-- sql/code/30_contacts/50_bulk.sql

-- The same change of many contacts. Called by change_contacts below for up to 500, by the jobs worker piece by piece for more.
-- Must stay true: contacts are locked in the order of their ids; a contact that is in the trash or erased by now is left out; every contact
-- that changed has its line in the feed; browsers are told once a call.

-- Refuses what is not a change. Error: CONTACT_007 (details.field), TAG_001.
create or replace function private.check_contact_change(p_org_id uuid, p_change jsonb)
returns void
language plpgsql stable
set search_path = ''
as $$
declare
    v_action text := p_change ->> 'action';
    v_allowed text[] := case v_action
        when 'add_tags' then array['action', 'tag_ids'] when 'remove_tags' then array['action', 'tag_ids']
        when 'set_consent' then array['action', 'status', 'source', 'evidence'] when 'set_lifecycle_stage' then array['action', 'stage']
        when 'delete' then array['action'] when 'restore' then array['action'] end;
    v_tag_ids uuid[];
begin
    if jsonb_typeof(p_change) is distinct from 'object' or v_allowed is null then
        perform private.raise_error('CONTACT_007', '{"field": "action"}');
    end if;
    if exists (select from jsonb_object_keys(p_change) k where k <> all (v_allowed)) then
        perform private.raise_error('CONTACT_007', jsonb_build_object('field', (
            select min(k) from jsonb_object_keys(p_change) k where k <> all (v_allowed))));
    end if;
    if v_action in ('add_tags', 'remove_tags') then
        begin
            v_tag_ids := array(select x.value::uuid from jsonb_array_elements_text(p_change -> 'tag_ids') x);
        exception when data_exception then
            v_tag_ids := '{}';
        end;
        if cardinality(v_tag_ids) = 0 then
            perform private.raise_error('CONTACT_007', '{"field": "tag_ids"}');
        end if;
        -- Without a lock: contacts come before tags, and apply_contact_change takes both in that order.
        if exists (select from unnest(v_tag_ids) x where not exists (select from public.tags t where t.org_id = p_org_id and t.id = x)) then
            perform private.raise_error('TAG_001');
        end if;
    elsif v_action = 'set_consent' then
        perform private.check_consent(p_change ->> 'status', coalesce(p_change ->> 'source', 'manual'), p_change ->> 'evidence');
    elsif v_action = 'set_lifecycle_stage' and coalesce(p_change ->> 'stage', '') not in ('lead', 'prospect', 'customer', 'churned') then
        perform private.raise_error('CONTACT_007', '{"field": "lifecycle_stage"}');
    end if;
end
$$;

-- p_change as check_contact_change accepts it; how many contacts it changed.
create or replace function private.apply_contact_change(p_org_id uuid, p_contact_ids uuid[], p_change jsonb, p_actor uuid)
returns integer
language plpgsql volatile
set search_path = ''
as $$
declare
    v_action text := p_change ->> 'action';
    v_ids uuid[];
    v_changed uuid[];
    v_tag_ids uuid[];
    v_consents jsonb;
    v_kind text := case v_action when 'delete' then 'contact.deleted' when 'restore' then 'contact.restored' when 'set_lifecycle_stage' then 'contact.updated' end;
begin
    select coalesce(array_agg(x.id), '{}') into v_ids from (
        select c.id from public.contacts c
        where c.org_id = p_org_id and c.id = any (p_contact_ids) and c.erased_at is null and (c.deleted_at is not null) = (v_action = 'restore')
        order by c.id for no key update
    ) x;
    if v_action in ('add_tags', 'remove_tags') then
        -- A tag may have been deleted since a job was queued: the others are still meant.
        v_tag_ids := array(
            select t.id from public.tags t
            where t.org_id = p_org_id and t.id in (select x.value::uuid from jsonb_array_elements_text(p_change -> 'tag_ids') x)
            order by t.id for key share);
    end if;

    case v_action
    when 'add_tags' then
        with made as (
            insert into public.contact_tags (org_id, contact_id, tag_id)
            select p_org_id, c, t from unnest(v_ids) c cross join unnest(v_tag_ids) t
            on conflict do nothing returning contact_id, tag_id
        ), told as (
            insert into public.activity_log (org_id, kind, actor_id, contact_id, data)
            select p_org_id, 'contact.tags_changed', p_actor, m.contact_id,
                jsonb_build_object('added', jsonb_agg(m.tag_id), 'removed', '[]'::jsonb)
            from made m group by m.contact_id returning contact_id
        )
        select array_agg(t.contact_id) into v_changed from told t;
    when 'remove_tags' then
        with gone as (
            delete from public.contact_tags ct
            where ct.org_id = p_org_id and ct.contact_id = any (v_ids) and ct.tag_id = any (v_tag_ids)
            returning ct.contact_id, ct.tag_id
        ), told as (
            insert into public.activity_log (org_id, kind, actor_id, contact_id, data)
            select p_org_id, 'contact.tags_changed', p_actor, g.contact_id,
                jsonb_build_object('added', '[]'::jsonb, 'removed', jsonb_agg(g.tag_id))
            from gone g group by g.contact_id returning contact_id
        )
        select array_agg(t.contact_id) into v_changed from told t;
    when 'set_consent' then
        with changed as (
            update public.contacts c set
                opt_in_status = p_change ->> 'status', opt_in_source = coalesce(p_change ->> 'source', 'manual'), updated_at = clock_timestamp(),
                opt_in_at = case when p_change ->> 'status' = 'opted_in' then now() else c.opt_in_at end
            from (select o.id, o.opt_in_status from public.contacts o where o.id = any (v_ids)) o
            where c.id = o.id and o.opt_in_status <> p_change ->> 'status'
            returning c.id, o.opt_in_status as old
        )
        select array_agg(c.id), jsonb_agg(jsonb_build_object('contact_id', c.id, 'old', c.old, 'new', p_change ->> 'status',
            'source', coalesce(p_change ->> 'source', 'manual'), 'evidence', nullif(btrim(p_change ->> 'evidence'), '')))
        into v_changed, v_consents from changed c;
        if v_consents is not null then
            perform private.record_consents(p_org_id, p_actor, v_consents);
        end if;
    when 'set_lifecycle_stage' then
        with changed as (
            update public.contacts c set lifecycle_stage = p_change ->> 'stage', updated_at = clock_timestamp()
            where c.id = any (v_ids) and c.lifecycle_stage <> p_change ->> 'stage' returning c.id
        )
        select array_agg(c.id) into v_changed from changed c;
    else
        with changed as (
            update public.contacts c set deleted_at = case when v_action = 'delete' then now() end, updated_at = clock_timestamp()
            where c.id = any (v_ids) returning c.id
        )
        select array_agg(c.id) into v_changed from changed c;
    end case;

    if v_changed is null then
        return 0;
    end if;
    if v_kind is not null then
        insert into public.activity_log (org_id, kind, actor_id, contact_id, data)
        select p_org_id, v_kind, p_actor, x,
            case when v_action = 'set_lifecycle_stage' then '{"fields": ["lifecycle_stage"]}'::jsonb else '{}'::jsonb end
        from unnest(v_changed) x;
    end if;
    perform private.broadcast('org:' || p_org_id, 'activity', '{}');
    perform private.broadcast_contacts(p_org_id, v_changed);
    return cardinality(v_changed);
end
$$;

create or replace function public.change_contacts(p_org_id uuid, p_selection jsonb, p_change jsonb)
returns public.jobs
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_ids uuid[];
    v_job public.jobs;
begin
    perform private.require_permission(p_org_id, 'contacts.bulk');
    if p_change ->> 'action' = 'delete' then
        perform private.require_permission(p_org_id, 'contacts.delete');
    end if;
    if p_change ->> 'action' = 'restore' or p_selection -> 'trash' = 'true' then
        perform private.require_permission(p_org_id, 'contacts.trash');
    end if;
    perform private.check_contact_change(p_org_id, p_change);
    v_ids := array(select x.id from private.selected_contacts(p_org_id, p_selection) x (id) order by x.id);
    -- More would keep a person waiting and hold rows that messages want to update.
    if cardinality(v_ids) > 500 then
        v_job := private.create_job(p_org_id, 'bulk_change', jsonb_build_object('change', p_change), cardinality(v_ids));
        insert into private.job_items (job_id, position, contact_id)
        select v_job.id, x.position, x.id from unnest(v_ids) with ordinality x (id, position);
        return v_job;
    end if;
    insert into public.jobs (org_id, kind, status, input, result, done_count, total_count, created_by, started_at, finished_at)
    values (p_org_id, 'bulk_change', 'done', jsonb_build_object('change', p_change),
        jsonb_build_object('changed', private.apply_contact_change(p_org_id, v_ids, p_change, (select auth.uid()))),
        cardinality(v_ids), cardinality(v_ids), (select auth.uid()), now(), now())
    returning * into v_job;
    return v_job;
end
$$;
comment on function public.change_contacts(uuid, jsonb, jsonb) is
    'Adds or removes tags, sets consent or stage, deletes or restores a selection; up to 500 contacts at once (job done, result.changed), more by a worker. Errors: AUTH_003, ORG_001, CONTACT_007 (details.field), CONTACT_012, JOB_005, SEGMENT_002, TAG_001.';

-- sql/code/30_contacts/60_timeline.sql

-- What happened with a contact, newest first (PRD §5.7). Called by the contact's page, 20 lines at a time.
-- Must stay true: everything is here once (what a message or a consent tells is not told again by the feed); a page costs the same for a
-- contact with three messages and one with fifty thousand: each source gives at most a page, by its index.

create or replace function public.contact_timeline(p_contact_id uuid, p_limit integer default 20, p_before text default null)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_contact public.contacts;
    v_limit integer := least(greatest(coalesce(p_limit, 20), 1), 100);
    v_at timestamptz := timestamptz 'infinity';
    v_id uuid := uuid 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    v_events jsonb;
    v_has_more boolean;
begin
    select c.* into v_contact from public.contacts c where c.id = p_contact_id and c.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('CONTACT_001');
    end if;
    perform private.require_permission(v_contact.org_id, case when v_contact.deleted_at is null then 'read' else 'contacts.trash' end);
    if v_contact.erased_at is not null then
        perform private.raise_error('CONTACT_010');
    end if;
    if p_before is not null then
        begin
            v_at := split_part(p_before, ' ', 1)::timestamptz;
            v_id := split_part(p_before, ' ', 2)::uuid;
        exception when data_exception then
            perform private.raise_error('CONTACT_007', '{"field": "before"}');
        end;
    end if;

    with events as (
        select x.* from public.conversations v
        cross join lateral (
            select m.id, m.occurred_at as at,
                case when m.type = 'note' then 'note.added' when m.direction = 'inbound' then 'message.received' else 'message.sent' end as kind,
                m.sent_by as actor_id,
                jsonb_build_object('conversation_id', m.conversation_id, 'type', m.type, 'preview', left(m.body, case m.type when 'note' then 4096 else 160 end)) || case
                    when m.direction = 'outbound' then jsonb_build_object('status', m.status) else '{}' end as data
            from public.messages m
            where m.conversation_id = v.id and (m.occurred_at, m.id) < (v_at, v_id) and m.type <> 'system'
            order by m.occurred_at desc, m.id desc limit v_limit + 1
        ) x
        where v.org_id = v_contact.org_id and v.contact_id = p_contact_id
        union all
        (select x.id, x.created_at, 'consent.changed', x.actor_id,
            jsonb_build_object('old', x.old_status, 'new', x.new_status, 'source', x.source, 'evidence', x.evidence)
        from public.contact_consents x
        where x.org_id = v_contact.org_id and x.contact_id = p_contact_id and (x.created_at, x.id) < (v_at, v_id)
        order by x.created_at desc, x.id desc limit v_limit + 1)
        union all
        (select l.id, l.created_at, l.kind, l.actor_id,
            l.data || case when l.conversation_id is null then '{}' else jsonb_build_object('conversation_id', l.conversation_id) end
        from public.activity_log l
        where l.org_id = v_contact.org_id and l.contact_id = p_contact_id and (l.created_at, l.id) < (v_at, v_id)
            -- To the letter the condition of activity_log__timeline__idx.
            and l.kind not in ('message.received', 'conversation.created', 'conversation.note_added', 'contact.consent_changed')
        order by l.created_at desc, l.id desc limit v_limit + 1)
    ), page as (
        select e.id, e.kind, e.at, e.actor_id, e.data || case when e.kind <> 'contact.tags_changed' then '{}' else (
            -- Names as they are now; of a tag that is gone its id is all that is left.
            select jsonb_build_object(
                'added', coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'name', t.name, 'color', t.color)) filter (where i.side = 'added'), '[]'),
                'removed', coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'name', t.name, 'color', t.color)) filter (where i.side = 'removed'), '[]'))
            from (
                select 'added' as side, a.id from jsonb_array_elements_text(e.data -> 'added') a (id)
                union all select 'removed', r.id from jsonb_array_elements_text(e.data -> 'removed') r (id)
            ) i left join public.tags t on t.org_id = v_contact.org_id and t.id = i.id::uuid
        ) end as data
        from events e order by e.at desc, e.id desc limit v_limit + 1
    )
    select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'kind', p.kind, 'at', p.at, 'actor_id', p.actor_id, 'actor_name', u.full_name,
            'data', p.data) order by p.place) filter (where p.place <= v_limit), '[]'),
        count(*) > v_limit
    into v_events, v_has_more
    from (select g.*, row_number() over (order by g.at desc, g.id desc) as place from page g) p
    left join public.profiles u on u.user_id = p.actor_id;
    return jsonb_build_object('events', v_events, 'next', case when v_has_more then
        (v_events #>> array[(v_limit - 1)::text, 'at']) || ' ' || (v_events #>> array[(v_limit - 1)::text, 'id']) end);
end
$$;
comment on function public.contact_timeline(uuid, integer, text) is
    'Messages, notes, consent, tags, edits and assignments, newest first: message.received | message.sent | note.added | consent.changed | contact.* | conversation.*. p_before: next of the page before. Errors: AUTH_002, AUTH_003, CONTACT_001, CONTACT_007, CONTACT_010.';

-- sql/code/30_contacts/70_merge.sql

-- Two contacts that turn out to be one person (design §6). Called by the contact's page.
-- Must stay true: nothing of either history is lost; locks are taken in the house's order (contacts, conversations, messages, outbox); of two
-- consents the stricter holds: a withdrawal wins over a consent, a consent over silence.

-- The messages of a conversation move into another one of the same number; both are locked. What the target shows is worked out anew.
create or replace function private.join_conversations(p_keep public.conversations, p_merge public.conversations)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_first_unread timestamptz;
    v_last public.messages;
    v_status text := (
        select x.status from unnest(array['open', 'pending', 'expired', 'resolved']) with ordinality x (status, place)
        where x.status in (p_keep.status, p_merge.status) order by x.place limit 1);
begin
    -- From the earliest message that somebody has not read in either thread.
    select min(m.created_at) into v_first_unread from public.messages m
    where m.direction = 'inbound' and ((m.conversation_id = p_keep.id and m.created_at > p_keep.last_read_at)
        or (m.conversation_id = p_merge.id and m.created_at > p_merge.last_read_at));
    perform m.id from public.messages m where m.conversation_id = p_merge.id order by m.id for no key update;
    update public.messages m set conversation_id = p_keep.id, contact_id = p_keep.contact_id where m.conversation_id = p_merge.id;
    update private.outbox o set conversation_id = p_keep.id where o.conversation_id = p_merge.id;
    update public.activity_log l set conversation_id = p_keep.id where l.org_id = p_keep.org_id and l.contact_id = p_merge.contact_id
        and l.conversation_id = p_merge.id;
    update public.notifications n set data = n.data || jsonb_build_object('conversation_id', p_keep.id)
    where n.org_id = p_keep.org_id and n.data ->> 'conversation_id' = p_merge.id::text;

    select m.* into v_last from public.messages m
    where m.conversation_id = p_keep.id and m.direction <> 'internal' order by m.occurred_at desc, m.id desc limit 1;
    update public.conversations c set
        status = v_status, is_quiet = c.is_quiet and p_merge.is_quiet, assigned_to = coalesce(c.assigned_to, p_merge.assigned_to),
        window_expires_at = greatest(c.window_expires_at, p_merge.window_expires_at),
        window_warned_at = greatest(c.window_warned_at, p_merge.window_warned_at),
        snoozed_until = case when v_status = 'pending' then coalesce(c.snoozed_until, p_merge.snoozed_until) end,
        last_inbound_at = greatest(c.last_inbound_at, p_merge.last_inbound_at),
        last_read_at = coalesce(v_first_unread - interval '1 microsecond', greatest(c.last_read_at, p_merge.last_read_at)),
        unread_count = (select count(*) from public.messages m
            where m.conversation_id = c.id and m.direction = 'inbound' and m.created_at >= v_first_unread),
        last_message_id = v_last.id, last_message_at = coalesce(v_last.occurred_at, greatest(c.last_message_at, p_merge.last_message_at)),
        last_message_preview = left(v_last.body, 160), last_message_type = v_last.type, last_message_direction = v_last.direction,
        created_at = least(c.created_at, p_merge.created_at), updated_at = now()
    where c.id = p_keep.id;
    delete from public.conversations c where c.id = p_merge.id;
end
$$;

create or replace function public.merge_contacts(p_keep_id uuid, p_merge_id uuid)
returns public.contacts
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_keep public.contacts;
    v_merge public.contacts;
    v_theirs public.conversations;
    v_ours public.conversations;
    v_conversation_ids uuid[];
    v_status text;
    v_waiting integer;
begin
    -- In the order of ids, whichever is kept.
    perform c.id from public.contacts c where c.id in (p_keep_id, p_merge_id) and c.org_id = any (private.my_org_ids()) order by c.id for update;
    select c.* into v_keep from public.contacts c where c.id = p_keep_id and c.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('CONTACT_001');
    end if;
    perform private.require_permission(v_keep.org_id, 'contacts.write');
    perform private.require_permission(v_keep.org_id, 'contacts.delete');
    select c.* into v_merge from public.contacts c where c.id = p_merge_id and c.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('CONTACT_001');
    end if;
    if v_keep.id = v_merge.id or v_keep.org_id <> v_merge.org_id or v_keep.deleted_at is not null or v_merge.deleted_at is not null then
        perform private.raise_error('CONTACT_009');
    end if;
    select coalesce(array_agg(x.id), '{}') into v_conversation_ids from (
        select c.id from public.conversations c
        where c.org_id = v_keep.org_id and c.contact_id in (p_keep_id, p_merge_id) order by c.id for update
    ) x;

    for v_theirs in select c.* from public.conversations c where c.org_id = v_keep.org_id and c.contact_id = p_merge_id order by c.id loop
        select c.* into v_ours from public.conversations c
        where c.whatsapp_account_id = v_theirs.whatsapp_account_id and c.contact_id = p_keep_id;
        if found then
            perform private.join_conversations(v_ours, v_theirs);
        else
            perform m.id from public.messages m where m.conversation_id = v_theirs.id order by m.id for no key update;
            update public.messages m set contact_id = p_keep_id where m.conversation_id = v_theirs.id;
            update public.conversations c set contact_id = p_keep_id, updated_at = now() where c.id = v_theirs.id;
        end if;
    end loop;

    insert into public.contact_tags (org_id, contact_id, tag_id, created_at)
    select ct.org_id, p_keep_id, ct.tag_id, ct.created_at from public.contact_tags ct
    where ct.org_id = v_keep.org_id and ct.contact_id = p_merge_id
    on conflict do nothing;
    update public.contact_consents x set contact_id = p_keep_id where x.org_id = v_keep.org_id and x.contact_id = p_merge_id;
    update public.activity_log l set contact_id = p_keep_id where l.org_id = v_keep.org_id and l.contact_id = p_merge_id;
    update public.notifications n set data = n.data || jsonb_build_object('contact_id', p_keep_id)
    where n.org_id = v_keep.org_id and n.data ->> 'contact_id' = p_merge_id::text;
    -- Where a person pinned both, the pin of the one that stays holds.
    insert into public.segment_pins (segment_id, contact_id, org_id, kind, created_by, created_at)
    select p.segment_id, p_keep_id, p.org_id, p.kind, p.created_by, p.created_at from public.segment_pins p
    where p.org_id = v_keep.org_id and p.contact_id = p_merge_id
    on conflict do nothing;
    with waiting as (
        delete from private.sent_messages w where w.contact_id in (p_keep_id, p_merge_id) returning w.sent
    )
    select coalesce(sum(w.sent), 0)::integer into v_waiting from waiting w;

    v_status := case
        when 'opted_out' in (v_keep.opt_in_status, v_merge.opt_in_status) then 'opted_out'
        when 'opted_in' in (v_keep.opt_in_status, v_merge.opt_in_status) then 'opted_in'
        else 'pending' end;
    if v_status <> v_keep.opt_in_status then
        perform private.record_consents(v_keep.org_id, (select auth.uid()), jsonb_build_array(jsonb_build_object('contact_id', p_keep_id,
            'old', v_keep.opt_in_status, 'new', v_status, 'source', coalesce(v_merge.opt_in_source, 'manual'), 'evidence', 'Merged contact ' || p_merge_id)));
    end if;
    -- First the one that goes: an identity names one row at a time.
    delete from public.contacts c where c.id = p_merge_id;
    update public.contacts c set
        phone = coalesce(c.phone, v_merge.phone), wa_id = coalesce(c.wa_id, v_merge.wa_id), bsuid = coalesce(c.bsuid, v_merge.bsuid),
        username = coalesce(c.username, v_merge.username), full_name = coalesce(c.full_name, v_merge.full_name),
        email = coalesce(c.email, v_merge.email), avatar_url = coalesce(c.avatar_url, v_merge.avatar_url),
        company = coalesce(c.company, v_merge.company), job_title = coalesce(c.job_title, v_merge.job_title),
        address = coalesce(c.address, v_merge.address), birthday = coalesce(c.birthday, v_merge.birthday),
        notes = nullif(left(concat_ws(E'\n\n', c.notes, case when v_merge.notes is distinct from c.notes then v_merge.notes end), 10000), ''),
        custom_fields = v_merge.custom_fields || c.custom_fields,
        opt_in_status = v_status,
        opt_in_at = case when v_status = 'opted_in' then coalesce(case when c.opt_in_status = 'opted_in' then c.opt_in_at end, v_merge.opt_in_at)
            else coalesce(c.opt_in_at, v_merge.opt_in_at) end,
        opt_in_source = case when v_status = c.opt_in_status then c.opt_in_source else v_merge.opt_in_source end,
        messages_received = c.messages_received + v_merge.messages_received,
        messages_sent = c.messages_sent + v_merge.messages_sent + v_waiting,
        last_message_at = greatest(c.last_message_at, v_merge.last_message_at),
        last_inbound_at = greatest(c.last_inbound_at, v_merge.last_inbound_at),
        created_at = least(c.created_at, v_merge.created_at), updated_at = clock_timestamp()
    where c.id = p_keep_id returning c.* into v_keep;
    -- Pins moved, which no trigger of the segments watches.
    insert into private.contact_changes (org_id, contact_id) values (v_keep.org_id, p_keep_id);

    perform private.record_activity(v_keep.org_id, 'contact.merged', (select auth.uid()), p_keep_id,
        p_data => jsonb_build_object('merged_id', p_merge_id, 'name', v_merge.full_name));
    perform private.broadcast_contacts(v_keep.org_id, array[p_keep_id, p_merge_id]);
    if cardinality(v_conversation_ids) > 0 then
        perform private.broadcast_conversations(v_keep.org_id, v_conversation_ids);
        perform private.broadcast('conversation:' || x, 'messages', '{"all": true}') from unnest(v_conversation_ids) x;
    end if;
    return v_keep;
end
$$;
comment on function public.merge_contacts(uuid, uuid) is
    'The first contact gets what the second has: identities and fields where it has none, both histories, tags, consents, segment pins; the second is gone. Errors: AUTH_003, CONTACT_001, CONTACT_009.';

-- sql/code/30_contacts/80_erase.sql

-- Erasing a person for good, at their request. Called by the contact's page; the raw webhooks follow in the background by the jobs worker.
-- Must stay true: afterwards no table tells who the person was or what was said; rows and counts stay; a new message from the same number
-- makes a new contact; what is left in the feed carries no personal data.

-- Feed and notification data without anything but ids, states and numbers.
create or replace function private.impersonal(p_data jsonb)
returns jsonb
language sql immutable parallel safe
set search_path = ''
as $$
    select coalesce(jsonb_object_agg(d.key, d.value), '{}') from jsonb_each(p_data) d
    where d.key in ('old', 'new', 'source', 'fields', 'added', 'removed', 'messages', 'user_id', 'by', 'until', 'merged_id', 'contact_id',
        'conversation_id', 'window_expires_at')
$$;

create or replace function public.erase_contact(p_id uuid, p_confirmation text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.trash');
    v_conversation_ids uuid[];
    v_needles text[];
    v_job public.jobs;
begin
    if p_confirmation is distinct from 'ERASE' then
        perform private.raise_error('CONTACT_011');
    end if;
    v_needles := array(select distinct n from unnest(array[ltrim(v_contact.phone, '+'), v_contact.wa_id, v_contact.bsuid]) n where n is not null);
    select coalesce(array_agg(x.id), '{}') into v_conversation_ids from (
        select c.id from public.conversations c where c.org_id = v_contact.org_id and c.contact_id = p_id order by c.id for no key update
    ) x;

    perform m.id from public.messages m where m.conversation_id = any (v_conversation_ids) order by m.id for no key update;
    delete from private.outbox o using public.messages m where m.conversation_id = any (v_conversation_ids) and o.message_id = m.id;
    update public.messages m set
        body = null, payload = null, reactions = '{}', error_message = null,
        -- Meta's ids are made from the number. A late report names an earlier try and brings none back.
        wa_message_id = null, reply_to_wa_message_id = null, send_try = m.send_try + 1, is_uncertain = false,
        status = case when m.status = 'pending' then 'failed' else m.status end,
        error_code = case when m.status = 'pending' then 'CONTACT_010' else m.error_code end,
        failed_at = case when m.status = 'pending' then clock_timestamp() else m.failed_at end
    where m.conversation_id = any (v_conversation_ids);
    update public.conversations c set
        last_message_preview = null, status = 'resolved', snoozed_until = null, window_expires_at = null,
        unread_count = 0, last_read_at = clock_timestamp(), updated_at = now()
    where c.id = any (v_conversation_ids);

    update public.activity_log l set data = private.impersonal(l.data)
    where l.org_id = v_contact.org_id and l.contact_id = p_id and l.data <> private.impersonal(l.data);
    update public.notifications n set data = private.impersonal(n.data)
    where n.org_id = v_contact.org_id and n.data ->> 'contact_id' = p_id::text and n.data <> private.impersonal(n.data);
    update public.whatsapp_events e set payload = jsonb_build_object('erased', e.id)
    where e.org_id = v_contact.org_id and exists (select from unnest(v_needles) n where position(n in e.payload::text) > 0);
    delete from private.parked_statuses s
    where s.phone_number_id in (select a.phone_number_id from public.whatsapp_accounts a
            where a.org_id = v_contact.org_id and a.connected_at is not null)
        and exists (select from unnest(v_needles) n where position(n in s.status::text) > 0);
    update public.contact_consents x set evidence = null where x.org_id = v_contact.org_id and x.contact_id = p_id and x.evidence is not null;
    delete from public.contact_tags ct where ct.org_id = v_contact.org_id and ct.contact_id = p_id;
    delete from public.segment_pins p where p.org_id = v_contact.org_id and p.contact_id = p_id;

    update public.contacts c set
        phone = null, wa_id = null, bsuid = null, username = null, full_name = null, email = null, avatar_url = null, company = null,
        job_title = null, address = null, notes = null, birthday = null, custom_fields = '{}', lifecycle_stage = 'lead',
        opt_in_status = 'pending', opt_in_at = null, opt_in_source = null,
        deleted_at = coalesce(c.deleted_at, now()), erased_at = now(), updated_at = clock_timestamp()
    where c.id = p_id;

    v_job := private.create_job(v_contact.org_id, 'erasure', jsonb_build_object('contact_id', p_id));
    insert into private.erasures (job_id, org_id, needles, done_id, last_id)
    select v_job.id, v_contact.org_id, v_needles || array(select lower(v_contact.email) where v_contact.email is not null),
        coalesce(min(e.id), 1) - 1, coalesce(max(e.id), 0)
    from private.webhook_events e;
    perform private.record_activity(v_contact.org_id, 'contact.erased', (select auth.uid()), p_id);
    perform private.broadcast_contacts(v_contact.org_id, array[p_id]);
    if cardinality(v_conversation_ids) > 0 then
        perform private.broadcast_conversations(v_contact.org_id, v_conversation_ids);
        perform private.broadcast('conversation:' || x, 'messages', '{"all": true}') from unnest(v_conversation_ids) x;
    end if;
end
$$;
comment on function public.erase_contact(uuid, text) is
    'Removes everything personal for good; p_confirmation is the word ERASE. Raw webhooks follow within minutes (a job of kind erasure). Errors: AUTH_003, CONTACT_001, CONTACT_010, CONTACT_011.';

-- Looks through the next p_limit raw webhooks. true: done, and the job is finished; null: there is no such job to do. A webhook that names
-- the person and a number or account of this organisation (others know the person themselves, and nobody but they erases their webhooks) is
-- blanked whole once it has been applied: its messages are rows. What is not applied yet has still to be.
create or replace function worker.blank_webhooks(p_job_id uuid, p_limit integer)
returns boolean
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_erasure private.erasures;
    v_own text[];
    v_upto bigint;
    v_blanked integer;
begin
    select e.* into v_erasure from private.erasures e where e.job_id = p_job_id for update;
    if not found then
        return null;
    end if;
    select coalesce(max(x.id), v_erasure.last_id) into v_upto from (
        select e.id from private.webhook_events e where e.id > v_erasure.done_id and e.id <= v_erasure.last_id order by e.id limit p_limit
    ) x;
    v_own := array(
        select n from public.whatsapp_accounts a, unnest(array[a.phone_number_id, a.waba_id]) n
        -- One that was never proven says nothing about whose it is.
        where a.org_id = v_erasure.org_id and a.connected_at is not null);
    update private.webhook_events e set body = ''
    where e.id > v_erasure.done_id and e.id <= v_upto and e.state = 'applied'
        and exists (select from unnest(v_own) n where position(convert_to('"' || n || '"', 'UTF8') in e.body) > 0)
        and exists (select from unnest(v_erasure.needles) n where position(convert_to(n, 'UTF8') in e.body) > 0);
    get diagnostics v_blanked = row_count;
    if v_upto < v_erasure.last_id then
        update private.erasures e set done_id = v_upto, blanked = e.blanked + v_blanked where e.job_id = p_job_id;
        return false;
    end if;
    -- Lines of imports that were refused are kept as they stood in the file.
    update private.import_rows r set cells = '{}'
    from public.jobs j
    where j.id = r.job_id and j.org_id = v_erasure.org_id
        and exists (
            select from unnest(v_erasure.needles) n
            where position(n in lower(r.cells::text)) > 0 or position(n in regexp_replace(r.cells::text, '[ ()+-]', '', 'g')) > 0);
    delete from private.erasures e where e.job_id = p_job_id;
    perform private.finish_job(p_job_id, 'done', jsonb_build_object('webhooks', v_erasure.blanked + v_blanked));
    return true;
end
$$;
comment on function worker.blank_webhooks(uuid, integer) is 'A slice of the background part of an erasure. true: done; false: call again; null: nothing to do.';

-- sql/code/30_contacts/90_export.sql

-- Everything we hold about one person, for that person (right of access). Called by the contact's page.
-- Must stay true: a table that comes to hold personal data of contacts is added here and to erase_contact.

create or replace function public.export_contact(p_id uuid)
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.bulk');
    v_export jsonb;
begin
    if v_contact.deleted_at is not null then
        perform private.require_permission(v_contact.org_id, 'contacts.trash');
    end if;
    v_export := jsonb_build_object(
        'exported_at', private.clock(),
        'organization', (select o.name from public.organizations o where o.id = v_contact.org_id),
        'contact', to_jsonb(v_contact) - '{search_text,erased_at}'::text[],
        'custom_fields', coalesce((
            select jsonb_agg(jsonb_build_object('label', d.label, 'value', v.value) order by d.position, d.key)
            from jsonb_each(v_contact.custom_fields) v
            join public.custom_field_definitions d on d.org_id = v_contact.org_id and d.key = v.key), '[]'),
        'tags', coalesce((
            select jsonb_agg(jsonb_build_object('name', t.name, 'since', ct.created_at) order by lower(t.name))
            from public.contact_tags ct join public.tags t on t.id = ct.tag_id
            where ct.org_id = v_contact.org_id and ct.contact_id = p_id), '[]'),
        'segments', coalesce((
            select jsonb_agg(jsonb_build_object('name', s.name, 'since', m.entered_at) order by lower(s.name))
            from public.segment_members m join public.segments s on s.id = m.segment_id
            where m.org_id = v_contact.org_id and m.contact_id = p_id), '[]'),
        'consents', coalesce((
            select jsonb_agg(to_jsonb(x) - '{org_id,contact_id}'::text[] order by x.created_at, x.id)
            from public.contact_consents x where x.org_id = v_contact.org_id and x.contact_id = p_id), '[]'),
        'conversations', coalesce((
            select jsonb_agg(jsonb_build_object('id', c.id, 'our_number', a.display_phone_number, 'status', c.status, 'created_at', c.created_at,
                'messages', coalesce((
                    select jsonb_agg(jsonb_build_object('id', m.id, 'direction', m.direction, 'type', m.type, 'body', m.body, 'payload', m.payload,
                        'status', m.status, 'reactions', m.reactions, 'occurred_at', m.occurred_at, 'delivered_at', m.delivered_at,
                        'read_at', m.read_at) order by m.occurred_at, m.id)
                    from public.messages m where m.conversation_id = c.id), '[]')) order by c.created_at, c.id)
            from public.conversations c join public.whatsapp_accounts a on a.id = c.whatsapp_account_id
            where c.org_id = v_contact.org_id and c.contact_id = p_id), '[]'),
        'activity', coalesce((
            select jsonb_agg(jsonb_build_object('kind', l.kind, 'at', l.created_at, 'data', l.data) order by l.created_at, l.id)
            from public.activity_log l where l.org_id = v_contact.org_id and l.contact_id = p_id), '[]'));
    perform private.record_activity(v_contact.org_id, 'contact.exported', (select auth.uid()), p_id);
    return v_export;
end
$$;
comment on function public.export_contact(uuid) is
    'One person''s data as JSON: contact, tags, segments, consents, conversations with messages, activity. Errors: AUTH_003, CONTACT_001, CONTACT_010.';

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
        from private.contact_search p
        join public.conversations c on c.org_id = p.org_id and c.contact_id = p.contact_id
        where p.org_id = p_org_id and p.search_text like v_pattern
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

-- What the senders of a batch tell about contacts that exist; private.with_contacts has locked them.
create or replace function private.enrich_contacts(p_senders jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_sender record;
begin
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

-- The events with contact_id, null where the sender has no identity we could answer to. Locks the contacts, all of them in one order, so that
-- appliers cannot wait for each other.
create or replace function private.with_contacts(p_events jsonb)
returns jsonb
language plpgsql volatile
set search_path = ''
as $$
declare
    v_senders jsonb;
begin
    -- Again when somebody we found was merged or erased before we held them: their number then names somebody else. What was locked so far is
    -- let go with the subtransaction, because contacts are made before any is locked.
    for i in 1..3 loop
        begin
            with senders as materialized (
                select distinct on (x.org_id, x.wa_id, x.bsuid) x.*
                from jsonb_to_recordset(p_events) as x (
                    org_id uuid, wa_id text, bsuid text, profile_name text, username text, occurred_at timestamptz)
                order by x.org_id, x.wa_id, x.bsuid, x.occurred_at desc
            ), resolved as materialized (
                select s.*, private.resolve_contact(s.org_id, s.wa_id, s.bsuid, s.profile_name, s.username) as contact_id from senders s
            )
            select jsonb_agg(to_jsonb(r)) into v_senders from resolved r;
            perform c.id from public.contacts c
            where c.id in (select s.contact_id from jsonb_to_recordset(v_senders) as s (contact_id uuid))
            order by c.id for no key update;
            if exists (
                select from jsonb_to_recordset(v_senders) as s (contact_id uuid)
                where s.contact_id is not null
                    and not exists (select from public.contacts c where c.id = s.contact_id and c.erased_at is null)) then
                raise exception 'a contact went away while its message was applied' using errcode = 'serialization_failure';
            end if;
            exit;
        exception when serialization_failure then
            if i = 3 then
                raise;
            end if;
        end;
    end loop;
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
    perform private.apply_consent_keywords(v_inserted);
    for v_org in
        select i.org_id, array_agg(distinct i.conversation_id) as conversation_ids,
            array_agg(distinct i.contact_id) filter (where i.conversation_id = any (v_new_conversation_ids)) as new_contact_ids
        from jsonb_to_recordset(v_inserted) as i (org_id uuid, conversation_id uuid, contact_id uuid) group by i.org_id
    loop
        perform private.broadcast_conversations(v_org.org_id, v_org.conversation_ids);
        if v_org.new_contact_ids is not null then
            perform private.broadcast_contacts(v_org.org_id, v_org.new_contact_ids);
        end if;
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

    update public.contacts p set
        last_message_at = greatest(p.last_message_at, l.at), last_inbound_at = greatest(p.last_inbound_at, l.at),
        messages_received = p.messages_received + l.received
    from (
        select i.contact_id, max(i.occurred_at) as at, count(*) filter (where i.is_new) as received
        from jsonb_to_recordset(p_inserted) as i (contact_id uuid, occurred_at timestamptz, is_new boolean)
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

-- Whether the process that announced this key still has its session. For leases of numbers and of jobs.
create or replace function private.is_session_alive(p_lock_key integer)
returns boolean
language sql volatile
set search_path = ''
as $$
    select exists (
        select from pg_catalog.pg_locks k
        where k.locktype = 'advisory' and k.classid = private.sender_lock_class()::oid and k.objid = p_lock_key::oid and k.granted
            and k.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database()))
$$;

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
returns table (whatsapp_account_id uuid, phone_number_id text, access_token text, credential_id uuid, messages_per_second integer, ready integer, next_ready_at timestamptz)
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
            and (l.holder is null or l.holder = p_holder or l.lease_until < clock_timestamp() or not private.is_session_alive(l.lock_key))
            -- An extension is due at half time; before that there is nothing to write.
            and (l.holder is distinct from p_holder or l.lease_until < clock_timestamp() + make_interval(secs => p_seconds / 2.0))
        order by a.id
    loop
        insert into private.phone_leases as l (whatsapp_account_id, holder, lock_key, lease_until)
        values (v_account, p_holder, p_lock_key, clock_timestamp() + make_interval(secs => p_seconds))
        on conflict (whatsapp_account_id) do update
        set holder = excluded.holder, lock_key = excluded.lock_key, lease_until = excluded.lease_until
        where l.holder = p_holder or l.lease_until < clock_timestamp() or not private.is_session_alive(l.lock_key);
        if found then
            perform private.settle_abandoned_sends(v_account, p_holder);
        end if;
    end loop;
    return query
    select a.id, a.phone_number_id, s.decrypted_secret, c.secret_id, a.messages_per_second, r.ready::integer, r.next_ready_at
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

create or replace function worker.suspend_number(p_account_id uuid, p_reason text, p_credential_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_org_id uuid;
begin
    -- The token or the account needs a person. What waits stays in the outbox until the number is connected again.
    update public.whatsapp_accounts set status = 'error', status_reason = left(p_reason, 500), updated_at = now()
    where id = p_account_id and status = 'connected'
        -- A token that was replaced meanwhile may be refused; the new one has been proven.
        and exists (select from private.whatsapp_credentials c where c.whatsapp_account_id = p_account_id and c.secret_id = p_credential_id)
    returning org_id into v_org_id;
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
    perform private.fold_sent_messages(p_limit);
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
    v_total := v_total + v_count + worker.purge_segment_events(p_limit);
    return v_total;
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

-- sql/code/65_jobs/10_jobs.sql

-- Jobs as people see them: started by an RPC, looked at, cancelled, told about when they end.
-- Called by the RPCs of this folder and by those of other domains that hand over long work (private.create_job).
-- Must stay true: at most five open jobs an organisation; a job ends once; whoever listens to the organisation hears every change.

create or replace function private.broadcast_job(p_job public.jobs)
returns void
language sql volatile
set search_path = ''
as $$ select private.broadcast('org:' || p_job.org_id, 'job', jsonb_build_object('job_id', p_job.id)) $$;

-- The caller has checked the permission. Erasures are a duty, not a favour: they are never too many.
create or replace function private.create_job(p_org_id uuid, p_kind text, p_input jsonb, p_total integer default null)
returns public.jobs
language plpgsql volatile
set search_path = ''
as $$
declare
    v_job public.jobs;
begin
    -- One at a time, or two callers could both see four.
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('octopush jobs of ' || p_org_id, 0));
    if p_kind <> 'erasure' and (
        select count(*) from public.jobs j
        where j.org_id = p_org_id and j.status in ('queued', 'running', 'waiting') and j.kind <> 'erasure') >= 5
    then
        perform private.raise_error('JOB_005', '{"limit": 5}');
    end if;
    insert into public.jobs (org_id, kind, input, total_count, created_by)
    values (p_org_id, p_kind, p_input, p_total, (select auth.uid()))
    returning * into v_job;
    perform private.broadcast_job(v_job);
    return v_job;
end
$$;

create or replace function private.job_for(p_id uuid)
returns public.jobs
language plpgsql volatile
set search_path = ''
as $$
declare
    v_job public.jobs;
begin
    select j.* into v_job from public.jobs j where j.id = p_id and j.org_id = any (private.my_org_ids()) for no key update;
    if not found then
        perform private.raise_error('JOB_001');
    end if;
    perform private.require_permission(v_job.org_id, 'contacts.bulk');
    return v_job;
end
$$;

-- What an import has done so far, as its result.
create or replace function private.import_result(p_job_id uuid, p_errors_path text)
returns jsonb
language sql stable
set search_path = ''
as $$
    select jsonb_build_object('created', f.created, 'updated', f.updated, 'skipped', f.skipped, 'failed', f.failed, 'errors_path', p_errors_path)
    from private.import_files f where f.job_id = p_job_id and f.spec is not null
$$;

-- The end of a job, whatever it is. The caller holds the job's row.
create or replace function private.finish_job(p_job_id uuid, p_status text, p_result jsonb default null, p_problem text default null)
returns public.jobs
language plpgsql volatile
set search_path = ''
as $$
declare
    v_job public.jobs;
begin
    update public.jobs j set
        status = p_status, problem = p_problem, finished_at = private.clock(), expires_at = private.clock() + interval '7 days',
        result = coalesce(p_result, private.import_result(j.id, null), j.result - array['preview', 'columns', 'lines']),
        total_count = case when p_status = 'done' then j.done_count else j.total_count end
    where j.id = p_job_id
    returning j.* into v_job;
    delete from private.job_leases where job_id = p_job_id;
    delete from private.job_items where job_id = p_job_id;
    -- Lines of the file: nobody previews an import that has ended, and an erasure need not look for people in bytes.
    update private.import_files f set
        head = case when f.head is not null then ''::bytea end, sheet_rows = case when f.sheet_rows is not null then '[]'::jsonb end
    where f.job_id = p_job_id;
    -- Above this it took so long that the person has gone elsewhere (PRD §5.4).
    if v_job.done_count > 5000 and v_job.created_by is not null and p_status <> 'cancelled'
        and private.member_has(v_job.org_id, v_job.created_by, 'read')
    then
        perform private.notify_members(v_job.org_id, array[v_job.created_by], 'job.finished', 'normal',
            jsonb_build_object('job_id', v_job.id, 'kind', v_job.kind, 'status', v_job.status));
    end if;
    if p_status = 'done' and v_job.kind = 'import' then
        perform private.record_activity(v_job.org_id, 'contacts.imported', v_job.created_by,
            p_data => jsonb_build_object('job_id', v_job.id) || (v_job.result - 'errors_path'));
    end if;
    perform private.broadcast_job(v_job);
    return v_job;
end
$$;

create or replace function public.cancel_job(p_job_id uuid)
returns public.jobs
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    -- Waits for the batch under way: the worker holds the row while it commits one.
    v_job public.jobs := private.job_for(p_job_id);
begin
    if v_job.kind = 'erasure' or v_job.status not in ('queued', 'running', 'waiting') then
        perform private.raise_error('JOB_002', jsonb_build_object('status', v_job.status));
    end if;
    return private.finish_job(p_job_id, 'cancelled');
end
$$;
comment on function public.cancel_job(uuid) is
    'Stops a job; what it has done stays done. An erasure cannot be cancelled. Errors: AUTH_003, JOB_001, JOB_002 (details.status).';

-- sql/code/65_jobs/20_leases.sql

-- Which worker does which job. Called by the jobs role of the worker.
-- Must stay true: a job belongs to one process at a time; it changes hands only when the holder's session is gone or its lease ran out;
-- every change a worker makes for a job goes through private.held_job in the same transaction.

-- The job, locked, if the caller still holds it and nobody cancelled it; null otherwise.
create or replace function private.held_job(p_job_id uuid, p_holder uuid)
returns public.jobs
language plpgsql volatile
set search_path = ''
as $$
declare
    v_job public.jobs;
begin
    select j.* into v_job from public.jobs j where j.id = p_job_id and j.status = 'running' for no key update;
    -- A statement of its own: the job may have changed hands while this one waited for the row.
    if not exists (select from private.job_leases l where l.job_id = v_job.id and l.holder = p_holder) then
        return null;
    end if;
    return v_job;
end
$$;

-- p_kinds: what the caller can do; without a key to Storage there are no imports and exports.
create or replace function worker.claim_jobs(p_holder uuid, p_lock_key integer, p_seconds integer, p_limit integer, p_kinds text[])
returns table (job_id uuid, org_id uuid, kind text)
language plpgsql volatile security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_job public.jobs;
begin
    for v_job in
        select j.* from public.jobs j
        where j.status in ('queued', 'running') and j.kind = any (p_kinds) and not exists (
            select from private.job_leases l
            where l.job_id = j.id and l.lease_until >= clock_timestamp() and private.is_session_alive(l.lock_key))
        -- One organisation's long jobs must not keep the others waiting.
        order by (select count(*) from public.jobs r where r.org_id = j.org_id and r.status = 'running' and r.id <> j.id), j.created_at
        limit p_limit for no key update of j skip locked
    loop
        insert into private.job_leases as l (job_id, holder, lock_key, lease_until)
        values (v_job.id, p_holder, p_lock_key, clock_timestamp() + make_interval(secs => p_seconds))
        on conflict (job_id) do update set holder = excluded.holder, lock_key = excluded.lock_key, lease_until = excluded.lease_until;
        update public.jobs j set status = 'running', started_at = coalesce(j.started_at, private.clock())
        where j.id = v_job.id returning j.* into v_job;
        perform private.broadcast_job(v_job);
        job_id := v_job.id;
        org_id := v_job.org_id;
        kind := v_job.kind;
        return next;
    end loop;
end
$$;

create or replace function worker.extend_jobs(p_holder uuid, p_job_ids uuid[], p_seconds integer)
returns void
language sql volatile security definer
set search_path = ''
as $$
    update private.job_leases set lease_until = clock_timestamp() + make_interval(secs => p_seconds)
    where job_id = any (p_job_ids) and holder = p_holder
$$;

create or replace function worker.release_job(p_job_id uuid, p_holder uuid)
returns void
language sql volatile security definer
set search_path = ''
as $$ delete from private.job_leases where job_id = p_job_id and holder = p_holder $$;

create or replace function worker.fail_job(p_job_id uuid, p_holder uuid, p_problem text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    if (private.held_job(p_job_id, p_holder)).id is not null then
        perform private.finish_job(p_job_id, 'failed', p_problem => left(p_problem, 500));
    end if;
end
$$;

-- sql/code/65_jobs/30_imports.sql

-- Imports until they start: a file is named, a worker looks at it, a person says what its columns are (PRD §5.4).
-- Must stay true: what a preview shows is made by the same code from the same bytes as the import itself (octopush.read_import_row).

create or replace function public.create_import(p_org_id uuid, p_path text, p_file_name text)
returns public.jobs
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    perform private.require_permission(p_org_id, 'contacts.bulk');
    if p_path is null or not starts_with(p_path, p_org_id || '/')
        or not exists (select from storage.objects o where o.bucket_id = 'imports' and o.name = p_path)
    then
        perform private.raise_error('JOB_003');
    end if;
    return private.create_job(p_org_id, 'import', jsonb_build_object('path', p_path, 'file_name', left(coalesce(p_file_name, ''), 255)));
end
$$;
comment on function public.create_import(uuid, text, text) is
    'p_path: an object of bucket imports, <org_id>/…. A worker looks at it: status waiting, result as docs/contacts-and-segments.md says. Errors: AUTH_003, ORG_001, JOB_003, JOB_005.';

create or replace function private.import_definitions(p_org_id uuid)
returns jsonb
language sql stable
set search_path = ''
as $$
    select coalesce(jsonb_agg(jsonb_build_object('key', d.key, 'label', d.label, 'type', d.type, 'options', d.options) order by d.position, d.key), '[]')
    from public.custom_field_definitions d where d.org_id = p_org_id and d.archived_at is null
$$;

-- What the file looks like when it is read with these options; absent ones are found out.
create or replace function private.import_head(p_job public.jobs, p_options jsonb)
returns jsonb
language sql stable
set search_path = ''
as $$
    select case when f.head is not null then octopush.read_import_head(f.head, o.options) else octopush.read_import_sheet(f.sheet_rows, o.options) end
    from private.import_files f, lateral (
        select jsonb_build_object('custom_fields', private.import_definitions(p_job.org_id), 'size', f.size, 'rows', p_job.total_count, 'sheet', f.sheet)
            || jsonb_strip_nulls(jsonb_build_object('encoding', p_options -> 'encoding', 'delimiter', p_options -> 'delimiter',
                'has_header', p_options -> 'has_header')) as options
    ) o
    where f.job_id = p_job.id
$$;

create or replace function worker.record_import_head(
    p_job_id uuid, p_holder uuid, p_size bigint, p_head bytea, p_sheet_rows jsonb, p_sheet text, p_rows bigint
) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_job public.jobs := private.held_job(p_job_id, p_holder);
    v_head jsonb;
begin
    if v_job.id is null then
        return;
    end if;
    insert into private.import_files (job_id, size, head, sheet_rows, sheet) values (p_job_id, p_size, p_head, p_sheet_rows, p_sheet)
    on conflict (job_id) do update set size = excluded.size, head = excluded.head, sheet_rows = excluded.sheet_rows, sheet = excluded.sheet;
    v_job.total_count := p_rows::integer;
    v_head := private.import_head(v_job, '{}');
    if v_head ? 'problem' then
        perform private.finish_job(p_job_id, 'failed', p_problem => v_head ->> 'problem');
        return;
    end if;
    update public.jobs j set status = 'waiting', result = v_head - 'cells', total_count = (v_head ->> 'rows_estimate')::bigint
    where j.id = p_job_id returning j.* into v_job;
    delete from private.job_leases where job_id = p_job_id;
    perform private.broadcast_job(v_job);
end
$$;

create or replace function private.waiting_import(p_job_id uuid)
returns public.jobs
language plpgsql volatile
set search_path = ''
as $$
declare
    v_job public.jobs := private.job_for(p_job_id);
begin
    if v_job.kind <> 'import' or v_job.status <> 'waiting' then
        perform private.raise_error('JOB_002', jsonb_build_object('status', v_job.status));
    end if;
    return v_job;
end
$$;

create or replace function private.refuse_mapping(p_field text, p_message text)
returns void
language sql volatile
set search_path = ''
as $$
    select private.raise_error('JOB_004', jsonb_build_object('problems', jsonb_build_array(jsonb_build_object('field', p_field, 'message', p_message))))
$$;

create or replace function public.inspect_import(p_job_id uuid, p_options jsonb default '{}')
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_job public.jobs := private.waiting_import(p_job_id);
    v_head jsonb := private.import_head(v_job, coalesce(p_options, '{}'));
begin
    if v_head ? 'problem' then
        perform private.refuse_mapping('options', v_head ->> 'problem');
    end if;
    return v_head - 'cells';
end
$$;
comment on function public.inspect_import(uuid, jsonb) is
    'The result of a waiting import as it would be with other options (encoding, delimiter, has_header). Errors: AUTH_003, JOB_001, JOB_002, JOB_004.';

-- How the lines are read, complete and checked.
create or replace function private.import_spec(p_job public.jobs, p_head jsonb, p_mapping jsonb, p_options jsonb)
returns jsonb
language plpgsql volatile
set search_path = ''
as $$
declare
    v_spec jsonb;
    v_problems jsonb;
    v_consent jsonb := nullif(p_options -> 'consent', 'null');
    v_tag_ids uuid[];
begin
    if jsonb_typeof(p_mapping) is distinct from 'array' or jsonb_typeof(p_options) is distinct from 'object' then
        perform private.refuse_mapping(null, 'The mapping must be a list and the options an object.');
    end if;
    if p_head ? 'problem' then
        perform private.refuse_mapping('options', p_head ->> 'problem');
    end if;
    if coalesce(p_options ->> 'duplicates', 'skip') not in ('skip', 'update') then
        perform private.refuse_mapping('duplicates', 'Existing contacts can be skipped or updated.');
    end if;
    begin
        select coalesce(array_agg(t::uuid), '{}') into v_tag_ids
        from jsonb_array_elements_text(coalesce(nullif(p_options -> 'tag_ids', 'null'), '[]')) t;
    exception when others then
        perform private.refuse_mapping('tag_ids', 'The tags must be a list of ids.');
    end;
    if exists (select from unnest(v_tag_ids) x left join public.tags t on t.id = x and t.org_id = p_job.org_id where t.id is null) then
        perform private.raise_error('TAG_001');
    end if;
    if v_consent is not null then
        perform private.check_consent(v_consent ->> 'status', coalesce(v_consent ->> 'source', 'import'), v_consent ->> 'evidence');
        v_consent := jsonb_build_object('status', v_consent ->> 'status', 'source', coalesce(v_consent ->> 'source', 'import'),
            'evidence', coalesce(nullif(btrim(v_consent ->> 'evidence'), ''), p_job.input ->> 'file_name'));
    end if;
    v_spec := jsonb_build_object(
        'columns', p_mapping,
        'encoding', p_head -> 'encoding', 'delimiter', p_head -> 'delimiter', 'sheet', p_head -> 'sheet', 'has_header', p_head -> 'has_header',
        'width', jsonb_array_length(p_head -> 'columns'), 'names', (select jsonb_agg(c ->> 'name') from jsonb_array_elements(p_head -> 'columns') c),
        'duplicates', coalesce(p_options ->> 'duplicates', 'skip'),
        'default_region', coalesce(p_options ->> 'default_region', (select o.country from public.organizations o where o.id = p_job.org_id), ''),
        'date_order', coalesce(p_options ->> 'date_order', 'dmy'),
        'custom_fields', private.import_definitions(p_job.org_id), 'tag_ids', to_jsonb(v_tag_ids), 'consent', v_consent);
    v_problems := octopush.check_import_spec(v_spec);
    if v_problems <> '[]' then
        perform private.raise_error('JOB_004', jsonb_build_object('problems', v_problems));
    end if;
    return v_spec;
end
$$;

create or replace function public.preview_import(p_job_id uuid, p_mapping jsonb, p_options jsonb default '{}')
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_job public.jobs := private.waiting_import(p_job_id);
    v_head jsonb := private.import_head(v_job, coalesce(p_options, '{}'));
    v_spec jsonb := private.import_spec(v_job, v_head, p_mapping, coalesce(p_options, '{}'));
begin
    return (
        select coalesce(jsonb_agg(jsonb_build_object('line', v_head -> 'lines' -> (r.number::integer - 1)) || octopush.read_import_row(v_spec,
            array(select c from jsonb_array_elements_text(r.cells) with ordinality x (c, at) order by at)) order by r.number), '[]')
        from jsonb_array_elements(v_head -> 'cells') with ordinality r (cells, number));
end
$$;
comment on function public.preview_import(uuid, jsonb, jsonb) is
    'The first ten rows as the import would read them. Errors: AUTH_003, JOB_001, JOB_002, JOB_004 (details.problems), TAG_001, CONTACT_007.';

create or replace function public.start_import(p_job_id uuid, p_mapping jsonb, p_options jsonb default '{}')
returns public.jobs
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_job public.jobs := private.waiting_import(p_job_id);
    v_head jsonb := private.import_head(v_job, coalesce(p_options, '{}'));
    v_spec jsonb := private.import_spec(v_job, v_head, p_mapping, coalesce(p_options, '{}'));
begin
    update private.import_files set spec = v_spec where job_id = p_job_id;
    update public.jobs j set
        status = 'queued', done_count = 0, total_count = (v_head ->> 'rows_estimate')::bigint,
        input = j.input || jsonb_build_object('mapping', p_mapping, 'options', p_options)
    where j.id = p_job_id returning j.* into v_job;
    perform private.broadcast_job(v_job);
    return v_job;
end
$$;
comment on function public.start_import(uuid, jsonb, jsonb) is
    'Starts a waiting import; mapping and options as docs/contacts-and-segments.md says. Errors: AUTH_003, JOB_001, JOB_002, JOB_004 (details.problems), TAG_001, CONTACT_007.';

-- sql/code/65_jobs/40_import_batches.sql

-- An import at work: lines come in batches, each applied in one transaction together with how far the import is.
-- Called by the jobs role of the worker, which has read the lines by octopush_rules::contact_import (docs/adr/0009).
-- Must stay true: a batch counts once, however often it is handed in; every line ends as created, updated, skipped or failed with a reason;
-- nobody who opted out is opted in; imports of one organisation take turns, so that they never wait for one another's contacts.

create or replace function worker.import_state(p_job_id uuid, p_holder uuid)
returns table (path text, file_name text, spec jsonb, line bigint, is_read boolean)
language sql volatile security definer
set search_path = ''
as $$
    select j.input ->> 'path', j.input ->> 'file_name', f.spec, coalesce(f.line, 0), coalesce(f.is_read, false)
    from private.held_job(p_job_id, p_holder) h
    join public.jobs j on j.id = h.id
    left join private.import_files f on f.job_id = j.id
$$;

create or replace function private.with_problem(p_lines private.import_line[], p_problem text)
returns private.import_line[]
language sql immutable
set search_path = ''
as $$
    select array(select jsonb_populate_record(l, jsonb_build_object('problem', p_problem)) from unnest(p_lines) l)
$$;

create or replace function private.without_lines(p_lines private.import_line[], p_numbers bigint[])
returns private.import_line[]
language sql immutable
set search_path = ''
as $$
    select case when coalesce(p_numbers, '{}') = '{}' then p_lines else array(
        select l from unnest(p_lines) l where not exists (select from unnest(p_numbers) n where n = l.line) order by l.phone) end
$$;

-- Lines of the file, those folded into others counted too.
create or replace function private.count_lines(p_lines private.import_line[])
returns integer
language sql immutable
set search_path = ''
as $$
    select (count(*) + coalesce(sum(jsonb_array_length(l.also)), 0))::integer from unnest(p_lines) l
$$;

create or replace function private.refuse_import_lines(p_job_id uuid, p_lines private.import_line[])
returns integer
language sql volatile
set search_path = ''
as $$
    with refused as (
        insert into private.import_rows (job_id, line, cells, outcome, reason)
        select p_job_id, l.line, coalesce(l.cells, '{}'), 'failed', l.problem from unnest(p_lines) l
        union all
        select p_job_id, a.line, a.cells, 'failed', l.problem
        from unnest(p_lines) l, jsonb_to_recordset(l.also) as a (line bigint, cells text[]) where l.also is not null
        on conflict do nothing
        returning 1
    )
    select count(*)::integer from refused
$$;

-- The ids of the tags that these lines name; those that are missing are made while there is room.
create or replace function private.import_tags(p_org_id uuid, p_lines private.import_line[])
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_missing text[];
begin
    select array_agg(x.name order by x.line, x.at) into v_missing
    from (
        select distinct on (lower(t.name)) t.name, l.line, t.at
        from unnest(p_lines) l, unnest(l.tags) with ordinality t (name, at)
        where l.tags is not null and not exists (select from public.tags k where k.org_id = p_org_id and lower(k.name) = lower(t.name))
        order by lower(t.name), l.line, t.at
    ) x;
    if v_missing is null then
        return;
    end if;
    -- As in create_tag: makers of tags take turns.
    perform from public.organizations o where o.id = p_org_id for no key update;
    insert into public.tags (org_id, name)
    select p_org_id, m.name from unnest(v_missing) with ordinality m (name, at)
    where not exists (select from public.tags k where k.org_id = p_org_id and lower(k.name) = lower(m.name))
    order by m.at
    limit greatest(50 - (select count(*) from public.tags k where k.org_id = p_org_id), 0)
    on conflict do nothing;
end
$$;

-- The tags that the lines name and those that the import gives to everybody; returns who gained one.
create or replace function private.link_import_tags(p_org_id uuid, p_spec jsonb, p_contact_ids uuid[], p_lines private.import_line[])
returns uuid[]
language sql volatile
set search_path = ''
as $$
    with wanted as (
        select c.id as contact_id, k.id as tag_id
        from unnest(p_contact_ids, p_lines) as c (id, line, cells, problem, phone, full_name, email, company, job_title, notes, birthday,
                lifecycle_stage, address, custom_fields, tags, also),
            unnest(c.tags) t
        join public.tags k on k.org_id = p_org_id and lower(k.name) = lower(t)
        where c.tags is not null
        union
        select c, k.id from unnest(p_contact_ids) c, public.tags k where k.org_id = p_org_id and k.id in (select t::uuid from jsonb_array_elements_text(p_spec -> 'tag_ids') t)
    ), linked as (
        insert into public.contact_tags (org_id, contact_id, tag_id)
        select p_org_id, w.contact_id, w.tag_id from wanted w order by w.contact_id, w.tag_id
        on conflict do nothing
        returning contact_id
    )
    select coalesce(array_agg(distinct contact_id), '{}') from linked
$$;

-- Consent of those who were there before. Somebody who opted out stays out, and nobody falls back to pending.
create or replace function private.import_consent(p_org_id uuid, p_actor uuid, p_contact_ids uuid[], p_consent jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_changes jsonb;
begin
    select jsonb_agg(jsonb_build_object('contact_id', c.id, 'old', c.opt_in_status, 'new', p_consent ->> 'status',
        'source', p_consent ->> 'source', 'evidence', p_consent ->> 'evidence')) into v_changes
    from public.contacts c
    where c.org_id = p_org_id and c.id = any (p_contact_ids) and c.opt_in_status <> p_consent ->> 'status' and case p_consent ->> 'status'
        when 'opted_in' then c.opt_in_status = 'pending'
        else p_consent ->> 'status' = 'opted_out' end;
    if v_changes is null then
        return;
    end if;
    perform private.record_consents(p_org_id, p_actor, v_changes);
    update public.contacts c set
        opt_in_status = p_consent ->> 'status', opt_in_source = p_consent ->> 'source', updated_at = clock_timestamp(),
        opt_in_at = case when p_consent ->> 'status' = 'opted_in' then now() else c.opt_in_at end
    where c.org_id = p_org_id and c.id in (select (x ->> 'contact_id')::uuid from jsonb_array_elements(v_changes) x);
end
$$;

-- Which of these lines are of contacts that exist. Two contacts can answer to one number, by phone and by wa_id; the phone is what a
-- file means.
create or replace function private.match_import_lines(p_org_id uuid, p_lines private.import_line[])
returns table (line bigint, contact_id uuid, is_trashed boolean)
language sql stable
set search_path = ''
as $$
    select distinct on (m.line) m.line, m.id, m.is_trashed
    from (
        select l.line, c.id, c.deleted_at is not null as is_trashed, 1 as rank
        from unnest(p_lines) l join public.contacts c on c.org_id = p_org_id and c.phone = l.phone
        union all
        select l.line, c.id, c.deleted_at is not null, 2
        from unnest(p_lines) l join public.contacts c on c.org_id = p_org_id and c.wa_id = substr(l.phone, 2)
    ) m
    order by m.line, m.rank, m.id
$$;

-- Empty cells change nothing. p_contact_ids and p_lines belong together; the caller has locked the contacts.
create or replace function private.update_imported(p_job public.jobs, p_spec jsonb, p_contact_ids uuid[], p_lines private.import_line[])
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_changed uuid[];
    v_tagged uuid[];
begin
    with changed as (
        update public.contacts c set
            phone = coalesce(c.phone, l.phone), full_name = coalesce(l.full_name, c.full_name), email = coalesce(l.email, c.email),
            company = coalesce(l.company, c.company), job_title = coalesce(l.job_title, c.job_title), notes = coalesce(l.notes, c.notes),
            birthday = coalesce(l.birthday, c.birthday), lifecycle_stage = coalesce(l.lifecycle_stage, c.lifecycle_stage),
            address = case when l.address is null then c.address else coalesce(c.address, '{}') || l.address end,
            custom_fields = c.custom_fields || coalesce(l.custom_fields, '{}'), updated_at = clock_timestamp()
        from unnest(p_contact_ids, p_lines) as l (id, line, cells, problem, phone, full_name, email, company, job_title, notes, birthday,
            lifecycle_stage, address, custom_fields, tags, also)
        where c.org_id = p_job.org_id and c.id = l.id and (
            c.phone is null
            or (c.full_name, c.email, c.company, c.job_title, c.notes, c.birthday, c.lifecycle_stage) is distinct from
                (coalesce(l.full_name, c.full_name), coalesce(l.email, c.email), coalesce(l.company, c.company), coalesce(l.job_title, c.job_title),
                coalesce(l.notes, c.notes), coalesce(l.birthday, c.birthday), coalesce(l.lifecycle_stage, c.lifecycle_stage))
            or not coalesce(c.address, '{}') @> coalesce(l.address, '{}') or not c.custom_fields @> coalesce(l.custom_fields, '{}'))
        returning c.id
    )
    select coalesce(array_agg(id), '{}') into v_changed from changed;
    v_tagged := private.link_import_tags(p_job.org_id, p_spec, p_contact_ids, p_lines);
    if jsonb_typeof(p_spec -> 'consent') = 'object' then
        perform private.import_consent(p_job.org_id, p_job.created_by, p_contact_ids, p_spec -> 'consent');
    end if;
    insert into public.activity_log (org_id, kind, actor_id, contact_id, data)
    select p_job.org_id, 'contact.updated', p_job.created_by, x.id, jsonb_build_object('source', 'import', 'job_id', p_job.id)
    from (select unnest(v_changed) as id union select unnest(v_tagged)) x;
end
$$;

create or replace function private.create_imported(p_job public.jobs, p_spec jsonb, p_lines private.import_line[])
returns bigint[]
language plpgsql volatile
set search_path = ''
as $$
declare
    v_ids uuid[];
    v_lines private.import_line[];
    v_consent jsonb := nullif(p_spec -> 'consent', 'null');
begin
    with created as (
        insert into public.contacts (org_id, phone, full_name, email, company, job_title, notes, birthday, lifecycle_stage, address,
            custom_fields, source, opt_in_status, opt_in_source, opt_in_at)
        select p_job.org_id, l.phone, l.full_name, l.email, l.company, l.job_title, l.notes, l.birthday, coalesce(l.lifecycle_stage, 'lead'),
            l.address, coalesce(l.custom_fields, '{}'), 'import', coalesce(v_consent ->> 'status', 'pending'),
            v_consent ->> 'source', case when v_consent ->> 'status' = 'opted_in' then now() end
        from unnest(p_lines) l
        order by l.phone
        on conflict do nothing
        returning id, phone
    )
    select array_agg(c.id), array_agg(l::private.import_line) into v_ids, v_lines from created c join unnest(p_lines) l on l.phone = c.phone;
    if v_ids is null then
        return '{}'::bigint[];
    end if;
    perform private.link_import_tags(p_job.org_id, p_spec, v_ids, v_lines);
    if v_consent ->> 'status' <> 'pending' then
        perform private.record_consents(p_job.org_id, p_job.created_by, (
            select jsonb_agg(jsonb_build_object('contact_id', c, 'old', null, 'new', v_consent ->> 'status', 'source', v_consent ->> 'source',
                'evidence', v_consent ->> 'evidence'))
            from unnest(v_ids) c));
    end if;
    return array(select l.line from unnest(v_lines) l);
end
$$;

-- p_from: the last line dealt with before this batch, p_to: after it. p_lines: rows of private.import_line, each phone once.
-- Returns the last line dealt with, which is another than p_to when p_from was not; null when the caller no longer holds the job.
create or replace function worker.import_batch(p_job_id uuid, p_holder uuid, p_from bigint, p_to bigint, p_lines jsonb, p_total integer)
returns bigint
language plpgsql volatile security definer
set search_path = ''
-- The arrays are never the same size: a plan made once for all would take them for ten elements.
set plan_cache_mode = force_custom_plan
as $$
declare
    v_job public.jobs := private.held_job(p_job_id, p_holder);
    v_file private.import_files;
    v_lines private.import_line[];
    v_refused private.import_line[];
    v_known private.import_line[];
    v_known_ids uuid[];
    v_settled bigint[];
    v_is_update boolean;
    v_created integer := 0;
    v_later integer;
begin
    if v_job.id is null then
        return null;
    end if;
    select f.* into v_file from private.import_files f where f.job_id = p_job_id for no key update;
    if v_file.line <> p_from then
        return v_file.line;
    end if;
    v_is_update := v_file.spec ->> 'duplicates' = 'update';
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('octopush imports of ' || v_job.org_id, 0));
    v_lines := array(select l from jsonb_populate_recordset(null::private.import_line, p_lines) l where l.problem is null);
    v_refused := array(select l from jsonb_populate_recordset(null::private.import_line, p_lines) l where l.problem is not null);
    v_file.failed := v_file.failed + private.refuse_import_lines(p_job_id, v_refused);

    perform private.import_tags(v_job.org_id, v_lines);
    v_refused := array(
        select l from unnest(v_lines) l where l.tags is not null and exists (
            select from unnest(l.tags) t where not exists (select from public.tags k where k.org_id = v_job.org_id and lower(k.name) = lower(t))));
    v_file.failed := v_file.failed + private.refuse_import_lines(p_job_id, private.with_problem(v_refused,
        'The organisation has 50 tags already, the most it can have; a tag of this line is not among them.'));
    v_lines := private.without_lines(v_lines, array(select l.line from unnest(v_refused) l));

    -- Once as a rule; again for those whom somebody else created between the look and the insert.
    for v_round in 1..5 loop
        exit when v_lines = '{}';
        if v_is_update then
            perform c.id from public.contacts c
            where c.org_id = v_job.org_id and c.id in (select m.contact_id from private.match_import_lines(v_job.org_id, v_lines) m)
            order by c.id for no key update;
        end if;
        select array_agg(l) filter (where not m.is_trashed), array_agg(m.contact_id) filter (where not m.is_trashed),
            array_agg(l) filter (where m.is_trashed), array_agg(m.line)
        into v_known, v_known_ids, v_refused, v_settled
        from private.match_import_lines(v_job.org_id, v_lines) m join unnest(v_lines) l on l.line = m.line;
        v_file.failed := v_file.failed + private.refuse_import_lines(p_job_id, private.with_problem(v_refused,
            'A contact with this number is in the trash: restore it there, or erase it first.'));
        if v_known is not null then
            v_later := private.count_lines(v_known);
            if v_is_update then
                perform private.update_imported(v_job, v_file.spec, v_known_ids, v_known);
                v_file.updated := v_file.updated + v_later;
            else
                v_file.skipped := v_file.skipped + v_later;
            end if;
        end if;
        v_lines := private.without_lines(v_lines, v_settled);
        v_settled := private.create_imported(v_job, v_file.spec, v_lines);
        v_created := cardinality(v_settled);
        v_file.created := v_file.created + v_created;
        v_later := private.count_lines(array(select l from unnest(v_lines) l where l.line = any (v_settled))) - v_created;
        v_file.updated := v_file.updated + case when v_is_update then v_later else 0 end;
        v_file.skipped := v_file.skipped + case when v_is_update then 0 else v_later end;
        v_lines := private.without_lines(v_lines, v_settled);
    end loop;
    if v_lines <> '{}' then
        -- Retried as a whole.
        raise exception sqlstate '40001' using message = 'contacts of an import keep being created by somebody else';
    end if;

    update private.import_files f set
        line = p_to, created = v_file.created, updated = v_file.updated, skipped = v_file.skipped, failed = v_file.failed
    where f.job_id = p_job_id;
    update public.jobs j set
        done_count = v_file.created + v_file.updated + v_file.skipped + v_file.failed,
        total_count = greatest(p_total, v_file.created + v_file.updated + v_file.skipped + v_file.failed)
    where j.id = p_job_id returning j.* into v_job;
    perform private.broadcast_job(v_job);
    perform private.broadcast('org:' || v_job.org_id, 'contacts', '{"all": true}');
    return p_to;
end
$$;

-- The header of the error file, and the lines behind p_after.
create or replace function worker.import_errors(p_job_id uuid, p_holder uuid, p_after bigint, p_limit integer)
returns table (line bigint, cells text[], reason text)
language sql volatile security definer
set search_path = ''
as $$
    select r.line, r.cells, r.reason
    from private.held_job(p_job_id, p_holder) h
    join private.import_rows r on r.job_id = h.id
    where r.line > p_after
    order by r.line
    limit p_limit
$$;

create or replace function worker.finish_import(p_job_id uuid, p_holder uuid, p_errors_path text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    if (private.held_job(p_job_id, p_holder)).id is not null then
        perform private.finish_job(p_job_id, 'done', private.import_result(p_job_id, p_errors_path));
    end if;
end
$$;

-- sql/code/65_jobs/50_exports.sql

-- Exports: the contacts as they are chosen when the worker begins, page by page, into a CSV file of bucket exports (PRD §5.4).
-- Called by create_export's callers and by the jobs role of the worker.
-- Must stay true: nobody without contacts.bulk gets one, and nobody without contacts.trash one of the trash; who was chosen does not change while the file is written.

create or replace function public.create_export(p_org_id uuid, p_selection jsonb default '{}')
returns public.jobs
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    perform private.require_permission(p_org_id, 'contacts.bulk');
    if p_selection -> 'trash' = 'true' then
        perform private.require_permission(p_org_id, 'contacts.trash');
    end if;
    -- Refuses a malformed selection now, while there is somebody to tell.
    perform s from private.selected_contacts(p_org_id, coalesce(p_selection, '{}')) s limit 1;
    return private.create_job(p_org_id, 'export', jsonb_build_object('selection', coalesce(p_selection, '{}')));
end
$$;
comment on function public.create_export(uuid, jsonb) is
    'Writes a CSV file of a selection; result {"path", "rows"}, path in bucket exports. Errors: AUTH_003, ORG_001, CONTACT_012, SEGMENT_002, JOB_005.';

-- The columns, named so that an import recognises them.
create or replace function private.export_header(p_org_id uuid)
returns text[]
language sql stable
set search_path = ''
as $$
    select array['Phone', 'Name', 'Email', 'Company', 'Job title', 'Street', 'City', 'State', 'Country', 'Zip', 'Birthday', 'Lifecycle stage',
        'Notes', 'Tags', 'Consent', 'Consent since', 'Consent source', 'Source', 'Username', 'Last message', 'Created'] || array(
            select d.label from public.custom_field_definitions d
            where d.org_id = p_org_id and d.archived_at is null order by d.position, d.key)
$$;

create or replace function worker.start_export(p_job_id uuid, p_holder uuid)
returns table (header text[], total integer)
language plpgsql volatile security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_job public.jobs := private.held_job(p_job_id, p_holder);
begin
    if v_job.id is null then
        return;
    end if;
    -- A worker that takes over writes the file again, of the same contacts.
    if not exists (select from private.job_items i where i.job_id = p_job_id) then
        insert into private.job_items (job_id, position, contact_id)
        select p_job_id, row_number() over (order by c.id), c.id
        from private.selected_contacts(v_job.org_id, v_job.input -> 'selection') s (id)
        join public.contacts c on c.org_id = v_job.org_id and c.id = s.id
        -- Ids may be of contacts in the trash, which only those may read who asked for the trash.
        where c.deleted_at is null or v_job.input #> '{selection,trash}' = 'true';
    end if;
    update public.jobs j set done_count = 0, total_count = (select count(*) from private.job_items i where i.job_id = p_job_id)
    where j.id = p_job_id returning j.* into v_job;
    perform private.broadcast_job(v_job);
    header := private.export_header(v_job.org_id);
    total := v_job.total_count;
    return next;
end
$$;

create or replace function private.export_value(p_type text, p_value jsonb)
returns text
language sql immutable parallel safe
set search_path = ''
as $$
    select case
        when p_value is null or jsonb_typeof(p_value) = 'null' then ''
        when p_type = 'boolean' then case when p_value = 'true' then 'yes' else 'no' end
        -- Options may have commas in their names.
        when jsonb_typeof(p_value) = 'array' then (select coalesce(string_agg(x, '; '), '') from jsonb_array_elements_text(p_value) x)
        else p_value #>> '{}'
    end
$$;

-- One page. Contacts that were erased or merged since are left out. No row: the page is the last, or the job was taken away.
create or replace function worker.export_page(p_job_id uuid, p_holder uuid, p_after integer, p_limit integer)
returns table (last_position integer, cells text[])
language plpgsql volatile security definer
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    v_job public.jobs := private.held_job(p_job_id, p_holder);
    v_zone text;
begin
    if v_job.id is null then
        return;
    end if;
    select o.time_zone into v_zone from public.organizations o where o.id = v_job.org_id;
    return query
    with page as (
        select i.position, i.contact_id from private.job_items i
        where i.job_id = p_job_id and i.position > p_after order by i.position limit p_limit
    ), fields as (
        select d.key, d.type, row_number() over (order by d.position, d.key) as number
        from public.custom_field_definitions d where d.org_id = v_job.org_id and d.archived_at is null
    )
    select p.position, case when c.id is not null then array[
            coalesce(c.phone, ''), coalesce(c.full_name, ''), coalesce(c.email, ''), coalesce(c.company, ''), coalesce(c.job_title, ''),
            coalesce(c.address ->> 'street', ''), coalesce(c.address ->> 'city', ''), coalesce(c.address ->> 'state', ''),
            coalesce(c.address ->> 'country', ''), coalesce(c.address ->> 'zip', ''), coalesce(c.birthday::text, ''), c.lifecycle_stage,
            coalesce(c.notes, ''), coalesce(t.names, ''), c.opt_in_status, coalesce(to_char(c.opt_in_at at time zone v_zone, 'YYYY-MM-DD HH24:MI'), ''),
            coalesce(c.opt_in_source, ''), c.source, coalesce(c.username, ''),
            coalesce(to_char(c.last_message_at at time zone v_zone, 'YYYY-MM-DD HH24:MI'), ''),
            to_char(c.created_at at time zone v_zone, 'YYYY-MM-DD HH24:MI')]
        || array(select private.export_value(f.type, c.custom_fields -> f.key) from fields f order by f.number) end
    from page p
    left join public.contacts c on c.id = p.contact_id and c.org_id = v_job.org_id and c.erased_at is null
    left join lateral (
        select string_agg(k.name, ', ' order by lower(k.name)) as names
        from public.contact_tags ct join public.tags k on k.org_id = ct.org_id and k.id = ct.tag_id
        where ct.org_id = v_job.org_id and ct.contact_id = c.id
    ) t on true
    order by p.position;
    update public.jobs j set done_count = least(p_after + p_limit, j.total_count) where j.id = p_job_id returning j.* into v_job;
    perform private.broadcast_job(v_job);
end
$$;

create or replace function worker.finish_export(p_job_id uuid, p_holder uuid, p_path text, p_rows integer)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    if (private.held_job(p_job_id, p_holder)).id is not null then
        perform private.finish_job(p_job_id, 'done', jsonb_build_object('path', p_path, 'rows', p_rows));
    end if;
end
$$;

-- sql/code/65_jobs/60_changes.sql

-- Changes of more contacts than a request should wait for, and what an erasure leaves to do: slice by slice.
-- Called by the jobs role of the worker, for jobs that change_contacts and erase_contact made.
-- Must stay true: a slice and how far the job is are one transaction.

-- The next slice. done: the job is finished; null: the caller no longer holds it.
create or replace function worker.apply_bulk_change(p_job_id uuid, p_holder uuid, p_limit integer)
returns boolean
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_job public.jobs := private.held_job(p_job_id, p_holder);
    v_ids uuid[];
    v_last integer;
    v_changed integer;
begin
    if v_job.id is null then
        return null;
    end if;
    select array_agg(i.contact_id), max(i.position) into v_ids, v_last from (
        select i.contact_id, i.position from private.job_items i
        where i.job_id = p_job_id and i.position > v_job.done_count order by i.position limit p_limit
    ) i;
    if v_ids is null then
        perform private.finish_job(p_job_id, 'done', coalesce(v_job.result, '{"changed": 0}'));
        return true;
    end if;
    v_changed := private.apply_contact_change(v_job.org_id, v_ids, v_job.input -> 'change', v_job.created_by);
    update public.jobs j set
        done_count = v_last,
        result = jsonb_build_object('changed', coalesce((j.result ->> 'changed')::integer, 0) + v_changed)
    where j.id = p_job_id returning j.* into v_job;
    perform private.broadcast_job(v_job);
    return false;
end
$$;

-- sql/code/65_jobs/80_retention.sql

-- What is left of old jobs goes after a week: their rows here, their files by the worker through Storage.
-- Called by the maintenance and the jobs role of the worker.

create or replace function worker.purge_jobs(p_limit integer)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_job public.jobs;
    v_count integer := 0;
begin
    -- Somebody closed the window while an import waited for its mapping: it would count among the five for ever.
    for v_job in
        select j.* from public.jobs j
        where j.status = 'waiting' and j.created_at < private.clock() - interval '1 day'
        order by j.created_at limit p_limit for no key update skip locked
    loop
        perform private.finish_job(v_job.id, 'cancelled');
        v_count := v_count + 1;
    end loop;
    with expired as (
        delete from public.jobs where id in (
            select j.id from public.jobs j
            where j.expires_at < private.clock() and j.status in ('done', 'failed', 'cancelled')
            order by j.expires_at limit p_limit for update skip locked)
        returning 1
    )
    select v_count + count(*)::integer into v_count from expired;
    return v_count;
end
$$;

-- Uploads that never became a job are among them. Only Storage itself may remove a file.
create or replace function worker.expired_files(p_limit integer)
returns table (bucket text, path text)
language sql volatile security definer
set search_path = ''
as $$
    select o.bucket_id, o.name from storage.objects o
    where o.bucket_id in ('imports', 'exports') and o.created_at < private.clock() - interval '7 days'
        and not exists (
            select from public.jobs j
            where o.bucket_id = 'imports' and j.input ->> 'path' = o.name and j.status in ('queued', 'running', 'waiting'))
    order by o.created_at
    limit p_limit
$$;

-- sql/code/70_segments/10_reactions.sql

-- What contacts did with campaigns and flows, as compiled rules and private.segment_facts read it. Empty until campaigns and flows exist:
-- their rooms then replace these views, keep the columns, and put the contacts concerned into private.contact_changes.

create or replace view private.campaign_reactions as
select null::uuid as org_id, null::uuid as contact_id, null::uuid as campaign_id, null::timestamptz as received_at, null::timestamptz as read_at,
    null::timestamptz as replied_at, null::timestamptz as clicked_at
where false;

create or replace view private.flow_runs as
select null::uuid as org_id, null::uuid as contact_id, null::uuid as flow_id, null::text as status
where false;
comment on view private.flow_runs is 'status: in_progress or completed.';

-- sql/code/70_segments/20_context.sql

-- What the rules library needs to know of an organisation and of a contact. Called by everything in this folder.
-- Must stay true: archived custom fields stay in the context, so that rules naming them keep working on the values that are kept; only
-- the catalogue, from which new rules are made, leaves them out.

create or replace function private.segment_context(p_org_id uuid)
returns jsonb
language sql stable
set search_path = ''
as $$
    select jsonb_build_object('org_id', o.id, 'search', true, 'time_zone', o.time_zone, 'custom_fields', coalesce((
        select jsonb_agg(jsonb_build_object('key', d.key, 'label', d.label, 'type', d.type, 'options', d.options) order by d.key)
        from public.custom_field_definitions d where d.org_id = o.id), '[]'))
    from public.organizations o where o.id = p_org_id
$$;

-- With the names that sentences use, and the time. Campaigns and flows will add theirs.
create or replace function private.segment_context_with_names(p_org_id uuid)
returns jsonb
language sql volatile
set search_path = ''
as $$
    select private.segment_context(p_org_id) || jsonb_build_object('now', private.clock()::text, 'names', coalesce((
        select jsonb_object_agg(n.id, n.name) from (
            select t.id, t.name from public.tags t where t.org_id = p_org_id
            union all
            select s.id, s.name from public.segments s where s.org_id = p_org_id
        ) n), '{}'))
$$;

create or replace function private.segment_facts(p_contact_ids uuid[])
returns table (contact_id uuid, facts jsonb)
language sql stable
set search_path = ''
as $$
    select c.id, jsonb_build_object(
        'contact', to_jsonb(c) - 'search_text',
        'tags', coalesce((select jsonb_agg(t.tag_id order by t.tag_id) from public.contact_tags t
            where t.org_id = c.org_id and t.contact_id = c.id), '[]'),
        'segments', coalesce((select jsonb_agg(m.segment_id order by m.segment_id) from public.segment_members m
            where m.org_id = c.org_id and m.contact_id = c.id), '[]'),
        'has_conversation', exists (select from public.conversations v where v.org_id = c.org_id and v.contact_id = c.id),
        'has_active_conversation', exists (select from public.conversations v
            where v.org_id = c.org_id and v.contact_id = c.id and v.status in ('open', 'pending')),
        'campaigns', coalesce((select jsonb_agg(jsonb_build_object('id', r.campaign_id, 'received', r.received_at is not null,
                'read', r.read_at is not null, 'replied', r.replied_at is not null, 'clicked', r.clicked_at is not null))
            from private.campaign_reactions r where r.org_id = c.org_id and r.contact_id = c.id), '[]'),
        'flows', coalesce((select jsonb_agg(jsonb_build_object('id', r.flow_id, 'in_progress', r.in_progress, 'completed', r.completed))
            from (
                select f.flow_id, bool_or(f.status = 'in_progress') as in_progress, bool_or(f.status = 'completed') as completed
                from private.flow_runs f where f.org_id = c.org_id and f.contact_id = c.id group by f.flow_id
            ) r), '[]'))
    from public.contacts c where c.id = any (p_contact_ids)
$$;
comment on function private.segment_facts(uuid[]) is 'Everything rules can ask about contacts, in the shape octopush.explain_segment takes.';

-- Leaves with their place in the rules, of rules that octopush.check_segment found right.
create or replace function private.rule_leaves(p_rules jsonb)
returns table (path text, field text, value jsonb)
language sql immutable
set search_path = ''
as $$
    with recursive nodes as (
        select '' as path, p_rules as node
        union all
        select n.path || '/' || g.key || '/' || (e.nth - 1), e.value
        from nodes n, jsonb_each(case when n.node ? 'field' then '{}' else n.node end) g,
            jsonb_array_elements(g.value) with ordinality as e (value, nth)
    )
    select n.path, n.node ->> 'field', n.node -> 'value' from nodes n where n.node ? 'field'
$$;

-- What is wrong with rules that somebody wants to use now: as the library sees it, and what they name that is not there.
create or replace function private.rule_problems(p_org_id uuid, p_rules jsonb)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
    v_problems jsonb := octopush.check_segment(coalesce(p_rules, 'null'), private.segment_context(p_org_id));
begin
    if v_problems <> '[]' then
        return v_problems;
    end if;
    return coalesce((
        with named as materialized (
            select l.path, l.field, x.id::uuid as id from private.rule_leaves(p_rules) l
            cross join lateral jsonb_array_elements_text(case jsonb_typeof(l.value) when 'array' then l.value else jsonb_build_array(l.value) end) x (id)
            where l.field in ('tags', 'segment') and l.value is not null
        )
        select jsonb_agg(distinct jsonb_build_object('path', n.path || '/value', 'code', 'wrong_value',
            'message', case n.field when 'tags' then 'This tag does not exist any more' else 'This segment does not exist any more' end))
        from named n
        where case n.field
            when 'tags' then not exists (select from public.tags t where t.org_id = p_org_id and t.id = n.id)
            else not exists (select from public.segments s where s.org_id = p_org_id and s.id = n.id) end
    ), '[]');
end
$$;

-- sql/code/70_segments/30_programs.sql

-- Compiled rules: one program a dynamic segment, and the programs of a level together as one expression.
-- Called under private.lock_segments, by the RPCs of 70_segments.sql and by the maintenance.
-- Must stay true: a program is above all programs whose segments it names; the statements are made from the present programs;
-- rules that no longer compile (the library or a definition changed) match nobody and stand in the way of nothing.

-- Whoever changes segments, their pins or their members holds this until the end of the transaction; taken before any row.
create or replace function private.segment_lock_key(p_org_id uuid)
returns bigint
language sql immutable
set search_path = ''
as $$ select hashtextextended('segments:' || p_org_id, 0) $$;

create or replace function private.lock_segments(p_org_id uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform pg_catalog.pg_advisory_xact_lock(private.segment_lock_key(p_org_id));
end
$$;

-- True when the program is another one now.
create or replace function private.compile_program(p_segment public.segments, p_context jsonb)
returns boolean
language plpgsql volatile
set search_path = ''
as $$
declare
    v_problems jsonb := octopush.check_segment(p_segment.rules, p_context);
    v_predicate text := 'false';
    v_params text[] := array[]::text[];
    v_horizons jsonb := jsonb_build_object('rolling', '[]'::jsonb, 'calendar', false);
begin
    if v_problems = '[]' then
        select p.predicate, p.params into v_predicate, v_params from octopush.compile_segment(p_segment.rules, p_context, 1) p;
        v_horizons := octopush.segment_horizons(p_segment.rules);
    end if;
    insert into private.segment_programs as p (segment_id, org_id, predicate, params, rolling, is_calendar, problem)
    values (p_segment.id, p_segment.org_id, v_predicate, v_params, v_horizons -> 'rolling', (v_horizons ->> 'calendar')::boolean,
        v_problems #>> '{0,message}')
    on conflict (segment_id) do update set predicate = excluded.predicate, params = excluded.params, rolling = excluded.rolling,
        is_calendar = excluded.is_calendar, problem = excluded.problem
    where (p.predicate, p.params, p.rolling, p.is_calendar, p.problem)
        is distinct from (excluded.predicate, excluded.params, excluded.rolling, excluded.is_calendar, excluded.problem);
    return found;
end
$$;

-- Everything that uses a segment, directly or through others.
create or replace function private.segments_above(p_segment_id uuid)
returns setof uuid
language sql stable
set search_path = ''
as $$
    with recursive above as (
        select e.segment_id from private.segment_edges e where e.uses_id = p_segment_id
        union
        select e.segment_id from private.segment_edges e join above a on a.segment_id = e.uses_id
    )
    select a.segment_id from above a
$$;

-- What this segment's rules name now; refuses a circle. The segment lock makes two that would close one together impossible.
create or replace function private.set_segment_edges(p_segment public.segments)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_uses uuid[] := array(select distinct x::uuid from jsonb_array_elements_text(octopush.segment_references(p_segment.rules) -> 'segments') x);
    v_culprit uuid;
begin
    select u into v_culprit from unnest(v_uses) u
    where u = p_segment.id or u in (select a from private.segments_above(p_segment.id) a) limit 1;
    if found then
        perform private.raise_error('SEGMENT_004', jsonb_build_object('segment',
            (select jsonb_build_object('id', s.id, 'name', s.name) from public.segments s where s.id = v_culprit)));
    end if;
    delete from private.segment_edges e where e.segment_id = p_segment.id and e.uses_id <> all (v_uses);
    insert into private.segment_edges (org_id, segment_id, uses_id) select p_segment.org_id, p_segment.id, u from unnest(v_uses) u
    on conflict do nothing;
end
$$;

-- Levels by relaxation, which no shape of the graph can make slow; then the statements are to be made again.
create or replace function private.arrange_programs(p_org_id uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    update private.segment_programs p set level = 0
    where p.org_id = p_org_id and p.level <> 0 and not exists (select from private.segment_edges e where e.segment_id = p.segment_id);
    -- Each round settles at least one more level.
    for v_round in 1..200 loop
        update private.segment_programs p set level = w.level
        from (
            select e.segment_id, 1 + max(coalesce(u.level, 0)) as level
            from private.segment_edges e left join private.segment_programs u on u.segment_id = e.uses_id
            where e.org_id = p_org_id group by e.segment_id
        ) w
        where p.segment_id = w.segment_id and p.level <> w.level;
        exit when not found;
    end loop;
    delete from private.segment_statements s where s.org_id = p_org_id;
end
$$;

create or replace function private.make_statements(p_org_id uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_context jsonb := private.segment_context(p_org_id);
    v_program record;
    v_predicate text;
    v_added text[];
    v_level integer := 0;
    v_ids uuid[] := array[]::uuid[];
    v_predicates text[] := array[]::text[];
    v_params text[] := array[]::text[];
    v_lists uuid[] := array(select s.id from public.segments s where s.org_id = p_org_id and s.kind = 'static' order by s.id);
begin
    for v_program in
        select p.segment_id, p.level, p.problem, s.rules from private.segment_programs p join public.segments s on s.id = p.segment_id
        where p.org_id = p_org_id
        union all
        -- Closes the last level.
        select null, null, null, null
        order by 2 nulls last, 1
    loop
        if v_program.level is distinct from v_level then
            insert into private.segment_statements (org_id, level, segment_ids, list_ids, expression, params)
            values (p_org_id, v_level, v_ids, v_lists, 'array[' || nullif(array_to_string(v_predicates, ', '), '') || ']', v_params);
            select v_program.level, array[]::uuid[], array[]::text[], array[]::text[], array[]::uuid[]
            into v_level, v_ids, v_predicates, v_params, v_lists;
        end if;
        if v_program.problem is null and v_program.segment_id is not null then
            select c.predicate, c.params into v_predicate, v_added
            from octopush.compile_segment(v_program.rules, v_context, cardinality(v_params) + 1) c;
        else
            select 'false', array[]::text[] into v_predicate, v_added;
        end if;
        v_ids := v_ids || v_program.segment_id;
        v_predicates := v_predicates || ('(' || v_predicate || ')');
        v_params := v_params || v_added;
    end loop;
end
$$;

-- After programs changed: the clock that watches their boundaries. One that nobody needed until now begins now.
create or replace function private.set_segment_clock(p_org_id uuid, p_now timestamptz)
returns void
language sql volatile
set search_path = ''
as $$
    insert into private.segment_clocks as k (org_id, evaluated_until, judged_at, local_date, library, has_horizons)
    select o.id, p_now, p_now, (p_now at time zone o.time_zone)::date, octopush.version(), coalesce(h.is_needed, false)
    from public.organizations o
    cross join (
        select bool_or(p.is_calendar or p.rolling <> '[]') as is_needed from private.segment_programs p where p.org_id = p_org_id
    ) h
    where o.id = p_org_id
    on conflict (org_id) do update set has_horizons = excluded.has_horizons,
        evaluated_until = case when k.has_horizons then k.evaluated_until else excluded.evaluated_until end,
        judged_at = case when k.has_horizons then k.judged_at else excluded.judged_at end,
        local_date = case when k.has_horizons then k.local_date else excluded.local_date end
$$;

-- Compiles everything anew; what came out different is to be worked out as a whole, and what is built on it.
create or replace function private.compile_programs(p_org_id uuid, p_now timestamptz)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_context jsonb := private.segment_context(p_org_id);
    v_changed uuid[];
begin
    v_changed := array(
        select s.id from public.segments s where s.org_id = p_org_id and s.kind = 'dynamic' and private.compile_program(s, v_context));
    perform private.request_rebuilds(p_org_id, v_changed, 'rebuild');
    perform private.arrange_programs(p_org_id);
    perform private.set_segment_clock(p_org_id, p_now);
    update private.segment_clocks k set library = octopush.version() where k.org_id = p_org_id and k.library <> octopush.version();
end
$$;

-- These segments and all above them are to be worked out as a whole. A first time stays one.
create or replace function private.request_rebuilds(p_org_id uuid, p_segment_ids uuid[], p_cause text)
returns void
language sql volatile
set search_path = ''
as $$
    update private.segment_programs p set rebuild = p_cause
    where p.org_id = p_org_id and p.rebuild is distinct from 'created' and (p.segment_id = any (p_segment_ids)
        or p.segment_id in (select a from unnest(p_segment_ids) s, private.segments_above(s) a))
$$;

-- sql/code/70_segments/40_changes.sql

-- Every write that may move a contact into or out of a segment leaves a line in private.contact_changes: one a contact and statement,
-- in the transaction of the write. Statement triggers with transition tables; row triggers cost 40 times as much (design §10).
-- Must stay true: whatever compiled rules read of a contact is watched here. Comparing with EXCEPT and never with a join: the plan is
-- kept for the session, and one made for a single row must not meet ten thousand.

create or replace function private.queue_new_contacts()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.contact_changes (org_id, contact_id) select n.org_id, n.id from new_rows n;
    return null;
end
$$;

create or replace function private.queue_changed_contacts()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.contact_changes (org_id, contact_id)
    select x.org_id, x.id from (
        select n.org_id, n.id, n.full_name, n.email, n.phone, n.company, n.job_title, n.username, n.notes, n.address, n.source,
            n.opt_in_status, n.opt_in_at, n.lifecycle_stage, n.birthday, n.custom_fields, n.messages_sent, n.messages_received,
            n.created_at, n.last_message_at, n.last_inbound_at, n.deleted_at, n.erased_at
        from new_rows n
        except
        select o.org_id, o.id, o.full_name, o.email, o.phone, o.company, o.job_title, o.username, o.notes, o.address, o.source,
            o.opt_in_status, o.opt_in_at, o.lifecycle_stage, o.birthday, o.custom_fields, o.messages_sent, o.messages_received,
            o.created_at, o.last_message_at, o.last_inbound_at, o.deleted_at, o.erased_at
        from old_rows o
    ) x;
    return null;
end
$$;

create or replace function private.queue_deleted_contacts()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.contact_changes (org_id, contact_id) select o.org_id, o.id from old_rows o;
    return null;
end
$$;

-- Rows that come or go whole: of contact_tags and conversations.
create or replace function private.queue_contacts_of_new_rows()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.contact_changes (org_id, contact_id) select distinct n.org_id, n.contact_id from new_rows n;
    return null;
end
$$;

create or replace function private.queue_contacts_of_old_rows()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.contact_changes (org_id, contact_id) select distinct o.org_id, o.contact_id from old_rows o;
    return null;
end
$$;

create or replace function private.queue_contacts_of_moved_tags()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.contact_changes (org_id, contact_id)
    select n.org_id, n.contact_id from new_rows n union select o.org_id, o.contact_id from old_rows o;
    return null;
end
$$;

create or replace function private.queue_contacts_of_changed_conversations()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.contact_changes (org_id, contact_id)
    select x.org_id, x.contact_id
    from (
        (select n.org_id, n.contact_id, n.id, n.status in ('open', 'pending') as is_active from new_rows n
            except select o.org_id, o.contact_id, o.id, o.status in ('open', 'pending') from old_rows o)
        union all
        (select o.org_id, o.contact_id, o.id, o.status in ('open', 'pending') as is_active from old_rows o
            except select n.org_id, n.contact_id, n.id, n.status in ('open', 'pending') from new_rows n)
    ) x
    group by x.org_id, x.contact_id;
    return null;
end
$$;

-- What rules are compiled with: a line without a contact stands for the whole organisation.
create or replace function private.queue_changed_definitions()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.contact_changes (org_id)
    select distinct x.org_id from (
        (select n.org_id, n.key, n.label, n.type, n.options from new_rows n except select o.org_id, o.key, o.label, o.type, o.options from old_rows o)
        union all
        (select o.org_id, o.key, o.label, o.type, o.options from old_rows o except select n.org_id, n.key, n.label, n.type, n.options from new_rows n)
    ) x;
    return null;
end
$$;

create or replace function private.queue_removed_definitions()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.contact_changes (org_id) select distinct o.org_id from old_rows o;
    return null;
end
$$;

create or replace function private.queue_changed_time_zones()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.contact_changes (org_id)
    select x.id from (select n.id, n.time_zone from new_rows n except select o.id, o.time_zone from old_rows o) x;
    return null;
end
$$;

-- In place of keys, whose checks cost more than writing the members.
create or replace function private.forget_deleted_segments()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    delete from public.segment_members m using old_rows o where m.segment_id = o.id;
    delete from private.segment_events e using old_rows o where e.segment_id = o.id;
    return null;
end
$$;

create or replace trigger segments_insert after insert on public.contacts
    referencing new table as new_rows for each statement execute function private.queue_new_contacts();
create or replace trigger segments_update after update on public.contacts
    referencing old table as old_rows new table as new_rows for each statement execute function private.queue_changed_contacts();
create or replace trigger segments_delete after delete on public.contacts
    referencing old table as old_rows for each statement execute function private.queue_deleted_contacts();

create or replace trigger segments_insert after insert on public.contact_tags
    referencing new table as new_rows for each statement execute function private.queue_contacts_of_new_rows();
create or replace trigger segments_update after update on public.contact_tags
    referencing old table as old_rows new table as new_rows for each statement execute function private.queue_contacts_of_moved_tags();
create or replace trigger segments_delete after delete on public.contact_tags
    referencing old table as old_rows for each statement execute function private.queue_contacts_of_old_rows();

create or replace trigger segments_insert after insert on public.conversations
    referencing new table as new_rows for each statement execute function private.queue_contacts_of_new_rows();
create or replace trigger segments_update after update on public.conversations
    referencing old table as old_rows new table as new_rows for each statement execute function private.queue_contacts_of_changed_conversations();
create or replace trigger segments_delete after delete on public.conversations
    referencing old table as old_rows for each statement execute function private.queue_contacts_of_old_rows();

create or replace trigger segments_update after update on public.custom_field_definitions
    referencing old table as old_rows new table as new_rows for each statement execute function private.queue_changed_definitions();
create or replace trigger segments_delete after delete on public.custom_field_definitions
    referencing old table as old_rows for each statement execute function private.queue_removed_definitions();
create or replace trigger segments_update after update on public.organizations
    referencing old table as old_rows new table as new_rows for each statement execute function private.queue_changed_time_zones();
create or replace trigger segments_delete after delete on public.segments
    referencing old table as old_rows for each statement execute function private.forget_deleted_segments();

-- sql/code/70_segments/50_running.sql

-- The one place of this folder that runs compiled text. It comes from octopush.compile_segment, which builds it of fixed pieces;
-- whatever a person wrote is a value in $1.
-- Must stay true: nobody but private.segment_programs and private.segment_statements brings a predicate here.

-- The contacts of an organisation that a predicate is true for.
create or replace function private.matching_contacts(p_org_id uuid, p_predicate text, p_params text[], p_now timestamptz)
returns setof uuid
language plpgsql stable
set search_path = ''
set jit = off
as $$
begin
    return query execute
        'select c.id from public.contacts c where c.org_id = $3 and c.deleted_at is null and c.erased_at is null and (' || p_predicate || ')'
        using p_params, p_now, p_org_id;
end
$$;

-- How many those are, and the newest ten. In one pass: looking for the ten along the index of created_at would cost a second count, and
-- more, whenever few match.
create or replace function private.count_matching_contacts(p_org_id uuid, p_predicate text, p_params text[], p_now timestamptz,
    out total bigint, out newest uuid[])
language plpgsql stable
set search_path = ''
set jit = off
as $$
begin
    execute
        'with matching as materialized (
            select c.created_at, c.id from public.contacts c
            where c.org_id = $3 and c.deleted_at is null and c.erased_at is null and (' || p_predicate || ')
        )
        select count(*), array(select m.id from matching m order by m.created_at desc, m.id desc limit 10) from matching'
        into total, newest using p_params, p_now, p_org_id;
end
$$;

-- Which of these contacts belong to which segments of a level, by their rules.
create or replace function private.matching_segments(p_statement private.segment_statements, p_contact_ids uuid[], p_now timestamptz)
returns setof public.segment_members
language plpgsql stable
set search_path = ''
set jit = off
as $$
begin
    if p_statement.expression is null then
        return;
    end if;
    return query execute
        'select ($5)[h.nth], x.id, $3, $2
        from (
            select c.id, ' || p_statement.expression || ' as hits
            from public.contacts c where c.org_id = $3 and c.id = any ($4) and c.deleted_at is null and c.erased_at is null
        ) x, unnest(x.hits) with ordinality as h (is_hit, nth)
        where h.is_hit'
        using p_statement.params, p_now, p_statement.org_id, p_contact_ids, p_statement.segment_ids;
end
$$;

create or replace function private.explain_plan(p_sql text)
returns setof text
language plpgsql volatile
set search_path = ''
as $$
begin
    return query execute 'explain ' || p_sql;
end
$$;

-- sql/code/70_segments/60_members.sql

-- Members as they should be, written as differences. Called under private.lock_segments by pins, edits and the maintenance.
-- Must stay true: a member is in by the rules and not excluded, or included by hand, and neither in the trash nor erased;
-- an event for everybody who comes or goes, except when a segment is worked out for the first time.
-- The two sides are compared by grouping, and members are deleted by their place in the table: the cost must not depend on what the planner
-- believes about the sizes. A segment made since the last analyze has no rows for it, and a join of two such is quadratic. The place holds
-- within the statement, because nobody else writes members while the segment lock is held.

-- These contacts, in all segments of the organisation, lower levels first: those above read the members below.
create or replace function private.evaluate_contacts(p_org_id uuid, p_contact_ids uuid[], p_cause text, p_now timestamptz)
returns uuid[]
language plpgsql volatile
set search_path = ''
as $$
declare
    v_statement private.segment_statements;
    v_segment_ids uuid[];
    v_touched uuid[];
    v_all_touched uuid[] := array[]::uuid[];
begin
    if not exists (select from private.segment_statements s where s.org_id = p_org_id) then
        perform private.make_statements(p_org_id);
    end if;
    for v_statement in select s.* from private.segment_statements s where s.org_id = p_org_id order by s.level loop
        v_segment_ids := v_statement.segment_ids || v_statement.list_ids;
        with pins as materialized (
            select p.segment_id, p.contact_id, p.kind from public.segment_pins p
            where p.org_id = p_org_id and p.contact_id = any (p_contact_ids) and (p.segment_id = any (v_segment_ids)) is true
        ), desired as materialized (
            (select m.segment_id, m.contact_id from private.matching_segments(v_statement, p_contact_ids, p_now) m
            except
            select p.segment_id, p.contact_id from pins p where p.kind = 'exclude')
            union
            select p.segment_id, p.contact_id from pins p
            join public.contacts c on c.id = p.contact_id and c.org_id = p_org_id and c.deleted_at is null and c.erased_at is null
            where p.kind = 'include'
        ), different as materialized (
            select x.segment_id, x.contact_id, max(x.place) as place
            from (
                select d.segment_id, d.contact_id, null::tid as place from desired d
                union all
                -- By contact: the other index would be asked once for every segment and contact.
                select m.segment_id, m.contact_id, m.ctid from public.segment_members m
                where m.org_id = p_org_id and m.contact_id = any (p_contact_ids) and (m.segment_id = any (v_segment_ids)) is true
            ) x
            group by x.segment_id, x.contact_id having count(*) = 1
        ), entered as (
            insert into public.segment_members (segment_id, contact_id, org_id, entered_at)
            select d.segment_id, d.contact_id, p_org_id, p_now from different d where d.place is null
            returning segment_id, contact_id
        ), gone as (
            delete from public.segment_members m
            where m.ctid = any (array(select d.place from different d where d.place is not null))
            returning m.segment_id, m.contact_id
        ), moved as (
            select e.segment_id, e.contact_id, 'entered' as kind from entered e
            union all
            select g.segment_id, g.contact_id, 'left' from gone g
        ), told as (
            insert into private.segment_events (org_id, segment_id, contact_id, kind, cause, created_at)
            select p_org_id, m.segment_id, m.contact_id, m.kind, p_cause, p_now
            from moved m join public.segments s on s.id = m.segment_id and s.evaluated_at is not null
        ), counted as (
            update public.segments s set member_count = s.member_count + x.difference
            from (
                select m.segment_id, sum(case m.kind when 'entered' then 1 else -1 end)::integer as difference from moved m group by m.segment_id
            ) x
            where s.id = x.segment_id and x.difference <> 0
        )
        select coalesce(array_agg(distinct m.segment_id), '{}') into v_touched from moved m;
        v_all_touched := v_all_touched || v_touched;
    end loop;
    return v_all_touched;
end
$$;

-- Everybody, in one segment. What changes while this looks is in the queue and judged again after.
create or replace function private.rebuild_segment(p_segment_id uuid, p_now timestamptz)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_segment public.segments;
    v_program private.segment_programs;
begin
    select s.* into v_segment from public.segments s where s.id = p_segment_id;
    select p.* into v_program from private.segment_programs p where p.segment_id = p_segment_id;
    with desired as materialized (
        (select m.id from private.matching_contacts(v_segment.org_id, coalesce(v_program.predicate, 'false'),
            coalesce(v_program.params, '{}'), p_now) m (id)
        except
        select p.contact_id from public.segment_pins p where p.segment_id = p_segment_id and p.kind = 'exclude')
        union
        select p.contact_id from public.segment_pins p
        join public.contacts c on c.id = p.contact_id and c.org_id = p.org_id and c.deleted_at is null and c.erased_at is null
        where p.segment_id = p_segment_id and p.kind = 'include'
    ), different as materialized (
        select x.id, max(x.place) as place
        from (
            select d.id, null::tid as place from desired d
            union all
            select m.contact_id, m.ctid from public.segment_members m where m.segment_id = p_segment_id
        ) x
        group by x.id having count(*) = 1
    ), entered as (
        insert into public.segment_members (segment_id, contact_id, org_id, entered_at)
        select p_segment_id, d.id, v_segment.org_id, p_now from different d where d.place is null order by d.id
        returning contact_id
    ), gone as (
        delete from public.segment_members m
        where m.ctid = any (array(select d.place from different d where d.place is not null))
        returning m.contact_id
    ), told as (
        insert into private.segment_events (org_id, segment_id, contact_id, kind, cause, created_at)
        select v_segment.org_id, p_segment_id, x.contact_id, x.kind, v_program.rebuild, p_now
        from (
            select e.contact_id, 'entered' as kind from entered e union all select g.contact_id, 'left' from gone g
        ) x
        where v_program.rebuild <> 'created'
    )
    update public.segments s set evaluated_at = p_now, member_count = (select count(*) from desired) where s.id = p_segment_id;
    update private.segment_programs p set rebuild = null where p.segment_id = p_segment_id;
    update private.segment_clocks k set judged_at = greatest(k.judged_at, p_now) where k.org_id = v_segment.org_id;
end
$$;

-- The next that waits to be worked out as a whole, lower levels first; null when none does.
create or replace function private.next_rebuild(p_org_id uuid)
returns uuid
language sql stable
set search_path = ''
as $$
    select p.segment_id from private.segment_programs p where p.org_id = p_org_id and p.rebuild is not null order by p.level, p.segment_id limit 1
$$;

create or replace function private.broadcast_segments(p_org_id uuid, p_segment_ids uuid[])
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    if cardinality(p_segment_ids) > 0 then
        perform private.broadcast('org:' || p_org_id, 'segments', case
            when cardinality(p_segment_ids) <= 100 then jsonb_build_object('segment_ids', to_jsonb(p_segment_ids))
            else '{"all": true}'::jsonb end);
    end if;
end
$$;

-- sql/code/70_segments/65_maintenance.sql

-- Keeps members right as data and time move. Called by the workers' role `segments`, several times a second.
-- Must stay true: one organisation a call and transaction, under its segment lock; a queue line is taken away in the transaction that
-- judges its contact, and no row of contacts is ever locked or waited for.
-- Why nothing is missed: the function is volatile and runs in READ COMMITTED, so each statement sees what was committed before it began.
-- A line that the delete took away was committed with its change, so the statements after the delete see at least that change. A change
-- that commits later brings a line of its own that this delete did not see, and is judged in a later call. Judging twice changes nothing.

-- Puts into the queue whoever crosses a boundary of time between two moments. Closed at both ends: whatever side of its boundary a rule
-- counts the moment itself to, the contact is judged on both.
create or replace function private.queue_time_boundaries(p_org_id uuid, p_from timestamptz, p_until timestamptz)
returns void
language sql volatile
set search_path = ''
as $$
    with bounds as materialized (
        select distinct h."column", p_from - make_interval(hours => h.hours) as low, p_until - make_interval(hours => h.hours) as high
        from private.segment_programs p, jsonb_to_recordset(p.rolling) as h ("column" text, hours integer)
        where p.org_id = p_org_id
    )
    insert into private.contact_changes (org_id, contact_id, is_time)
    select p_org_id, x.id, true from (
        select c.id from bounds b join public.contacts c
            on c.org_id = p_org_id and c.last_message_at between b.low and b.high and c.deleted_at is null
        where b."column" = 'last_message_at'
        union
        select c.id from bounds b join public.contacts c
            on c.org_id = p_org_id and c.last_inbound_at between b.low and b.high and c.deleted_at is null and c.last_inbound_at is not null
        where b."column" = 'last_inbound_at'
        union
        select c.id from bounds b join public.contacts c
            on c.org_id = p_org_id and c.created_at between b.low and b.high and c.deleted_at is null
        where b."column" = 'created_at'
        union
        select c.id from bounds b join public.contacts c
            on c.org_id = p_org_id and c.opt_in_at between b.low and b.high and c.deleted_at is null and c.opt_in_at is not null
        where b."column" = 'opt_in_at'
    ) x
$$;

-- Once a second at most, and whenever the clock is found behind itself.
create or replace function private.advance_segment_clock(p_org_id uuid, p_now timestamptz)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_clock private.segment_clocks;
    v_today date;
begin
    select k.* into v_clock from private.segment_clocks k where k.org_id = p_org_id;
    if v_clock.library is distinct from octopush.version() then
        perform private.compile_programs(p_org_id, p_now);
    end if;
    -- Another day also by another time zone: it is the present zone's midnight that must not be missed.
    v_today := (select (p_now at time zone o.time_zone)::date from public.organizations o where o.id = p_org_id);
    if not v_clock.has_horizons
        or v_today = v_clock.local_date and p_now >= v_clock.judged_at and p_now < v_clock.evaluated_until + interval '1 second'
    then
        return;
    end if;
    -- Backwards: whoever has a boundary in the time that is yet to come again.
    perform private.queue_time_boundaries(p_org_id, least(v_clock.evaluated_until, p_now), greatest(v_clock.evaluated_until, v_clock.judged_at, p_now));
    if v_today <> v_clock.local_date then
        perform private.request_rebuilds(p_org_id,
            array(select p.segment_id from private.segment_programs p where p.org_id = p_org_id and p.is_calendar), 'time');
    end if;
    update private.segment_clocks k set evaluated_until = p_now, judged_at = p_now, local_date = v_today where k.org_id = p_org_id;
end
$$;

-- Organisations with something to do, the longest unserved first.
create or replace function private.waiting_segment_orgs(p_now timestamptz)
returns setof uuid
language sql volatile
set search_path = ''
as $$
    with recursive queued as (
        -- Hops from organisation to organisation along the index, however long the queue of one is.
        (select q.org_id from private.contact_changes q order by q.org_id limit 1)
        union all
        select (select q.org_id from private.contact_changes q where q.org_id > w.org_id order by q.org_id limit 1)
        from queued w where w.org_id is not null
    )
    select o.org_id
    from (
        select w.org_id from queued w where w.org_id is not null
        union
        select k.org_id from private.segment_clocks k
        where k.library <> octopush.version()
            or k.has_horizons and (p_now >= k.evaluated_until + interval '1 second' or p_now < k.judged_at)
        union
        select p.org_id from private.segment_programs p where p.rebuild is not null
    ) o
    left join private.segment_clocks k on k.org_id = o.org_id
    order by k.served_at nulls first
    limit 100
$$;

create or replace function private.maintain_segments_of(p_org_id uuid, p_limit integer)
returns integer
language plpgsql volatile
set search_path = ''
as $$
declare
    v_now timestamptz := private.clock();
    v_count integer;
    v_has_definitions boolean;
    v_changed uuid[];
    v_by_time uuid[];
    v_rebuilt uuid;
    v_touched uuid[] := array[]::uuid[];
begin
    if not exists (select from private.segment_clocks k where k.org_id = p_org_id) then
        perform private.set_segment_clock(p_org_id, v_now);
    end if;
    perform private.advance_segment_clock(p_org_id, v_now);
    with taken as (
        delete from private.contact_changes q
        where q.id in (select x.id from private.contact_changes x where x.org_id = p_org_id order by x.id limit p_limit)
        returning q.contact_id, q.is_time
    ), contacts as (
        select t.contact_id, count(*) as lines, bool_and(t.is_time) as is_time from taken t group by t.contact_id
    )
    select coalesce(sum(c.lines), 0)::integer, coalesce(bool_or(c.contact_id is null), false),
        coalesce(array_agg(c.contact_id) filter (where c.contact_id is not null and not c.is_time), '{}'),
        coalesce(array_agg(c.contact_id) filter (where c.is_time), '{}')
    into v_count, v_has_definitions, v_changed, v_by_time from contacts c;

    if v_has_definitions then
        perform private.compile_programs(p_org_id, v_now);
    end if;
    v_rebuilt := private.next_rebuild(p_org_id);
    if v_rebuilt is not null then
        perform private.rebuild_segment(v_rebuilt, v_now);
        v_touched := array[v_rebuilt];
        v_count := v_count + 1;
    end if;
    if cardinality(v_changed) > 0 then
        v_touched := v_touched || private.evaluate_contacts(p_org_id, v_changed, 'change', v_now);
    end if;
    if cardinality(v_by_time) > 0 then
        v_touched := v_touched || private.evaluate_contacts(p_org_id, v_by_time, 'time', v_now);
    end if;
    update private.segment_clocks k set judged_at = greatest(k.judged_at, v_now), served_at = clock_timestamp() where k.org_id = p_org_id;
    perform private.broadcast_segments(p_org_id, array(select distinct t from unnest(v_touched) t));
    return v_count;
end
$$;

create or replace function worker.maintain_segments(p_limit integer)
returns table (handled integer, more boolean)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_org_ids uuid[] := array(select private.waiting_segment_orgs(private.clock()));
    v_org_id uuid;
begin
    handled := 0;
    foreach v_org_id in array v_org_ids loop
        -- Whoever holds it does the same work, or changes segments and will be a moment.
        continue when not pg_catalog.pg_try_advisory_xact_lock(private.segment_lock_key(v_org_id));
        begin
            handled := private.maintain_segments_of(v_org_id, p_limit);
        exception when others then
            -- An organisation whose segments fail, whatever the reason, must not keep all others waiting: its changes stay in the queue, and
            -- it comes last from now on. Without the message, which may quote a contact.
            raise warning 'segments of organization %: error %', v_org_id, sqlstate;
            update private.segment_clocks k set served_at = clock_timestamp() where k.org_id = v_org_id;
            continue;
        end;
        more := cardinality(v_org_ids) > 1 or handled >= p_limit or private.next_rebuild(v_org_id) is not null;
        return next;
        return;
    end loop;
    more := false;
    return next;
end
$$;
comment on function worker.maintain_segments(integer) is
    'Judges up to p_limit changes of one organisation; more: call again at once.';

create or replace function worker.purge_segment_events(p_limit integer)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_count integer;
begin
    delete from private.segment_events where id in (
        select e.id from private.segment_events e where e.created_at < private.clock() - interval '30 days' order by e.id limit p_limit);
    get diagnostics v_count = row_count;
    return v_count;
end
$$;

-- sql/code/70_segments/70_segments.sql

-- Making, changing and deleting segments, and pinning contacts. Called by the web UI and supabase-js.
-- Must stay true: at most 200 segments an organisation; names unique without regard to case; a stale edit is refused; no circles;
-- what others use is not deleted. The segment lock comes first, before any row.

-- Up to as many contacts a segment is worked out while its maker waits; above that the worker does it.
create or replace function private.is_small_organization(p_org_id uuid)
returns boolean
language sql stable
set search_path = ''
as $$ select count(*) <= 200000 from (select from public.contacts c where c.org_id = p_org_id limit 200001) x $$;

-- The caller asks from psql, as a role that row-level security does not bind: nobody of the API is one and may execute functions.
create or replace function private.is_database_admin()
returns boolean
language sql stable
set search_path = ''
as $$
    select (select auth.uid()) is null and exists (
        select from pg_catalog.pg_roles r
        where r.rolname = coalesce(nullif(pg_catalog.current_setting('role', true), 'none'), session_user) and (r.rolsuper or r.rolbypassrls))
$$;

create or replace function private.require_segment_reader(p_org_id uuid)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if not private.is_database_admin() then
        perform private.require_permission(p_org_id, 'read');
    end if;
end
$$;

create or replace function private.segment_to_read(p_id uuid)
returns public.segments
language plpgsql stable
set search_path = ''
as $$
declare
    v_segment public.segments;
begin
    select s.* into v_segment from public.segments s
    where s.id = p_id and (private.is_database_admin() or s.org_id = any (private.my_org_ids()));
    if not found then
        perform private.raise_error('SEGMENT_001');
    end if;
    return v_segment;
end
$$;

-- Holds the organisation's segment lock afterwards.
create or replace function private.segment_to_change(p_id uuid)
returns public.segments
language plpgsql volatile
set search_path = ''
as $$
declare
    v_segment public.segments;
begin
    select s.* into v_segment from public.segments s where s.id = p_id and s.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('SEGMENT_001');
    end if;
    perform private.require_permission(v_segment.org_id, 'campaigns.manage');
    perform private.lock_segments(v_segment.org_id);
    select s.* into v_segment from public.segments s where s.id = p_id for no key update;
    if not found then
        perform private.raise_error('SEGMENT_001');
    end if;
    return v_segment;
end
$$;

-- What would break without the segment. Campaigns and flows add theirs here.
create or replace function private.segment_users(p_segment_id uuid)
returns table (kind text, id uuid, name text)
language sql stable
set search_path = ''
as $$
    select 'segment', s.id, s.name from private.segment_edges e join public.segments s on s.id = e.segment_id where e.uses_id = p_segment_id
$$;

create or replace function private.refuse_segment(p_path text, p_code text, p_message text)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    perform private.raise_error('SEGMENT_002', jsonb_build_object('problems',
        jsonb_build_array(jsonb_build_object('path', p_path, 'code', p_code, 'message', p_message))));
end
$$;

create or replace function private.check_segment_name(p_name text, p_description text)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if p_name is null or length(btrim(p_name)) not between 1 and 100 then
        perform private.refuse_segment('/name', 'wrong_value', 'A name has 1 to 100 characters');
    end if;
    if length(p_description) > 1000 then
        perform private.refuse_segment('/description', 'wrong_value', 'A description has at most 1000 characters');
    end if;
end
$$;

-- A dynamic segment whose rules are new: compiled, arranged, and worked out unless that is left to the worker.
create or replace function private.apply_segment_rules(p_segment public.segments, p_cause text)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_now timestamptz := private.clock();
    v_next uuid;
begin
    perform private.set_segment_edges(p_segment);
    perform private.compile_program(p_segment, private.segment_context(p_segment.org_id));
    update private.segment_programs p set rebuild = 'created' where p.segment_id = p_segment.id and p_cause = 'created';
    perform private.request_rebuilds(p_segment.org_id, array[p_segment.id], p_cause);
    perform private.arrange_programs(p_segment.org_id);
    -- Each level is a statement of every batch.
    if exists (select from private.segment_programs p where p.org_id = p_segment.org_id and p.level > 8) then
        perform private.refuse_segment('', 'too_deep', 'Segments within segments go at most 8 deep');
    end if;
    perform private.set_segment_clock(p_segment.org_id, v_now);
    if not private.is_small_organization(p_segment.org_id) then
        return;
    end if;
    loop
        v_next := private.next_rebuild(p_segment.org_id);
        exit when v_next is null;
        perform private.rebuild_segment(v_next, v_now);
    end loop;
end
$$;

create or replace function public.create_segment(
    p_org_id uuid,
    p_name text,
    p_kind text,
    p_rules jsonb default null,
    p_selection jsonb default null,
    p_description text default null
) returns public.segments
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_segment public.segments;
    v_problems jsonb;
begin
    perform private.require_permission(p_org_id, 'campaigns.manage');
    if p_selection -> 'trash' = 'true' then
        perform private.require_permission(p_org_id, 'contacts.trash');
    end if;
    perform private.check_segment_name(p_name, p_description);
    if p_kind is null or p_kind not in ('dynamic', 'static') or (p_kind = 'dynamic') <> (p_rules is not null)
        or (p_kind = 'dynamic' and p_selection is not null) then
        perform private.raise_error('SEGMENT_007');
    end if;
    perform private.lock_segments(p_org_id);
    if (select count(*) from public.segments s where s.org_id = p_org_id) >= 200 then
        perform private.raise_error('SEGMENT_008');
    end if;
    if p_kind = 'dynamic' then
        v_problems := private.rule_problems(p_org_id, p_rules);
        if v_problems <> '[]' then
            perform private.raise_error('SEGMENT_002', jsonb_build_object('problems', v_problems));
        end if;
    end if;
    begin
        insert into public.segments (org_id, name, description, kind, rules, created_by)
        values (p_org_id, btrim(p_name), nullif(btrim(p_description), ''), p_kind, p_rules, (select auth.uid()))
        returning * into v_segment;
    exception when unique_violation then
        perform private.raise_error('SEGMENT_003');
    end;
    if p_kind = 'dynamic' then
        perform private.apply_segment_rules(v_segment, 'created');
    else
        insert into public.segment_pins (segment_id, contact_id, org_id, kind, created_by)
        select v_segment.id, c.id, p_org_id, 'include', (select auth.uid())
        from private.selected_contacts(p_org_id, p_selection) x (id)
        join public.contacts c on c.org_id = p_org_id and c.id = x.id and c.erased_at is null
        where p_selection is not null;
        delete from private.segment_statements s where s.org_id = p_org_id;
        perform private.rebuild_segment(v_segment.id, private.clock());
    end if;
    select s.* into v_segment from public.segments s where s.id = v_segment.id;
    perform private.broadcast_segments(p_org_id, array[v_segment.id]);
    return v_segment;
end
$$;
comment on function public.create_segment(uuid, text, text, jsonb, jsonb, text) is
    'Dynamic: p_rules. Static: the contacts of p_selection as they are now. evaluated_at is null while a large one is still being worked out. '
    'Errors: AUTH_003, ORG_001, CONTACT_012, SEGMENT_002 (details.problems), SEGMENT_003, SEGMENT_007, SEGMENT_008.';

create or replace function public.update_segment(
    p_id uuid,
    p_name text,
    p_rules jsonb,
    p_description text,
    p_expected_updated_at timestamptz
) returns public.segments
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_old public.segments := private.segment_to_change(p_id);
    v_new public.segments;
    v_problems jsonb;
begin
    if v_old.updated_at is distinct from p_expected_updated_at then
        perform private.raise_error('SEGMENT_006', jsonb_build_object('segment', to_jsonb(v_old)));
    end if;
    if v_old.kind = 'static' and p_rules is not null then
        perform private.raise_error('SEGMENT_007');
    end if;
    perform private.check_segment_name(coalesce(p_name, v_old.name), p_description);
    -- Rules that stay as they are may name what is gone since.
    if p_rules is not null and p_rules <> v_old.rules then
        v_problems := private.rule_problems(v_old.org_id, p_rules);
        if v_problems <> '[]' then
            perform private.raise_error('SEGMENT_002', jsonb_build_object('problems', v_problems));
        end if;
    end if;
    begin
        update public.segments s set name = btrim(coalesce(p_name, s.name)), rules = coalesce(p_rules, s.rules),
            description = nullif(btrim(p_description), ''), updated_at = clock_timestamp(),
            evaluated_at = case when p_rules <> s.rules and not private.is_small_organization(s.org_id) then null else s.evaluated_at end
        where s.id = p_id returning s.* into v_new;
    exception when unique_violation then
        perform private.raise_error('SEGMENT_003');
    end;
    if v_new.rules is distinct from v_old.rules then
        perform private.apply_segment_rules(v_new, 'rebuild');
        select s.* into v_new from public.segments s where s.id = p_id;
    end if;
    perform private.broadcast_segments(v_old.org_id, array[p_id] || array(select a from private.segments_above(p_id) a));
    return v_new;
end
$$;
comment on function public.update_segment(uuid, text, jsonb, text, timestamptz) is
    'p_name or p_rules null: as before. Errors: AUTH_003, SEGMENT_001–004, SEGMENT_006 (details.segment = the other person''s version), SEGMENT_007.';

create or replace function public.delete_segment(p_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_segment public.segments := private.segment_to_change(p_id);
    v_users jsonb := (select jsonb_agg(to_jsonb(u) order by u.kind, u.name) from private.segment_users(p_id) u);
begin
    if v_users is not null then
        perform private.raise_error('SEGMENT_005', jsonb_build_object('used_by', v_users));
    end if;
    delete from public.segments where id = p_id;
    perform private.arrange_programs(v_segment.org_id);
    perform private.set_segment_clock(v_segment.org_id, private.clock());
    perform private.broadcast_segments(v_segment.org_id, array[p_id]);
end
$$;
comment on function public.delete_segment(uuid) is 'Errors: AUTH_003, SEGMENT_001, SEGMENT_005 (details.used_by).';

create or replace function public.pin_segment_contacts(p_segment_id uuid, p_contact_ids uuid[], p_kind text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_segment public.segments := private.segment_to_change(p_segment_id);
    v_contact_ids uuid[] := array(select distinct x from unnest(p_contact_ids) x where x is not null);
    v_touched uuid[];
begin
    if p_kind not in ('include', 'exclude') or p_kind = 'exclude' and v_segment.kind = 'static' then
        perform private.raise_error('SEGMENT_007');
    end if;
    if p_kind is not null then
        -- Locked against deletion until the pins are written.
        perform c.id from public.contacts c where c.org_id = v_segment.org_id and c.id = any (v_contact_ids) order by c.id for key share;
        if exists (
            select from unnest(v_contact_ids) x
            where not exists (select from public.contacts c where c.org_id = v_segment.org_id and c.id = x and c.erased_at is null)
        ) then
            perform private.raise_error('CONTACT_001');
        end if;
    end if;
    if p_kind is null then
        delete from public.segment_pins p where p.segment_id = p_segment_id and p.contact_id = any (v_contact_ids);
    else
        insert into public.segment_pins as p (segment_id, contact_id, org_id, kind, created_by)
        select p_segment_id, x, v_segment.org_id, p_kind, (select auth.uid()) from unnest(v_contact_ids) x
        on conflict (segment_id, contact_id) do update set kind = excluded.kind, created_by = excluded.created_by, created_at = now()
        where p.kind <> excluded.kind;
    end if;
    v_touched := private.evaluate_contacts(v_segment.org_id, v_contact_ids, 'pin', private.clock());
    update private.segment_clocks k set judged_at = greatest(k.judged_at, private.clock()) where k.org_id = v_segment.org_id;
    perform private.broadcast_segments(v_segment.org_id, array(select distinct t from unnest(array[p_segment_id] || v_touched) t));
end
$$;
comment on function public.pin_segment_contacts(uuid, uuid[], text) is
    'include or exclude whatever the rules say; null takes the pins away. A static segment takes include (onto the list) and null (off it). '
    'Errors: AUTH_003, CONTACT_001, SEGMENT_001, SEGMENT_007.';

-- sql/code/70_segments/80_reading.sql

-- What people ask about segments. Called by the web UI, and by admins in psql: select * from segment_members('…').
-- Must stay true: read-only; members of the organisation see their own, roles above row-level security see all.

create or replace function public.preview_segment(p_org_id uuid, p_rules jsonb)
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_problems jsonb;
    v_context jsonb;
    v_program record;
    v_found record;
begin
    perform private.require_segment_reader(p_org_id);
    v_problems := private.rule_problems(p_org_id, p_rules);
    if v_problems <> '[]' then
        return jsonb_build_object('count', null, 'contacts', '[]'::jsonb, 'sentence', '', 'problems', v_problems);
    end if;
    v_context := private.segment_context_with_names(p_org_id);
    select p.predicate, p.params into v_program from octopush.compile_segment(p_rules, v_context, 1) p;
    select f.total, f.newest into v_found
    from private.count_matching_contacts(p_org_id, v_program.predicate, v_program.params, private.clock()) f;
    return jsonb_build_object('count', v_found.total, 'sentence', octopush.segment_sentence(p_rules, v_context), 'problems', v_problems,
        'contacts', coalesce((
            select jsonb_agg(to_jsonb(c) - 'search_text' order by n.nth)
            from unnest(v_found.newest) with ordinality as n (id, nth) join public.contacts c on c.id = n.id), '[]'));
end
$$;
comment on function public.preview_segment(uuid, jsonb) is
    'How many contacts match rules that are still being written, and the newest ten. Rules that are not valid yet come back with problems. Errors: AUTH_002, ORG_001.';

create or replace function public.segment_usage(p_id uuid)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_segment public.segments := private.segment_to_read(p_id);
begin
    return coalesce((select jsonb_agg(to_jsonb(u) order by u.kind, u.name) from private.segment_users(v_segment.id) u), '[]');
end
$$;
comment on function public.segment_usage(uuid) is '[{kind, id, name}]: what keeps it from being deleted. Errors: SEGMENT_001.';

create or replace function public.segment_catalog(p_org_id uuid)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
begin
    perform private.require_segment_reader(p_org_id);
    return octopush.segment_catalog(private.segment_context(p_org_id) || jsonb_build_object('custom_fields', coalesce((
        select jsonb_agg(jsonb_build_object('key', d.key, 'label', d.label, 'type', d.type, 'options', d.options) order by d.position, d.label)
        from public.custom_field_definitions d where d.org_id = p_org_id and d.archived_at is null), '[]')));
end
$$;
comment on function public.segment_catalog(uuid) is 'The fields rules can ask, with their operators. Errors: AUTH_002, ORG_001.';

create or replace function public.segment_sentence(p_id uuid)
returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_segment public.segments := private.segment_to_read(p_id);
begin
    return case v_segment.kind when 'static' then 'Contacts on a list'
        else octopush.segment_sentence(v_segment.rules, private.segment_context_with_names(v_segment.org_id)) end;
end
$$;
comment on function public.segment_sentence(uuid) is 'The rules in words. Errors: SEGMENT_001.';

create or replace function public.explain_segment(p_segment_id uuid, p_contact_id uuid)
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_segment public.segments := private.segment_to_read(p_segment_id);
    v_facts jsonb;
    v_pin text;
    v_explanation jsonb;
begin
    select f.facts into v_facts from private.segment_facts(array(
        select c.id from public.contacts c
        where c.org_id = v_segment.org_id and c.id = p_contact_id
            -- An explanation tells the contact's values, as its row does.
            and (c.deleted_at is null or private.is_database_admin() or c.org_id = any (private.my_orgs_with('contacts.trash'))))) f;
    if not found then
        perform private.raise_error('CONTACT_001');
    end if;
    select p.kind into v_pin from public.segment_pins p where p.segment_id = p_segment_id and p.contact_id = p_contact_id;
    v_explanation := case v_segment.kind
        -- A list has no rules: nobody is in it by them.
        when 'static' then '{"path": "", "is_true": false, "match": "any", "children": [], "flip": null}'::jsonb
        else octopush.explain_segment(v_segment.rules, v_facts, private.segment_context_with_names(v_segment.org_id)) end;
    return v_explanation || jsonb_build_object('pin', v_pin, 'is_member', exists (
        select from public.segment_members m where m.segment_id = p_segment_id and m.contact_id = p_contact_id));
end
$$;
comment on function public.explain_segment(uuid, uuid) is
    'Why a contact is in a segment or not: the rules with the truth and the value of each, the smallest change that would turn it, is_member, pin. '
    'Errors: CONTACT_001, SEGMENT_001.';

create or replace function public.contact_segments(p_contact_id uuid)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_org_id uuid;
begin
    select c.org_id into v_org_id from public.contacts c
    where c.id = p_contact_id and (private.is_database_admin() or c.org_id = any (private.my_org_ids()));
    if not found then
        perform private.raise_error('CONTACT_001');
    end if;
    return coalesce((
        select jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name, 'kind', s.kind, 'is_member', m.contact_id is not null, 'pin', p.kind)
            order by lower(s.name))
        from public.segments s
        left join public.segment_members m on m.segment_id = s.id and m.contact_id = p_contact_id
        left join public.segment_pins p on p.segment_id = s.id and p.contact_id = p_contact_id
        where s.org_id = v_org_id), '[]');
end
$$;
comment on function public.contact_segments(uuid) is 'Every segment of the organisation: [{id, name, kind, is_member, pin}]. Errors: CONTACT_001.';

create or replace function public.segment_members(p_segment_id uuid, p_limit integer default 50, p_after uuid default null)
returns setof public.contacts
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_segment public.segments := private.segment_to_read(p_segment_id);
begin
    -- Ids begin with the time they were made at (UUID version 7): the primary key already has the newest first.
    return query
    select c.*
    from public.segment_members m join public.contacts c on c.id = m.contact_id
    where m.segment_id = v_segment.id and m.contact_id < coalesce(p_after, 'ffffffff-ffff-ffff-ffff-ffffffffffff') and c.deleted_at is null
    order by m.contact_id desc limit least(greatest(p_limit, 0), 1000);
end
$$;
comment on function public.segment_members(uuid, integer, uuid) is
    'Members, the newest contact first, at most 1000 a page; p_after: the id of the last contact seen. Errors: SEGMENT_001.';

create or replace function public.segment_sql(p_segment_id uuid)
returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_segment public.segments := private.segment_to_read(p_segment_id);
    v_program private.segment_programs;
    v_predicate text;
begin
    select p.* into v_program from private.segment_programs p where p.segment_id = p_segment_id;
    -- In one pass: a value that looks like a parameter stays a value.
    select string_agg(replace(t.text, '$2', quote_literal(private.clock()) || '::timestamptz') || coalesce(k.value, ''), '' order by t.position)
    into v_predicate
    from regexp_split_to_table(coalesce(v_program.predicate, 'false'), '\(\$1\)\[[0-9:]+\]') with ordinality as t (text, position)
    left join (
        select x.position, case
            when x.m[2] is null then quote_literal(v_program.params[x.m[1]::integer]) || '::text'
            else quote_literal(v_program.params[x.m[1]::integer:x.m[2]::integer]) || '::text[]' end as value
        from regexp_matches(v_program.predicate, '\(\$1\)\[(\d+)(?::(\d+))?\]', 'g') with ordinality as x (m, position)
    ) k on k.position = t.position;
    return format(E'select c.*\nfrom public.contacts c\nwhere c.org_id = %L and c.deleted_at is null and c.erased_at is null\n    and (((%s)\n'
        '            and not exists (select from public.segment_pins p where p.segment_id = %L and p.contact_id = c.id and p.kind = ''exclude''))\n'
        '        or exists (select from public.segment_pins p where p.segment_id = %L and p.contact_id = c.id and p.kind = ''include''))',
        v_segment.org_id, v_predicate, p_segment_id, p_segment_id);
end
$$;
comment on function public.segment_sql(uuid) is 'The compiled segment as a query that can be run as it stands. Errors: SEGMENT_001.';

create or replace function public.segment_plan(p_segment_id uuid)
returns setof text
language sql volatile security definer
set search_path = ''
as $$ select private.explain_plan(public.segment_sql(p_segment_id)) $$;
comment on function public.segment_plan(uuid) is 'How the database would run that query. Errors: SEGMENT_001.';

-- sql/code/70_segments/85_differences.sql

-- Maintained against recomputed. Called by tests and by admins who want to know; nothing is changed.
-- Must stay true: compiles the rules itself, and asks every level: with all segments below right, a segment's own recomputation is right.

create or replace function private.segment_differences(p_org_id uuid)
returns table (segment_id uuid, contact_id uuid, problem text)
language sql volatile
set search_path = ''
as $$
    with recomputed as materialized (
        select s.id as segment_id, x.contact_id
        from public.segments s
        cross join lateral (
            (select m.id from octopush.compile_segment(s.rules, private.segment_context(p_org_id), 1) r,
                private.matching_contacts(p_org_id, r.predicate, r.params, private.clock()) m (id)
            where s.kind = 'dynamic' and octopush.check_segment(s.rules, private.segment_context(p_org_id)) = '[]'
            except
            select p.contact_id from public.segment_pins p where p.segment_id = s.id and p.kind = 'exclude')
            union
            select p.contact_id from public.segment_pins p join public.contacts c on c.org_id = p_org_id and c.id = p.contact_id
            where p.segment_id = s.id and p.kind = 'include' and c.deleted_at is null and c.erased_at is null
        ) x (contact_id)
        where s.org_id = p_org_id and s.evaluated_at is not null
    ), maintained as materialized (
        select m.segment_id, m.contact_id from public.segment_members m join public.segments s on s.id = m.segment_id
        where s.org_id = p_org_id and s.evaluated_at is not null
    )
    select r.segment_id, r.contact_id, 'missing' from (select * from recomputed except select * from maintained) r
    union all
    select m.segment_id, m.contact_id, 'extra' from (select * from maintained except select * from recomputed) m
    union all
    select s.id, null, format('counted %s, are %s', s.member_count, x.n)
    from public.segments s cross join lateral (select count(*) as n from public.segment_members m where m.segment_id = s.id) x
    where s.org_id = p_org_id and x.n <> s.member_count
$$;
comment on function private.segment_differences(uuid) is
    'Segments, contacts and what is wrong (missing, extra, or a wrong count). Empty once private.contact_changes is.';

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
create policy octopush_members_select on public.custom_field_definitions for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.contact_consents for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.consent_keywords for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));

create policy octopush_members_select on public.conversations for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.messages for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));

create policy octopush_members_select on public.activity_log for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_recipient_select on public.notifications for select to authenticated
    using (user_id = (select auth.uid()) and org_id = any ((select private.my_org_ids())::uuid[]));

create policy octopush_members_select on public.segments for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.segment_members for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.segment_pins for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));

-- Their previews and selections show contacts: for those who may have all of them at once.
create policy octopush_members_select on public.jobs for select to authenticated
    using (org_id = any ((select private.my_orgs_with('contacts.bulk'))::uuid[]));

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

-- media, files of conversations: <org_id>/<conversation_id>/<file>. Members read, those who answer upload, nobody overwrites or deletes.
-- imports and exports, files of contacts: <org_id>/<upload or job id>/<file>. Only for those who may have all contacts at once; the worker
-- writes exports and removes both after a week.

insert into storage.buckets (id, name, public, file_size_limit)
-- 100 MB is the largest file WhatsApp takes (reference/whatsapp.md §7).
values
    ('media', 'media', false, 104857600),
    -- 2 GiB: some ten million contacts. The service's own limit (SUPABASE_STORAGE_FILE_SIZE_LIMIT) may be lower.
    ('imports', 'imports', false, 2147483648),
    ('exports', 'exports', false, 2147483648)
on conflict (id) do update set public = false, file_size_limit = excluded.file_size_limit;

create policy octopush_media_select on storage.objects for select to authenticated
    using (bucket_id = 'media' and (storage.foldername(name))[1] = any ((select private.my_org_ids())::text[]));
create policy octopush_media_insert on storage.objects for insert to authenticated
    with check (bucket_id = 'media' and (storage.foldername(name))[1] = any ((select private.my_orgs_with('inbox.answer'))::text[]));

create policy octopush_imports_select on storage.objects for select to authenticated
    using (bucket_id = 'imports' and (storage.foldername(name))[1] = any ((select private.my_orgs_with('contacts.bulk'))::text[]));
create policy octopush_imports_insert on storage.objects for insert to authenticated
    with check (bucket_id = 'imports' and (storage.foldername(name))[1] = any ((select private.my_orgs_with('contacts.bulk'))::text[]));
create policy octopush_exports_select on storage.objects for select to authenticated
    using (bucket_id = 'exports' and (storage.foldername(name))[1] = any ((select private.my_orgs_with('contacts.bulk'))::text[]));

-- sql/code/90_access/40_grants.sql

-- Every grant of the product, in one place; 00_foundation/10_reset.sql took all of them back first.
-- Must stay true: authenticated reads tables and calls RPCs, nothing else; anon has nothing; octopush_worker executes worker.* only.

grant select on
    public.organizations, public.profiles, public.org_memberships, public.whatsapp_accounts, public.whatsapp_events,
    public.contacts, public.tags, public.contact_tags, public.custom_field_definitions, public.contact_consents, public.consent_keywords, public.tag_usage,
    public.conversations, public.messages, public.activity_log, public.notifications,
    public.conversation_list
to authenticated;
-- Without token_hash.
grant select (id, org_id, email, role, invited_by, expires_at, accepted_at, revoked_at, created_at) on public.org_invitations to authenticated;
grant select on
    public.organizations, public.profiles, public.org_memberships, public.whatsapp_accounts, public.whatsapp_events,
    public.contacts, public.tags, public.contact_tags, public.custom_field_definitions, public.contact_consents, public.consent_keywords, public.tag_usage,
    public.conversations, public.messages, public.activity_log, public.notifications,
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
    public.list_contacts(uuid, text, jsonb, text, boolean, integer, integer, boolean),
    public.create_contact(uuid, jsonb),
    public.change_contacts(uuid, jsonb, jsonb),
    public.contact_timeline(uuid, integer, text),
    public.merge_contacts(uuid, uuid),
    public.erase_contact(uuid, text),
    public.export_contact(uuid),
    public.set_consent_keywords(uuid, text[], text[]),
    public.update_contact(uuid, jsonb, timestamptz),
    public.delete_contact(uuid),
    public.restore_contact(uuid),
    public.set_contact_consent(uuid, text, text, text),
    public.create_custom_field(uuid, text, text, text[], text),
    public.update_custom_field(uuid, text, text[], integer),
    public.archive_custom_field(uuid),
    public.restore_custom_field(uuid),
    public.create_tag(uuid, text, text),
    public.update_tag(uuid, text, text),
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

grant select on public.segments, public.segment_members, public.segment_pins to authenticated, service_role;
grant execute on function
    public.create_segment(uuid, text, text, jsonb, jsonb, text),
    public.update_segment(uuid, text, jsonb, text, timestamptz),
    public.delete_segment(uuid),
    public.pin_segment_contacts(uuid, uuid[], text),
    public.preview_segment(uuid, jsonb),
    public.segment_usage(uuid),
    public.segment_catalog(uuid),
    public.segment_sentence(uuid),
    public.explain_segment(uuid, uuid),
    public.contact_segments(uuid),
    public.segment_members(uuid, integer, uuid),
    public.segment_sql(uuid),
    public.segment_plan(uuid)
to authenticated;

grant select on public.jobs to authenticated, service_role;
grant execute on function
    public.create_import(uuid, text, text),
    public.inspect_import(uuid, jsonb),
    public.preview_import(uuid, jsonb, jsonb),
    public.start_import(uuid, jsonb, jsonb),
    public.create_export(uuid, jsonb),
    public.cancel_job(uuid)
to authenticated;

grant execute on all functions in schema worker to octopush_worker;

insert into private.schema_code (hash) values ('00a412da0a58b0394e3acfe3b07f3db597458283659344cae2ab94f2986eb42e') on conflict (is_current) do update set hash = excluded.hash, applied_at = now();
