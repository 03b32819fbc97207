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
                business_id = case when p_outcome ->> 'business_id' ~ '^[0-9]{1,32}$' then p_outcome ->> 'business_id' else business_id end,
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
    'p_secret_id: the token that was checked. p_outcome: {ok, display_phone_number?, verified_name?, quality_rating?, messaging_tier?, business_id?, messages_per_second?} or {ok: false, final, reason}.';

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
-- Messages of campaigns are counted within a minute (worker.fold_sent_messages): writing to every index of a contact costs as much as sending.
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
        select m.org_id, m.contact_id, count(*)::integer as sent, max(m.occurred_at) as last_at, bool_or(m.campaign_id is not null) as is_campaign
        from new_messages m where m.direction = 'outbound' group by m.org_id, m.contact_id
    ), free as materialized (
        -- With the counts: the planner takes sent for a row or two, and would look through it for each of hundreds of contacts.
        select c.id, s.sent, s.last_at from sent s join public.contacts c on c.id = s.contact_id where not s.is_campaign
        order by c.id for no key update of c skip locked
    ), counted as (
        update public.contacts c set messages_sent = c.messages_sent + f.sent, last_message_at = greatest(c.last_message_at, f.last_at)
        from free f where c.id = f.id
    )
    insert into private.sent_messages (org_id, contact_id, sent, last_at)
    select s.org_id, s.contact_id, s.sent, s.last_at from sent s where s.contact_id not in (select f.id from free f);
    return null;
end
$$;

create or replace trigger messages__count_sent after insert on public.messages
    referencing new table as new_messages for each statement execute function private.count_sent();

-- Counts what waits, for contacts nobody holds. Called by the maintenance role, every minute.
create or replace function worker.fold_sent_messages(p_limit integer)
returns integer
language sql volatile security definer
set search_path = ''
-- The queue is empty when it is analysed, and a plan for that would read all of it for each contact.
set enable_seqscan = off
as $$
    with lines as materialized (
        select x.contact_id from private.sent_messages x order by x.id limit p_limit
    ), waiting as materialized (
        select distinct l.contact_id from lines l
    ), free as materialized (
        select c.id from public.contacts c where c.id in (select w.contact_id from waiting w) order by c.id for no key update skip locked
    ), taken as (
        delete from private.sent_messages w
        where w.contact_id = any (array(
            select f.id from free f
            union all
            -- Gone with its organisation.
            select x.contact_id from waiting x where not exists (select from public.contacts c where c.id = x.contact_id)))
        returning w.contact_id, w.sent, w.last_at
    ), folded as (
        -- What was taken back before it was sent was no last message.
        select t.contact_id, sum(t.sent)::integer as sent, case when sum(t.sent) > 0 then max(t.last_at) end as last_at
        from taken t group by t.contact_id
    ), counted as (
        update public.contacts c set messages_sent = c.messages_sent + f.sent, last_message_at = greatest(c.last_message_at, f.last_at)
        from folded f where c.id = f.contact_id
    )
    -- Those that others hold count as looked at: one of them among the first must not end the sweep, all of them must.
    select case when exists (select from taken) then (select count(*)::integer from lines) else 0 end
$$;
comment on function worker.fold_sent_messages(integer) is 'Counts about p_limit messages that wait. Fewer than p_limit: that was all for now.';

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
-- soon have met enough contacts that match. It starts at the end that is nearer; where how many match is not known (null), at the beginning.
create or replace function private.walk_page(
    p_org_id uuid, p_filter private.contact_filter, p_key text, p_descending boolean, p_limit bigint, p_offset bigint, p_total bigint default null
) returns uuid[]
language plpgsql stable
set search_path = ''
set enable_sort = off
-- An Append that is not parallel keeps the order of its parts.
set max_parallel_workers_per_gather = 0
as $$
declare
    v_from_end boolean := coalesce(p_offset > p_total / 2, false);
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

-- The page among the first contacts of the sort, short of it when too few of those match. A bounded look: common rules fill a page of a hundred
-- thousand contacts from the first few hundred, and rare ones lose two milliseconds here.
create or replace function private.probe_page(
    p_org_id uuid, p_filter private.contact_filter, p_key text, p_descending boolean, p_limit bigint, p_offset bigint
) returns uuid[]
language plpgsql stable
set search_path = ''
as $$
declare
    v_order text := format('%s %s, c.id %2$s', p_key, case when p_descending then 'desc' else 'asc' end);
    v_ids uuid[];
begin
    execute format('select array(
            select c.id from (
                select c.* from public.contacts c where c.org_id = $3 and c.deleted_at is null and %s is not null order by %s limit 2000
            ) c where %s order by %2$s limit $5 offset $6)', p_key, v_order, p_filter.condition)
        into v_ids using p_filter.rule_values, private.clock(), p_org_id, p_filter.patterns, p_limit, p_offset;
    return v_ids;
end
$$;

-- Everybody who matches, found once, counted and sorted.
create or replace function private.sort_page(
    p_org_id uuid, p_filter private.contact_filter, p_id text, p_key text, p_descending boolean, p_limit bigint, p_offset bigint,
    out total bigint, out ids uuid[]
)
language plpgsql stable
set search_path = ''
set work_mem = '16MB'
as $$
begin
    execute format('with matching as materialized (select %s as id, %s as key from %s where %s)
        select (select count(*) from matching), array(select m.id from matching m order by m.key %5$s nulls last, m.id %5$s limit $5 offset $6)',
        p_id, p_key, p_filter.source, p_filter.condition, case when p_descending then 'desc' else 'asc' end)
        into total, ids using p_filter.rule_values, private.clock(), p_org_id, p_filter.patterns, p_limit, p_offset;
end
$$;

-- Of a million contacts half may say "sdn bhd": nobody who types waits a quarter of a second for their exact number.
create or replace function private.search_count_limit()
returns integer
language sql immutable parallel safe
set search_path = ''
as $$ select 50000 $$;

create or replace function private.list_page(
    p_org_id uuid, p_search text, p_rules jsonb, p_trash boolean, p_key text, p_descending boolean, p_limit integer, p_offset bigint,
    out total bigint, out total_is_minimum boolean, out ids uuid[]
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
    total_is_minimum := false;
    if p_rules is not null and v_filter.patterns = '{}' and not p_trash and p_limit + p_offset <= 1000 then
        ids := private.probe_page(p_org_id, v_filter, p_key, p_descending, p_limit, p_offset);
    end if;
    if p_rules is not null and coalesce(cardinality(ids), 0) < p_limit then
        select s.total, s.ids into total, ids
        from private.sort_page(p_org_id, v_filter, 'c.id', p_key, p_descending, p_limit, p_offset) s;
        return;
    end if;
    if v_by_text_only and v_filter.patterns <> '{}' then
        execute format('select count(*) from (select from %s where %s limit $5) x', v_filter.source, v_filter.condition)
            into total using v_filter.rule_values, private.clock(), p_org_id, v_filter.patterns, private.search_count_limit() + 1;
        if total > private.search_count_limit() then
            total := private.search_count_limit();
            total_is_minimum := true;
            ids := private.walk_page(p_org_id, private.contact_filter(p_org_id, p_search, null, false, true), p_key, p_descending,
                p_limit::bigint, p_offset);
            return;
        end if;
    else
        execute format('select count(*) from %s where %s', v_filter.source, v_filter.condition)
            into total using v_filter.rule_values, private.clock(), p_org_id, v_filter.patterns;
        if p_rules is not null then
            return;
        end if;
    end if;
    v_limit := least(p_limit::bigint, total - p_offset);
    if v_limit <= 0 then
        ids := '{}';
        return;
    end if;
    -- Contacts the walk meets until the page is full, if those that match are spread evenly.
    v_walk := (least(p_offset, total - p_offset - v_limit) + v_limit)::double precision;
    if v_filter.patterns <> '{}' then
        select greatest(k.reltuples, 1)::double precision into v_all from pg_catalog.pg_class k where k.oid = 'private.contact_search'::regclass;
        v_walk := v_walk * v_all / total::double precision;
    end if;
    if not p_trash and v_walk < total then
        ids := private.walk_page(p_org_id, private.contact_filter(p_org_id, p_search, null, false, true), p_key, p_descending, v_limit, p_offset, total);
    elsif v_by_text_only and p_key = 'c.created_at' then
        select s.ids into ids
        from private.sort_page(p_org_id, v_filter, 's.contact_id', 's.created_at', p_descending, v_limit, p_offset) s;
    else
        select s.ids into ids from private.sort_page(p_org_id, private.contact_filter(p_org_id, p_search, null, p_trash, true), 'c.id', p_key,
            p_descending, v_limit, p_offset) s;
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
    return jsonb_build_object('total', v_page.total, 'total_is_minimum', v_page.total_is_minimum, 'contacts', coalesce((
        select jsonb_agg(to_jsonb(c) - 'search_text' || jsonb_build_object('tags', coalesce((
            select jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'color', t.color) order by lower(t.name))
            from public.contact_tags ct join public.tags t on t.id = ct.tag_id
            where ct.org_id = p_org_id and ct.contact_id = c.id), '[]')) order by p.position)
        from unnest(v_page.ids) with ordinality p (id, position)
        join public.contacts c on c.id = p.id), '[]'));
end
$$;
comment on function public.list_contacts(uuid, text, jsonb, text, boolean, integer, integer, boolean) is
    'p_search: words of name, phone in any notation, e-mail, company, user name; p_rules: a segment''s; p_sort: name | last_message_at | created_at | phone, contacts without it last; p_limit at most 200 → {"total", "total_is_minimum", "contacts"}; the total is exact up to 50,000, above that a search without rules only says that there are at least as many. Errors: AUTH_002, AUTH_003, ORG_001, CONTACT_007, SEGMENT_002 (details.problems).';

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
                case when m.type = 'note' then 'note.added' when m.direction = 'inbound' then 'message.received'
                    when m.campaign_id is not null then 'campaign.received' else 'message.sent' end as kind,
                m.sent_by as actor_id,
                jsonb_build_object('conversation_id', m.conversation_id, 'type', m.type, 'preview', left(m.body, case m.type when 'note' then 4096 else 160 end)) || case
                    when m.direction = 'outbound' then jsonb_build_object('status', m.status) else '{}' end || case
                    when m.campaign_id is not null then jsonb_build_object('campaign_id', m.campaign_id, 'campaign_name', (
                        select k.name from public.campaigns k where k.id = m.campaign_id)) else '{}' end as data
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
        union all
        (select md5(k.token)::uuid, k.clicked_at, 'link.clicked', null,
            jsonb_build_object('campaign_id', k.campaign_id, 'campaign_name', n.name, 'button', k.button, 'destination', k.destination)
        from private.links k left join public.campaigns n on n.id = k.campaign_id
        where k.contact_id = p_contact_id and k.clicked_at <= v_at and (k.clicked_at, md5(k.token)::uuid) < (v_at, v_id)
        order by k.clicked_at desc, md5(k.token)::uuid desc limit v_limit + 1)
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
    'Messages, notes, consent, tags, edits and assignments, newest first: message.received | message.sent | campaign.received | note.added | consent.changed | link.clicked | opportunity.* | contact.* | conversation.*. p_before: next of the page before. Errors: AUTH_002, AUTH_003, CONTACT_001, CONTACT_007, CONTACT_010.';

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
    v_waiting_at timestamptz;
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
    perform private.move_recipients(p_merge_id, p_keep_id);
    perform private.move_links(p_merge_id, p_keep_id);
    with waiting as (
        delete from private.sent_messages w where w.contact_id in (p_keep_id, p_merge_id) returning w.sent, w.last_at
    )
    -- What was taken back before it was sent was no last message, as in worker.fold_sent_messages.
    select coalesce(sum(w.sent), 0)::integer, case when sum(w.sent) > 0 then max(w.last_at) end into v_waiting, v_waiting_at from waiting w;

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
        marketing_stopped_at = coalesce(c.marketing_stopped_at, v_merge.marketing_stopped_at),
        last_message_at = greatest(c.last_message_at, v_merge.last_message_at, v_waiting_at),
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
        'conversation_id', 'window_expires_at', 'opportunity_id', 'campaign_id')
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
    perform private.erase_recipients(v_contact.org_id, p_id);
    perform private.erase_links(array[p_id]);
    delete from public.contact_tags ct where ct.org_id = v_contact.org_id and ct.contact_id = p_id;
    delete from public.segment_pins p where p.org_id = v_contact.org_id and p.contact_id = p_id;

    update public.contacts c set
        phone = null, wa_id = null, bsuid = null, username = null, full_name = null, email = null, avatar_url = null, company = null,
        job_title = null, address = null, notes = null, birthday = null, custom_fields = '{}', lifecycle_stage = 'lead',
        opt_in_status = 'pending', opt_in_at = null, opt_in_source = null, not_on_whatsapp_at = null, marketing_stopped_at = null,
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
        'clicks', coalesce((
            select jsonb_agg(jsonb_build_object('destination', k.destination, 'clicked_at', k.clicked_at) order by k.clicked_at)
            from private.links k where k.contact_id = p_id and k.clicked_at is not null), '[]'),
        'opportunities', coalesce((
            select jsonb_agg(to_jsonb(o) - '{org_id,contact_id}'::text[] order by o.occurred_at, o.id)
            from public.opportunities o where o.org_id = v_contact.org_id and o.contact_id = p_id), '[]'),
        'activity', coalesce((
            select jsonb_agg(jsonb_build_object('kind', l.kind, 'at', l.created_at, 'data', l.data) order by l.created_at, l.id)
            from public.activity_log l where l.org_id = v_contact.org_id and l.contact_id = p_id), '[]'));
    perform private.record_activity(v_contact.org_id, 'contact.exported', (select auth.uid()), p_id);
    return v_export;
end
$$;
comment on function public.export_contact(uuid) is
    'One person''s data as JSON: contact, tags, segments, consents, conversations with messages, links followed, sales opportunities, activity. Errors: AUTH_003, CONTACT_001, CONTACT_010.';

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
-- Must stay true: the same client_key never makes two messages; nothing enters the outbox that private.send_refusal would refuse; what goes
-- to Meta of a template is made here, never taken from the caller.

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
    elsif p_type in ('interactive', 'contacts') then
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
    v_id uuid := octopush.uuid_v7();
    v_template public.templates;
    v_content jsonb;
    v_refusal text;
    v_quoted text;
begin
    if p_client_key is null or length(p_client_key) not between 8 and 100 then
        perform private.raise_error('MESSAGE_005');
    end if;
    select m.* into v_message from public.messages m where m.org_id = v_conversation.org_id and m.client_key = p_client_key;
    if found then
        if v_message.conversation_id <> p_conversation_id or v_message.type is distinct from p_type or v_message.direction <> 'outbound'
            or (p_type <> 'template' and v_message.body is distinct from p_body) or v_message.payload - 'template' is distinct from p_payload
            or v_message.reply_to_message_id is distinct from p_reply_to then
            perform private.raise_error('MESSAGE_005');
        end if;
        return v_message;
    end if;
    if p_type = 'template' then
        v_template := private.sendable_template(v_conversation.org_id, p_payload);
    else
        perform private.check_message_content(p_type, p_body, p_payload);
    end if;
    v_refusal := private.may_send(p_conversation_id, p_type, v_template.id);
    if v_refusal is not null then
        perform private.raise_error(v_refusal, jsonb_strip_nulls(jsonb_build_object('window_expires_at', v_conversation.window_expires_at,
            'status', v_template.status)));
    end if;
    if p_reply_to is not null then
        select m.wa_message_id into v_quoted from public.messages m where m.id = p_reply_to and m.conversation_id = p_conversation_id;
        if not found then
            perform private.raise_error('MESSAGE_001');
        end if;
    end if;
    if p_type = 'template' then
        v_content := private.template_content(v_template, p_payload -> 'values', v_conversation.contact_id, v_id);
        p_body := v_content ->> 'body';
        p_payload := p_payload || jsonb_build_object('template', v_content -> 'message');
    end if;
    insert into public.messages (id, org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, payload, template_id, status,
        client_key, sent_by, reply_to_message_id, reply_to_wa_message_id)
    values (v_id, v_conversation.org_id, p_conversation_id, v_conversation.whatsapp_account_id, v_conversation.contact_id, 'outbound', p_type,
        p_body, p_payload, v_template.id, 'pending', p_client_key, (select auth.uid()), p_reply_to, v_quoted)
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
    'Queues a message. p_client_key: 8–100 characters, the same key again returns the same message. p_type: text | image | video | audio | document | sticker | location | interactive | contacts | template (p_payload {"template_id", "values"}; the body is made of them). Errors: AUTH_003, CONVERSATION_001, MESSAGE_001–003, MESSAGE_005, WA_002 (details.status), WA_005–WA_007, CONTACT_004, CONTACT_008, TEMPLATE_001, TEMPLATE_009 (details.problems).';

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
    v_template public.templates;
    v_content jsonb;
    v_refusal text;
begin
    select m.* into v_message from public.messages m where m.id = p_message_id and m.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('MESSAGE_001');
    end if;
    v_conversation := private.conversation_for(v_message.conversation_id, 'inbox.answer');
    select m.* into v_message from public.messages m where m.id = p_message_id for no key update;
    -- An uncertain message may have reached the customer; sending it again is a person's decision, made with a new message. A campaign's
    -- is tried again by its campaign, whose ledger knows how often.
    if v_message.direction <> 'outbound' or v_message.status <> 'failed' or v_message.is_uncertain or v_message.campaign_id is not null then
        perform private.raise_error('MESSAGE_004');
    end if;
    v_refusal := private.may_send(v_message.conversation_id, v_message.type, v_message.template_id);
    if v_refusal is not null then
        perform private.raise_error(v_refusal, jsonb_build_object('window_expires_at', v_conversation.window_expires_at));
    end if;
    if v_message.type = 'template' then
        -- The template may have been edited since.
        select t.* into v_template from public.templates t where t.id = v_message.template_id;
        v_content := private.template_content(v_template, v_message.payload -> 'values', v_message.contact_id, p_message_id);
        v_message.body := v_content ->> 'body';
        v_message.payload := v_message.payload || jsonb_build_object('template', v_content -> 'message');
    end if;
    update public.messages m set
        body = v_message.body, payload = v_message.payload,
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
comment on function public.retry_message(uuid) is 'Sends a failed message again, a template as it is now. Errors: AUTH_003, MESSAGE_001, MESSAGE_004, WA_002, WA_005–WA_007, CONTACT_004, CONTACT_008, TEMPLATE_009 (details.problems).';

-- sql/code/40_inbox/40_search.sql

-- Search of the inbox: names, phones and the text of messages, but not of campaigns' (PRD §6.2). Definer, because the operators of trigram and
-- full-text search are not leakproof: behind a policy they could not use their indexes. The organisation is checked first and leads every query.

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
        where m.org_id = p_org_id and m.campaign_id is null
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
    'Conversations whose contact (name, phone, e-mail, company) or messages (but not a campaign''s) match, at least two letters; matched: contact | message. Errors: AUTH_002, ORG_001.';

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
    perform private.note_replies(v_inserted);
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
        messages_received = p.messages_received + l.received, not_on_whatsapp_at = null
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
    v_taken uuid[];
begin
    -- Those of which this is the first word from Meta that it took them.
    select array_agg(x.id) filter (where x.accepted_at is null) into v_taken from (
        select m.id, m.accepted_at from public.messages m
        where m.id in (select e.message_id from jsonb_to_recordset(p_events) as e (message_id uuid))
        order by m.id for no key update
    ) x;

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
    delete from private.outbox o where o.message_id = any (array(select c.id from jsonb_to_recordset(v_changed) as c (id uuid)));
    perform private.settle_ledger(array(select c.id from jsonb_to_recordset(v_changed) as c (id uuid)));
    if v_taken is not null then
        perform private.use_tier(v_taken);
    end if;
    perform private.broadcast_outcomes(v_changed);
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

-- sql/code/45_templates/10_shape.sql

-- What a template is made of: the shape the extension's functions take, our own files beside Meta's parts, and what Meta's words mean for us.
-- Called by the other files of this folder and by campaigns.
-- Must stay true: a file belongs to the template's organisation (workers read it with a key that opens every organisation's folder).

create or replace function private.template_shape(p_template public.templates)
returns jsonb
language sql immutable
set search_path = ''
as $$
    select jsonb_build_object('name', p_template.name, 'language', p_template.language, 'category', p_template.category,
        'parameter_format', p_template.parameter_format, 'components', p_template.components, 'links', p_template.links)
$$;
comment on function private.template_shape(public.templates) is 'The jsonb that octopush.check_template, render_template and template_message take.';

-- null: a word Meta did not use when this was written.
create or replace function private.status_of_meta(p_meta_status text)
returns text
language sql immutable parallel safe
set search_path = ''
as $$
    select case
        -- Flagged ones will be disabled unless their quality improves; until then they may be sent.
        when p_meta_status in ('APPROVED', 'FLAGGED', 'REINSTATED', 'UNARCHIVED') then 'approved'
        when p_meta_status in ('PENDING', 'IN_APPEAL') then 'pending'
        when p_meta_status = 'REJECTED' then 'rejected'
        when p_meta_status in ('PAUSED', 'DISABLED', 'LIMIT_EXCEEDED', 'ARCHIVED', 'LOCKED', 'PENDING_DELETION') then 'disabled'
    end
$$;

-- null: a category we do not know; what holds stays.
create or replace function private.category_of_meta(p_category text)
returns text
language sql immutable parallel safe
set search_path = ''
as $$ select c from unnest(array['marketing', 'utility', 'authentication']) c where c = lower(p_category) $$;

-- "en-US" and "en_US" are both seen in webhooks (reference/whatsapp.md §5.1).
create or replace function private.template_language(p_language text)
returns text
language sql immutable parallel safe
set search_path = ''
as $$ select replace(p_language, '-', '_') $$;

-- The components, those of carousel cards included, with where they stand.
create or replace function private.all_components(p_components jsonb)
returns table (path text, component jsonb)
language sql immutable
set search_path = ''
as $$
    with own as (
        select '/components/' || (c.position - 1) as path, c.value as component
        from jsonb_array_elements(case when jsonb_typeof(p_components) = 'array' then p_components else '[]' end) with ordinality c (value, position)
        where jsonb_typeof(c.value) = 'object'
    )
    select o.path, o.component from own o
    union all
    select o.path || '/cards/' || (k.position - 1) || '/components/' || (c.position - 1), c.value
    from own o
    cross join jsonb_array_elements(case when jsonb_typeof(o.component -> 'cards') = 'array' then o.component -> 'cards' else '[]' end)
        with ordinality k (value, position)
    cross join jsonb_array_elements(case when jsonb_typeof(k.value -> 'components') = 'array' then k.value -> 'components' else '[]' end)
        with ordinality c (value, position)
    where jsonb_typeof(c.value) = 'object'
$$;

create or replace function private.template_files(p_components jsonb)
returns jsonb
language sql immutable
set search_path = ''
as $$
    select coalesce(jsonb_agg(distinct jsonb_build_object('path', c.component #>> '{media,path}', 'mime', c.component #>> '{media,mime}')), '[]')
    from private.all_components(p_components) c where c.component #>> '{media,path}' is not null
$$;
comment on function private.template_files(jsonb) is '[{path, mime}] of bucket templates.';

-- What Meta takes: no keys of ours, and its handle for each of our files.
create or replace function private.components_for_meta(p_components jsonb, p_handles jsonb)
returns jsonb
language sql immutable
set search_path = ''
as $$
    select coalesce(jsonb_agg(case
        when jsonb_typeof(c.value -> 'cards') = 'array' then jsonb_set(c.value, '{cards}', (
            select coalesce(jsonb_agg(k.value || jsonb_build_object('components', private.components_for_meta(k.value -> 'components', p_handles))
                order by k.position), '[]')
            from jsonb_array_elements(c.value -> 'cards') with ordinality k (value, position)))
        when p_handles ? (c.value #>> '{media,path}') then (c.value - 'media')
            || jsonb_build_object('example', coalesce(nullif(c.value -> 'example', 'null'), '{}')
                || jsonb_build_object('header_handle', jsonb_build_array(p_handles -> (c.value #>> '{media,path}'))))
        else c.value - 'media' end order by c.position), '[]')
    from jsonb_array_elements(p_components) with ordinality c (value, position)
$$;

-- What tells two versions apart. Samples do not: Meta returns files as links that change with every look.
create or replace function private.components_to_compare(p_components jsonb)
returns jsonb
language sql immutable
set search_path = ''
as $$
    select coalesce(jsonb_agg(case
        when jsonb_typeof(c.value -> 'cards') = 'array' then (c.value - '{cards,example,media}'::text[]) || jsonb_build_object('cards', (
            select coalesce(jsonb_agg(private.components_to_compare(k.value -> 'components') order by k.position), '[]')
            from jsonb_array_elements(c.value -> 'cards') with ordinality k (value, position)))
        when c.value ? 'buttons' then (c.value - '{buttons,example,media}'::text[]) || jsonb_build_object('buttons', (
            select coalesce(jsonb_agg(b.value - 'example' order by b.position), '[]')
            from jsonb_array_elements(c.value -> 'buttons') with ordinality b (value, position)))
        else c.value - '{example,media}'::text[] end order by c.position), '[]')
    from jsonb_array_elements(p_components) with ordinality c (value, position)
$$;

-- Meta's components with our files where they still belong: at a header of the same format in the same place.
create or replace function private.keep_files(p_theirs jsonb, p_ours jsonb)
returns jsonb
language sql immutable
set search_path = ''
as $$
    select coalesce(jsonb_agg(case
        when jsonb_typeof(c.value -> 'cards') = 'array' then jsonb_set(c.value, '{cards}', (
            select coalesce(jsonb_agg(case when jsonb_typeof(k.value -> 'components') = 'array' then
                    k.value || jsonb_build_object('components',
                        private.keep_files(k.value -> 'components', coalesce(p_ours #> array[(c.position - 1)::text, 'cards', (k.position - 1)::text, 'components'], '[]')))
                else k.value end order by k.position), '[]')
            from jsonb_array_elements(c.value -> 'cards') with ordinality k (value, position)))
        when o.value is not null then c.value || jsonb_build_object('media', o.value)
        else c.value end order by c.position), '[]')
    from jsonb_array_elements(p_theirs) with ordinality c (value, position)
    left join lateral (
        select x.value -> 'media' as value from jsonb_array_elements(p_ours) x
        where x.value ? 'media' and x.value ->> 'type' = c.value ->> 'type' and x.value ->> 'format' = c.value ->> 'format' limit 1
    ) o on true
$$;

-- Tracked buttons that still lead to us.
create or replace function private.keep_links(p_components jsonb, p_links jsonb)
returns jsonb
language sql immutable
set search_path = ''
as $$
    select coalesce(jsonb_object_agg(l.key, l.value), '{}')
    from jsonb_each(p_links) l
    where exists (
        select from jsonb_array_elements(p_components) c
        cross join jsonb_array_elements(case when jsonb_typeof(c.value -> 'buttons') = 'array' then c.value -> 'buttons' else '[]' end)
            with ordinality b (value, position)
        where (b.position - 1)::text = l.key and b.value ->> 'url' like '%/t/{{1}}')
$$;

-- sql/code/45_templates/15_users.sql

-- What uses a template: what deletion and edits ask, and what the detail page lists.
-- Must stay true: a campaign that is scheduled, sending or paused keeps its templates as they are.

-- Campaigns that use it or did, the newest first.
create or replace function private.template_campaigns(p_template_id uuid)
returns table (id uuid, name text, status text)
language sql stable
set search_path = ''
as $$
    select c.id, c.name, c.status
    from public.templates t
    join public.campaigns c on c.org_id = t.org_id
        and c.id in (select v.campaign_id from public.campaign_variants v where v.org_id = t.org_id and v.template_id = t.id)
    where t.id = p_template_id order by c.created_at desc, c.id desc
$$;

create or replace function private.template_users(p_template_id uuid)
returns table (kind text, id uuid, name text, status text)
language sql stable
set search_path = ''
as $$
    select 'campaign', c.id, c.name, c.status from private.template_campaigns(p_template_id) c where c.status in ('scheduled', 'sending', 'paused')
$$;
comment on function private.template_users(uuid) is 'What would break without the template, or with another content.';

-- sql/code/45_templates/20_fields.sql

-- What a person writes into a template, and what is wrong with it. Called by create, update and check.
-- Must stay true: a draft may be incomplete, what is stored is never malformed; problems all have {path, severity, code, message}.

create or replace function private.template_problem(p_path text, p_code text, p_message text)
returns jsonb
language sql immutable
set search_path = ''
as $$ select jsonb_build_object('path', p_path, 'severity', 'error', 'code', p_code, 'message', p_message) $$;

create or replace function private.refuse_template(p_path text, p_code text, p_message text)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    perform private.raise_error('TEMPLATE_004', jsonb_build_object('problems', jsonb_build_array(private.template_problem(p_path, p_code, p_message))));
end
$$;

-- Of an organisation that has one number or several of the same account there is nothing to choose.
create or replace function private.default_waba(p_org_id uuid)
returns text
language sql stable
set search_path = ''
as $$
    select a.waba_id from public.whatsapp_accounts a where a.org_id = p_org_id and a.is_receiving order by a.status = 'connected' desc, a.created_at limit 1
$$;

create or replace function private.is_own_waba(p_org_id uuid, p_waba_id text)
returns boolean
language sql stable
set search_path = ''
as $$ select exists (select from public.whatsapp_accounts a where a.org_id = p_org_id and a.waba_id = p_waba_id and a.is_receiving) $$;

create or replace function private.check_template_parts(p_org_id uuid, p_template public.templates)
returns void
language plpgsql stable
set search_path = ''
as $$
declare
    v_part record;
begin
    -- 6,000 templates of the largest size Meta would take are some 100 MB: enough for all, and a bound.
    if length(p_template.components::text) > 60000 then
        perform private.refuse_template('/components', 'too_long', 'This is more than WhatsApp takes');
    end if;
    for v_part in select c.value, c.position - 1 as position from jsonb_array_elements(p_template.components) with ordinality c (value, position) loop
        if jsonb_typeof(v_part.value) <> 'object' or coalesce(v_part.value ->> 'type', '') !~ '^[A-Z_]{1,40}$' then
            perform private.refuse_template('/components/' || v_part.position, 'malformed', 'A part needs a type');
        end if;
        if (v_part.value ? 'buttons' and jsonb_typeof(v_part.value -> 'buttons') <> 'array')
            or (v_part.value ? 'cards' and jsonb_typeof(v_part.value -> 'cards') <> 'array') then
            perform private.refuse_template('/components/' || v_part.position, 'malformed', 'Buttons and cards are lists');
        end if;
        if exists (select from jsonb_array_elements(v_part.value -> 'cards') k where v_part.value ? 'cards' and jsonb_typeof(k.value -> 'components') is distinct from 'array')
            or exists (select from jsonb_array_elements(v_part.value -> 'buttons') b where v_part.value ? 'buttons' and jsonb_typeof(b.value) <> 'object') then
            perform private.refuse_template('/components/' || v_part.position, 'malformed', 'Buttons and cards are objects');
        end if;
    end loop;
    for v_part in select c.path, c.component from private.all_components(p_template.components) c where c.component ? 'media' loop
        if coalesce(v_part.component #>> '{media,path}', '') !~ ('^' || p_org_id || '/[0-9a-f-]{36}/[^/]{1,200}$')
            or coalesce(v_part.component #>> '{media,mime}', '') !~ '^[a-z]+/[a-z0-9.+-]{1,100}$' then
            perform private.refuse_template(v_part.path || '/media', 'wrong_file', 'The file is not one of this organisation');
        end if;
    end loop;
    for v_part in select l.key, l.value from jsonb_each(p_template.links) l loop
        if v_part.key !~ '^[0-9]$' or jsonb_typeof(v_part.value) <> 'string' then
            perform private.refuse_template('/links', 'malformed', 'A tracked button has a place and a destination');
        end if;
        if private.destination_problem(v_part.value #>> '{}') is not null then
            perform private.refuse_template('/links/' || v_part.key, 'wrong_link', private.destination_problem(v_part.value #>> '{}'));
        end if;
    end loop;
end
$$;

-- Turns the form's JSON into a row, keeping what p_base has for keys that are absent.
create or replace function private.merge_template_fields(p_base public.templates, p_fields jsonb)
returns public.templates
language plpgsql stable
set search_path = ''
as $$
declare
    v_key text;
begin
    if p_fields is null or jsonb_typeof(p_fields) <> 'object' then
        perform private.refuse_template('', 'malformed', 'Fields are an object');
    end if;
    for v_key in select jsonb_object_keys(p_fields) loop
        if v_key not in ('waba_id', 'name', 'language', 'category', 'parameter_format', 'components', 'links') then
            perform private.refuse_template('/' || v_key, 'unknown_field', 'There is no such field');
        end if;
        if jsonb_typeof(p_fields -> v_key) <> (case v_key when 'components' then 'array' when 'links' then 'object' else 'string' end) then
            perform private.refuse_template('/' || v_key, 'malformed', 'This has the wrong kind');
        end if;
    end loop;
    p_base := jsonb_populate_record(p_base, p_fields);
    if p_base.waba_id is null then
        perform private.raise_error('WA_006');
    end if;
    if p_fields ? 'waba_id' and not private.is_own_waba(p_base.org_id, p_base.waba_id) then
        perform private.refuse_template('/waba_id', 'unknown', 'This WhatsApp account is not connected');
    end if;
    if coalesce(p_base.name, '') !~ '^[a-z0-9_]+$' or length(p_base.name) > 512 then
        perform private.refuse_template('/name', 'wrong_name', 'A name has 1 to 512 small letters, digits and underscores');
    end if;
    if coalesce(p_base.language, '') !~ '^[A-Za-z]{2,3}(_[A-Za-z]{2,4})?$' then
        perform private.refuse_template('/language', 'wrong_language', 'This is no language of WhatsApp');
    end if;
    if coalesce(p_base.category, '') not in ('marketing', 'utility', 'authentication') then
        perform private.refuse_template('/category', 'wrong_category', 'A template is marketing, utility or authentication');
    end if;
    if coalesce(p_base.parameter_format, '') not in ('positional', 'named') then
        perform private.refuse_template('/parameter_format', 'wrong_format', 'Variables are positional or named');
    end if;
    perform private.check_template_parts(p_base.org_id, p_base);
    return p_base;
end
$$;

-- Meta keeps the name of a deleted template that was approved for 30 days (reference/whatsapp.md §8.1).
create or replace function private.name_free_at(p_template public.templates)
returns timestamptz
language sql stable
set search_path = ''
as $$
    select max(t.deleted_at) + interval '30 days' from public.templates t
    where t.org_id = p_template.org_id and t.waba_id = p_template.waba_id and t.name = p_template.name and t.language = p_template.language
        and t.wa_template_id is not null and t.reviewed_at is not null and t.rejected_reason is null and t.deleted_at > private.clock() - interval '30 days'
$$;

create or replace function private.is_name_taken(p_template public.templates)
returns boolean
language sql stable
set search_path = ''
as $$
    select exists (
        select from public.templates t
        where t.org_id = p_template.org_id and t.waba_id = p_template.waba_id and t.name = p_template.name and t.language = p_template.language
            and t.deleted_at is null and t.id is distinct from p_template.id)
$$;

create or replace function public.check_template(p_org_id uuid, p_fields jsonb)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_template public.templates;
    v_problems jsonb;
begin
    perform private.require_permission(p_org_id, 'campaigns.manage');
    v_template.org_id := p_org_id;
    if jsonb_typeof(p_fields) = 'object' then
        begin
            v_template.id := (p_fields ->> 'id')::uuid;
        exception when invalid_text_representation then
            perform private.refuse_template('/id', 'malformed', 'This is no id');
        end;
        p_fields := p_fields - 'id';
    end if;
    v_template.waba_id := private.default_waba(p_org_id);
    v_template.language := 'en_US';
    v_template.category := 'marketing';
    v_template.parameter_format := 'positional';
    v_template.components := '[]';
    v_template.links := '{}';
    v_template := private.merge_template_fields(v_template, p_fields);
    v_problems := octopush.check_template(private.template_shape(v_template));
    if private.is_name_taken(v_template) then
        v_problems := private.template_problem('/name', 'name_taken', 'There is a template of this name in this language already') || v_problems;
    elsif private.name_free_at(v_template) is not null then
        v_problems := private.template_problem('/name', 'name_blocked', 'WhatsApp keeps the name of a deleted template for 30 days') || v_problems;
    end if;
    return v_problems;
end
$$;
comment on function public.check_template(uuid, jsonb) is
    'p_fields: create_template''s, and "id" of the template they are for → [{path, severity error|warning, code, message}]: what Meta refuses, and what it often rejects. Errors: AUTH_003, ORG_001, TEMPLATE_004 (details.problems, when the fields are malformed), WA_006.';

-- sql/code/45_templates/30_life_cycle.sql

-- How a template's state moves, whoever moves it: people, workers, Meta (docs/state-machines.md).
-- Must stay true: draft → pending → approved | rejected | disabled and back through pending only; an older word of Meta changes nothing;
-- whoever manages campaigns hears of what Meta decided, once.

create or replace function private.broadcast_templates(p_org_id uuid, p_template_ids uuid[])
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform private.broadcast('org:' || p_org_id, 'templates', case
        when cardinality(p_template_ids) <= 100 then jsonb_build_object('template_ids', to_jsonb(p_template_ids))
        else '{"all": true}'::jsonb end);
end
$$;

create or replace function private.wake_template_workers()
returns void
language sql volatile
set search_path = ''
as $$ select pg_catalog.pg_notify('octopush_templates', '') $$;

create or replace function private.tell_of_template(p_template public.templates, p_kind text, p_data jsonb default '{}')
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform private.notify_members(p_template.org_id, private.members_with(p_template.org_id, 'campaigns.manage'), p_kind,
        case p_kind when 'template.approved' then 'normal' else 'high' end,
        jsonb_strip_nulls(jsonb_build_object('template_id', p_template.id, 'name', p_template.name, 'language', p_template.language) || p_data));
end
$$;

-- p_event: Meta's word and what came with it, {"status", "reason"?, "words"?}. p_at: when Meta said so.
create or replace function private.set_meta_status(p_id uuid, p_event jsonb, p_at timestamptz)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_old public.templates;
    v_new public.templates;
    v_word text := upper(p_event ->> 'status');
    v_status text := private.status_of_meta(v_word);
    v_reason text := nullif(p_event ->> 'reason', 'NONE');
    v_words text := left(p_event ->> 'words', 1000);
begin
    select t.* into v_old from public.templates t where t.id = p_id for no key update;
    if v_old.deleted_at is not null or v_old.meta_status_at > p_at then
        return;
    end if;
    if v_word = 'DELETED' then
        update public.templates t set deleted_at = private.clock(), status = 'disabled', meta_status = v_word, meta_status_at = p_at,
            updated_at = clock_timestamp()
        where t.id = p_id;
        delete from private.template_work w where w.template_id = p_id;
        perform private.broadcast_templates(v_old.org_id, array[p_id]);
        return;
    end if;
    -- A word we do not know says nothing we could act on; it is shown, and the list is asked for what it means.
    v_status := coalesce(v_status, v_old.status);
    -- What Meta says meanwhile may be about the template as it was; once the work is done its list is asked.
    if exists (select from private.template_work w where w.template_id = p_id and w.action in ('edit', 'delete')) then
        return;
    end if;
    update public.templates t set
        status = v_status, meta_status = v_word, meta_status_at = coalesce(p_at, t.meta_status_at),
        rejected_reason = case when v_status = 'rejected' then coalesce(v_reason, t.rejected_reason, 'NONE') end,
        status_reason = case
            when v_status = 'approved' and v_word <> 'FLAGGED' then null
            when v_word is not distinct from t.meta_status then coalesce(v_words, case when v_status <> 'rejected' then v_reason end, t.status_reason)
            else coalesce(v_words, case when v_status <> 'rejected' then v_reason end) end,
        problem = case when v_status = 'approved' then null else t.problem end,
        reviewed_at = case when v_status in ('approved', 'rejected') and v_status <> t.status then coalesce(p_at, private.clock()) else t.reviewed_at end
    where t.id = p_id
    returning t.* into v_new;
    if (v_new.status, v_new.meta_status, v_new.rejected_reason, v_new.status_reason)
        is not distinct from (v_old.status, v_old.meta_status, v_old.rejected_reason, v_old.status_reason) then
        return;
    end if;
    update public.templates t set updated_at = clock_timestamp() where t.id = p_id;
    perform private.broadcast_templates(v_new.org_id, array[p_id]);
    if v_new.status = v_old.status and v_new.meta_status is not distinct from v_old.meta_status then
        return;
    end if;
    if v_new.status = 'approved' and v_old.status <> 'approved' then
        perform private.tell_of_template(v_new, 'template.approved');
        perform private.record_activity(v_new.org_id, 'template.approved', p_data => jsonb_build_object('template_id', p_id, 'name', v_new.name));
    elsif v_new.status = 'rejected' and v_old.status <> 'rejected' then
        perform private.tell_of_template(v_new, 'template.rejected', jsonb_build_object('reason', v_new.rejected_reason));
        perform private.record_activity(v_new.org_id, 'template.rejected',
            p_data => jsonb_strip_nulls(jsonb_build_object('template_id', p_id, 'name', v_new.name, 'reason', v_new.rejected_reason)));
    elsif v_new.status = 'disabled' and v_word <> 'PENDING_DELETION' then
        perform private.tell_of_template(v_new, case v_word when 'PAUSED' then 'template.paused' else 'template.disabled' end,
            jsonb_build_object('meta_status', v_word, 'reason', coalesce(v_reason, v_words)));
    end if;
end
$$;
comment on function private.set_meta_status(uuid, jsonb, timestamptz) is '{"status", "reason"?, "words"?}: Meta''s word, its one-word reason, and its sentence for people.';

-- p_correct, p_changes_at: what Meta is going to make of it. null, null: nothing (any more).
create or replace function private.set_meta_category(p_id uuid, p_category text, p_correct text, p_changes_at timestamptz)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_old public.templates;
    v_new public.templates;
begin
    select t.* into v_old from public.templates t where t.id = p_id for no key update;
    update public.templates t set
        category = coalesce(p_category, t.category),
        previous_category = case when p_category <> t.category then t.category else t.previous_category end,
        correct_category = case when p_correct <> coalesce(p_category, t.category) then p_correct end,
        category_changes_at = case when p_correct <> coalesce(p_category, t.category) then p_changes_at end
    where t.id = p_id and t.deleted_at is null
    returning t.* into v_new;
    if v_new.id is null or (v_new.category, v_new.correct_category, v_new.category_changes_at)
        is not distinct from (v_old.category, v_old.correct_category, v_old.category_changes_at) then
        return;
    end if;
    update public.templates t set updated_at = clock_timestamp() where t.id = p_id;
    perform private.broadcast_templates(v_new.org_id, array[p_id]);
    if v_new.category <> v_old.category then
        perform private.tell_of_template(v_new, 'template.category_changed', jsonb_build_object('from', v_old.category, 'to', v_new.category));
    elsif v_new.correct_category is not null and v_new.correct_category is distinct from v_old.correct_category then
        perform private.tell_of_template(v_new, 'template.category_warned',
            jsonb_build_object('from', v_new.category, 'to', v_new.correct_category, 'at', v_new.category_changes_at));
    end if;
end
$$;

-- When Meta takes the next edit of an approved template; null: now.
create or replace function private.next_edit_at(p_template_id uuid)
returns timestamptz
language sql stable
set search_path = ''
as $$
    select nullif(greatest(
        (select max(e.edited_at) + interval '24 hours' from private.template_edits e
            where e.template_id = p_template_id and e.edited_at > private.clock() - interval '24 hours'),
        (select e.edited_at + interval '30 days' from private.template_edits e
            where e.template_id = p_template_id and e.edited_at > private.clock() - interval '30 days' order by e.edited_at desc offset 9 limit 1)
    ), '-infinity')
$$;

-- The template, held, for a member who may manage campaigns; nobody else is told that it exists.
create or replace function private.template_to_change(p_id uuid)
returns public.templates
language plpgsql volatile
set search_path = ''
as $$
declare
    v_template public.templates;
begin
    select t.* into v_template from public.templates t
    where t.id = p_id and t.deleted_at is null and t.org_id = any (private.my_org_ids()) for no key update;
    if not found then
        perform private.raise_error('TEMPLATE_001');
    end if;
    perform private.require_permission(v_template.org_id, 'campaigns.manage');
    return v_template;
end
$$;

create or replace function private.template_to_read(p_id uuid)
returns public.templates
language plpgsql stable
set search_path = ''
as $$
declare
    v_template public.templates;
begin
    select t.* into v_template from public.templates t where t.id = p_id and t.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('TEMPLATE_001');
    end if;
    return v_template;
end
$$;

create or replace function private.refuse_template_state(p_template public.templates)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    perform private.raise_error(case p_template.status when 'pending' then 'TEMPLATE_003' else 'TEMPLATE_006' end,
        jsonb_build_object('status', p_template.status, 'meta_status', p_template.meta_status));
end
$$;

create or replace function private.refuse_used_template(p_template_id uuid)
returns void
language plpgsql stable
set search_path = ''
as $$
declare
    v_users jsonb;
begin
    select jsonb_agg(jsonb_build_object('kind', u.kind, 'id', u.id, 'name', u.name, 'status', u.status)) into v_users
    from private.template_users(p_template_id) u;
    if v_users is not null then
        perform private.raise_error('TEMPLATE_008', jsonb_build_object('used_by', v_users));
    end if;
end
$$;

create or replace function private.refuse_template_errors(p_template public.templates)
returns void
language plpgsql stable
set search_path = ''
as $$
declare
    v_problems jsonb := octopush.check_template(private.template_shape(p_template));
begin
    if jsonb_path_exists(v_problems, '$[*] ? (@.severity == "error")') then
        perform private.raise_error('TEMPLATE_004', jsonb_build_object('problems', v_problems));
    end if;
end
$$;

-- Asks a worker; the template has no other work open, or its state would not allow this.
create or replace function private.add_template_work(p_template public.templates, p_action text, p_before jsonb default null)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    insert into private.template_work (template_id, org_id, action, before, run_after)
    values (p_template.id, p_template.org_id, p_action, p_before, private.clock());
    perform private.wake_template_workers();
end
$$;

-- sql/code/45_templates/40_changes.sql

-- What people do to templates: make, change, submit, copy, delete (PRD §9.1–9.3). Called by the web UI and supabase-js.
-- Must stay true: what Meta is reviewing is not touched; a stale edit is refused; what a campaign is about to send is neither changed nor
-- deleted; Meta's own limits are kept before Meta is asked.

create or replace function public.create_template(p_org_id uuid, p_fields jsonb)
returns public.templates
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_template public.templates;
begin
    perform private.require_permission(p_org_id, 'campaigns.manage');
    v_template.org_id := p_org_id;
    v_template.waba_id := private.default_waba(p_org_id);
    v_template.language := 'en_US';
    v_template.category := 'marketing';
    v_template.parameter_format := 'positional';
    v_template.components := '[]';
    v_template.links := '{}';
    v_template := private.merge_template_fields(v_template, p_fields);
    -- Meta's own limit for one account (reference/whatsapp.md §8.1); drafts count here, so that nobody is left with what cannot be submitted.
    if (select count(*) from public.templates t where t.org_id = p_org_id and t.waba_id = v_template.waba_id and t.deleted_at is null) >= 6000 then
        perform private.refuse_template('', 'too_many', 'A WhatsApp account has at most 6,000 templates');
    end if;
    begin
        insert into public.templates (org_id, waba_id, name, language, category, parameter_format, components, links, created_by)
        values (p_org_id, v_template.waba_id, v_template.name, v_template.language, v_template.category, v_template.parameter_format,
            v_template.components, v_template.links, (select auth.uid()))
        returning * into v_template;
    exception when unique_violation then
        perform private.raise_error('TEMPLATE_005', jsonb_build_object('name', v_template.name, 'language', v_template.language));
    end;
    perform private.broadcast_templates(p_org_id, array[v_template.id]);
    return v_template;
end
$$;
comment on function public.create_template(uuid, jsonb) is
    'A draft. p_fields: name (required), language, category, parameter_format, components, links, waba_id. It may be incomplete. Errors: AUTH_003, ORG_001, TEMPLATE_004 (details.problems), TEMPLATE_005, WA_006 (no number is connected).';

create or replace function private.require_template_version(p_template public.templates, p_expected_updated_at timestamptz)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if p_template.updated_at is distinct from p_expected_updated_at then
        perform private.raise_error('TEMPLATE_010', jsonb_build_object('template', to_jsonb(p_template)));
    end if;
end
$$;

create or replace function public.update_template(p_id uuid, p_fields jsonb, p_expected_updated_at timestamptz)
returns public.templates
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_old public.templates := private.template_to_change(p_id);
    v_new public.templates;
    v_is_at_meta boolean := v_old.wa_template_id is not null;
    v_is_paused boolean := v_old.status = 'disabled' and v_old.meta_status = 'PAUSED';
    v_submits boolean := v_old.status = 'approved' or v_is_paused;
    v_retry_at timestamptz;
begin
    if not (v_old.status in ('draft', 'rejected') or v_submits) then
        perform private.refuse_template_state(v_old);
    end if;
    perform private.require_template_version(v_old, p_expected_updated_at);
    v_new := private.merge_template_fields(v_old, p_fields);
    if v_is_at_meta and (v_new.name, v_new.language, v_new.waba_id, v_new.parameter_format)
        is distinct from (v_old.name, v_old.language, v_old.waba_id, v_old.parameter_format) then
        perform private.refuse_template('', 'fixed', 'Name, language and kind of variables stay as WhatsApp has them: duplicate the template instead');
    end if;
    if v_old.status = 'approved' and v_new.category <> v_old.category then
        perform private.refuse_template('/category', 'fixed', 'WhatsApp keeps the category of an approved template');
    end if;
    if (v_new.name, v_new.language, v_new.waba_id, v_new.parameter_format, v_new.category, v_new.components, v_new.links)
        is not distinct from (v_old.name, v_old.language, v_old.waba_id, v_old.parameter_format, v_old.category, v_old.components, v_old.links) then
        return v_old;
    end if;
    if v_submits then
        perform private.refuse_used_template(p_id);
        perform private.refuse_template_errors(v_new);
        if v_old.status = 'approved' then
            v_retry_at := private.next_edit_at(p_id);
            if v_retry_at is not null then
                perform private.raise_error('TEMPLATE_007', jsonb_build_object('retry_at', v_retry_at));
            end if;
            insert into private.template_edits (template_id, org_id, edited_at) values (p_id, v_old.org_id, private.clock());
        end if;
        perform private.add_template_work(v_old, 'edit', to_jsonb(v_old));
    end if;
    begin
        update public.templates t set name = v_new.name, language = v_new.language, waba_id = v_new.waba_id,
            parameter_format = v_new.parameter_format, category = v_new.category, components = v_new.components, links = v_new.links,
            status = case when v_submits then 'pending' else t.status end,
            submitted_at = case when v_submits then private.clock() else t.submitted_at end,
            has_changes = not v_submits and v_is_at_meta,
            problem = null, updated_at = clock_timestamp()
        where t.id = p_id
        returning t.* into v_new;
    exception when unique_violation then
        perform private.raise_error('TEMPLATE_005', jsonb_build_object('name', v_new.name, 'language', v_new.language));
    end;
    perform private.broadcast_templates(v_new.org_id, array[p_id]);
    return v_new;
end
$$;
comment on function public.update_template(uuid, jsonb, timestamptz) is
    'Draft and rejected: changed here, submit_template sends it. Approved and paused: the change goes to Meta at once and the template waits for approval. '
    'Errors: AUTH_003, TEMPLATE_001, TEMPLATE_003, TEMPLATE_004 (details.problems), TEMPLATE_005, TEMPLATE_006 (details.status), TEMPLATE_007 (details.retry_at), TEMPLATE_008 (details.used_by), TEMPLATE_010 (details.template).';

create or replace function public.submit_template(p_id uuid, p_expected_updated_at timestamptz default null)
returns public.templates
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_template public.templates := private.template_to_change(p_id);
    v_free_at timestamptz;
begin
    if v_template.status not in ('draft', 'rejected') then
        perform private.refuse_template_state(v_template);
    end if;
    perform private.require_template_version(v_template, coalesce(p_expected_updated_at, v_template.updated_at));
    perform private.refuse_template_errors(v_template);
    if not exists (select from public.whatsapp_accounts a
        where a.org_id = v_template.org_id and a.waba_id = v_template.waba_id and a.status = 'connected') then
        perform private.raise_error('WA_006');
    end if;
    if v_template.wa_template_id is null then
        v_free_at := private.name_free_at(v_template);
        if v_free_at is not null then
            perform private.raise_error('TEMPLATE_005', jsonb_build_object('name', v_template.name, 'language', v_template.language, 'free_at', v_free_at));
        end if;
        perform private.add_template_work(v_template, 'submit', to_jsonb(v_template));
    else
        perform private.add_template_work(v_template, 'edit', to_jsonb(v_template));
    end if;
    update public.templates t set status = 'pending', submitted_at = private.clock(), has_changes = false, problem = null,
        rejected_reason = null, status_reason = null, updated_at = clock_timestamp()
    where t.id = p_id
    returning t.* into v_template;
    perform private.record_activity(v_template.org_id, 'template.submitted', (select auth.uid()),
        p_data => jsonb_build_object('template_id', p_id, 'name', v_template.name));
    perform private.broadcast_templates(v_template.org_id, array[p_id]);
    return v_template;
end
$$;
comment on function public.submit_template(uuid, timestamptz) is
    'Draft or rejected → pending; a worker brings it to Meta. p_expected_updated_at: the version that was reviewed; null for whatever it is now. Errors: AUTH_003, TEMPLATE_001, TEMPLATE_003, TEMPLATE_004 (details.problems), TEMPLATE_005 (details.free_at: Meta keeps the name until then), TEMPLATE_006 (details.status), TEMPLATE_010 (details.template), WA_006.';

create or replace function public.duplicate_template(p_id uuid, p_name text)
returns public.templates
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_template public.templates := private.template_to_change(p_id);
begin
    return public.create_template(v_template.org_id, jsonb_build_object('waba_id', v_template.waba_id, 'name', coalesce(p_name, ''),
        'language', v_template.language, 'category', v_template.category, 'parameter_format', v_template.parameter_format,
        'components', v_template.components, 'links', v_template.links));
end
$$;
comment on function public.duplicate_template(uuid, text) is 'A draft with the same content. Errors: as create_template, and TEMPLATE_001.';

create or replace function public.delete_template(p_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_template public.templates := private.template_to_change(p_id);
begin
    if v_template.status = 'pending' or v_template.meta_status = 'PENDING_DELETION' then
        perform private.refuse_template_state(v_template);
    end if;
    perform private.refuse_used_template(p_id);
    if v_template.wa_template_id is null then
        delete from public.templates t where t.id = p_id;
    elsif v_template.meta_status = 'DISABLED' then
        -- Meta deletes no disabled template: it is only taken away here.
        update public.templates t set deleted_at = private.clock(), updated_at = clock_timestamp() where t.id = p_id;
    else
        -- Meta deletes one after another: until it has, nobody can use it any more.
        perform private.add_template_work(v_template, 'delete', to_jsonb(v_template));
        update public.templates t set status = 'disabled', meta_status = 'PENDING_DELETION', problem = null, updated_at = clock_timestamp()
        where t.id = p_id;
    end if;
    if v_template.wa_template_id is not null then
        perform private.record_activity(v_template.org_id, 'template.deleted', (select auth.uid()),
            p_data => jsonb_build_object('template_id', p_id, 'name', v_template.name));
    end if;
    perform private.broadcast_templates(v_template.org_id, array[p_id]);
end
$$;
comment on function public.delete_template(uuid) is
    'A draft is gone at once; any other is disabled until a worker has deleted it at Meta, in this language only. Errors: AUTH_003, TEMPLATE_001, TEMPLATE_003, TEMPLATE_006 (details.status), TEMPLATE_008 (details.used_by).';

create or replace function public.sync_templates(p_org_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    perform private.require_permission(p_org_id, 'campaigns.manage');
    perform private.request_template_sync(p_org_id, a.waba_id)
    from (select distinct x.waba_id from public.whatsapp_accounts x where x.org_id = p_org_id and x.status = 'connected') a;
    if not found then
        perform private.raise_error('WA_006');
    end if;
end
$$;
comment on function public.sync_templates(uuid) is 'Asks workers to compare with Meta now; what changes is broadcast. Errors: AUTH_003, ORG_001, WA_006.';

-- sql/code/45_templates/50_work.sql

-- What workers ask of Meta for templates, and what came of it. Called by the templates role of the worker.
-- Must stay true: one piece of work a template at a time, tried until Meta has answered for good; an answer to an earlier attempt than the
-- last one changes nothing (the list of Meta settles what it did); what Meta refuses leaves the template as Meta has it.

create or replace function private.request_template_sync(p_org_id uuid, p_waba_id text, p_at timestamptz default null)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    insert into private.template_syncs as s (org_id, waba_id, requested_at) values (p_org_id, p_waba_id, coalesce(p_at, private.clock()))
    on conflict (org_id, waba_id) do update set requested_at = excluded.requested_at;
    perform private.wake_template_workers();
end
$$;

-- null: the account is not connected for the moment.
create or replace function private.waba_token(p_org_id uuid, p_waba_id text)
returns text
language sql stable
set search_path = ''
as $$
    select s.decrypted_secret from public.whatsapp_accounts a
    join private.whatsapp_credentials c on c.whatsapp_account_id = a.id
    join vault.decrypted_secrets s on s.id = c.secret_id
    where a.org_id = p_org_id and a.waba_id = p_waba_id and a.status = 'connected' order by a.id limit 1
$$;

create or replace function worker.claim_template_work(p_limit integer)
returns table (template_id uuid, action text, waba_id text, access_token text, wa_template_id text, payload jsonb, attempt integer)
language plpgsql volatile security definer
set search_path = ''
as $$
#variable_conflict use_column
begin
    perform private.fold_template_counts();
    return query
    with due as (
        select w.template_id from private.template_work w
        join public.templates t on t.id = w.template_id
        where w.run_after <= private.clock()
            and exists (select from public.whatsapp_accounts a join private.whatsapp_credentials c on c.whatsapp_account_id = a.id
                where a.org_id = t.org_id and a.waba_id = t.waba_id and a.status = 'connected')
        order by w.run_after, w.template_id limit p_limit for update of w skip locked
    ), claimed as (
        -- Pushing run_after ahead is the lease: a worker that dies loses nothing but these minutes. The largest file takes Meta a while.
        update private.template_work w set attempt = w.attempt + 1, run_after = private.clock() + interval '5 minutes'
        from due where w.template_id = due.template_id
        returning w.template_id, w.action, w.handles, w.before, w.attempt
    )
    select t.id, v.action, t.waba_id, private.waba_token(t.org_id, t.waba_id), t.wa_template_id,
        case v.action
            when 'upload' then jsonb_build_object('files', f.missing)
            when 'submit' then jsonb_build_object('name', t.name, 'language', t.language, 'category', upper(t.category),
                'parameter_format', t.parameter_format, 'components', private.components_for_meta(t.components, c.handles))
            when 'edit' then jsonb_build_object('components', private.components_for_meta(t.components, c.handles),
                -- A rejected one's row had the new category before it was submitted again.
                'category', case when c.before ->> 'status' = 'rejected' or t.category <> c.before ->> 'category' then upper(t.category) end)
            else jsonb_build_object('name', t.name, 'language', t.language)
        end, c.attempt
    from claimed c
    join public.templates t on t.id = c.template_id
    cross join lateral (
        select coalesce(jsonb_agg(x.value), '[]') as missing from jsonb_array_elements(private.template_files(t.components)) x
        where c.action in ('submit', 'edit') and not c.handles ? (x.value ->> 'path')
    ) f
    cross join lateral (select case when f.missing <> '[]' then 'upload' else c.action end as action) v;
end
$$;
comment on function worker.claim_template_work(integer) is
    'What to ask of Meta. payload of upload: {files: [{path, mime}]}; submit: Meta''s body of a creation; edit: {components, category or null}; delete: {name, language}.';

-- The template as it was before work that Meta refused.
create or replace function private.undo_template_work(p_work private.template_work, p_problem text)
returns public.templates
language plpgsql volatile
set search_path = ''
as $$
declare
    v_before public.templates := jsonb_populate_record(null::public.templates, p_work.before);
    v_template public.templates;
    -- What was approved still stands at Meta; what was rejected or a draft is a person's to correct.
    v_keeps_content boolean := p_work.action = 'submit' or v_before.status = 'rejected';
begin
    delete from private.template_work w where w.template_id = p_work.template_id;
    if p_work.action = 'edit' and v_before.status = 'approved' then
        delete from private.template_edits e where e.template_id = p_work.template_id and e.edited_at = (
            select max(x.edited_at) from private.template_edits x where x.template_id = p_work.template_id);
    end if;
    update public.templates t set
        status = v_before.status, meta_status = v_before.meta_status, problem = left(p_problem, 1000),
        status_reason = v_before.status_reason, rejected_reason = v_before.rejected_reason,
        has_changes = v_keeps_content and p_work.action = 'edit',
        category = case when v_keeps_content then t.category else v_before.category end,
        components = case when v_keeps_content then t.components else v_before.components end,
        links = case when v_keeps_content then t.links else v_before.links end,
        updated_at = clock_timestamp()
    where t.id = p_work.template_id
    returning t.* into v_template;
    return v_template;
end
$$;

create or replace function worker.record_template_work(p_results jsonb)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_result record;
    v_work private.template_work;
    v_template public.templates;
begin
    -- All of them before anything else that others hold, and in the order of lists and webhooks.
    perform t.id from public.templates t
    where t.id in (select r.template_id from jsonb_to_recordset(p_results) as r (template_id uuid))
    order by t.name collate "C", t.language collate "C", t.org_id, t.id for no key update;
    for v_result in
        select r.* from jsonb_to_recordset(p_results) as r (template_id uuid, action text, attempt integer, outcome text, wa_template_id text,
            category text, status text, handles jsonb, error_code text, error_message text, retry_seconds double precision)
    loop
        select t.* into v_template from public.templates t where t.id = v_result.template_id;
        select w.* into v_work from private.template_work w
        where w.template_id = v_result.template_id and w.attempt = v_result.attempt for update;
        continue when not found;
        if v_result.outcome = 'retry' then
            update private.template_work w set run_after = private.clock() + make_interval(secs => coalesce(v_result.retry_seconds, 60))
            where w.template_id = v_work.template_id;
            continue;
        elsif v_result.outcome = 'failed' then
            v_template := private.undo_template_work(v_work, coalesce(v_result.error_message, v_result.error_code, 'WA_001'));
            perform private.tell_of_template(v_template, 'template.failed',
                jsonb_build_object('action', v_work.action, 'code', v_result.error_code));
            -- What Meta said of it meanwhile was not listened to.
            if v_work.action <> 'submit' then
                perform private.request_template_sync(v_template.org_id, v_template.waba_id);
            end if;
        elsif v_result.action = 'upload' then
            -- What comes next is a first try: nothing of it can have happened at Meta.
            update private.template_work w set handles = w.handles || coalesce(v_result.handles, '{}'), run_after = private.clock(), attempt = 0
            where w.template_id = v_work.template_id;
            perform private.wake_template_workers();
            continue;
        elsif v_work.action = 'delete' then
            delete from private.template_work w where w.template_id = v_work.template_id;
            update public.templates t set deleted_at = private.clock(), updated_at = clock_timestamp() where t.id = v_work.template_id;
        else
            delete from private.template_work w where w.template_id = v_work.template_id;
            update public.templates t set wa_template_id = coalesce(v_result.wa_template_id, t.wa_template_id), synced_at = private.clock(),
                updated_at = clock_timestamp()
            where t.id = v_work.template_id;
            if v_result.category is not null then
                perform private.set_meta_category(v_work.template_id, private.category_of_meta(v_result.category), null, null);
            end if;
            -- A webhook may have said how the review went before this answer to the creation was written down.
            if v_result.status is not null and v_template.status = 'pending' then
                perform private.set_meta_status(v_work.template_id, jsonb_build_object('status', v_result.status), null);
            end if;
            if v_work.action = 'edit' then
                perform private.request_template_sync(v_template.org_id, v_template.waba_id);
            end if;
        end if;
        perform private.broadcast_templates(v_template.org_id, array[v_template.id]);
    end loop;
end
$$;
comment on function worker.record_template_work(jsonb) is
    '[{template_id, action, attempt, outcome done|failed|retry, wa_template_id?, category?, status?, handles?, error_code?, error_message?, retry_seconds?}]: what Meta answered.';

-- sql/code/45_templates/60_lists.sql

-- Meta's list of templates against ours: what webhooks missed, and what was made elsewhere. Called by the templates role of the worker.
-- Must stay true: drafts and what is on its way to Meta are left alone; what a person deleted here does not come back while Meta still
-- shows it; only a complete list says that something is gone.

create or replace function worker.wabas_to_sync(p_limit integer)
returns table (org_id uuid, waba_id text, access_token text, asked_at timestamptz)
language plpgsql volatile security definer
set search_path = ''
as $$
#variable_conflict use_column
begin
    return query
    with accounts as (
        select a.org_id, a.waba_id, max(a.connected_at) as connected_at from public.whatsapp_accounts a
        join private.whatsapp_credentials c on c.whatsapp_account_id = a.id
        where a.status = 'connected' group by 1, 2
    ), due as (
        select a.org_id, a.waba_id from accounts a
        left join private.template_syncs s on s.org_id = a.org_id and s.waba_id = a.waba_id
        where s.claimed_at is null or (s.requested_at > s.claimed_at and s.requested_at <= private.clock()) or a.connected_at > s.claimed_at
            or s.claimed_at <= private.clock() - interval '1 hour'
            -- A list that was not finished, and reviews whose end we did not hear of.
            or (s.claimed_at <= private.clock() - interval '10 minutes' and (
                coalesce(s.synced_at < s.claimed_at, true)
                or exists (select from public.templates t where t.org_id = a.org_id and t.waba_id = a.waba_id and t.status = 'pending'
                    and t.deleted_at is null and t.submitted_at <= private.clock() - interval '10 minutes')))
        order by s.requested_at nulls last, s.claimed_at nulls first limit p_limit
    ), claimed as (
        insert into private.template_syncs as s (org_id, waba_id, claimed_at) select d.org_id, d.waba_id, private.clock() from due d
        on conflict (org_id, waba_id) do update set claimed_at = excluded.claimed_at
        -- Another worker has just taken it.
        where s.claimed_at is null or s.claimed_at < excluded.claimed_at - interval '1 second' or s.requested_at > s.claimed_at
        returning s.org_id, s.waba_id, s.claimed_at
    )
    select c.org_id, c.waba_id, private.waba_token(c.org_id, c.waba_id), c.claimed_at from claimed c;
end
$$;
comment on function worker.wabas_to_sync(integer) is 'Accounts whose list is to be fetched now: hourly, once connected, on request, and sooner while reviews are open. asked_at is handed back with the list.';

-- One template as Meta shows it, into a row of ours.
create or replace function private.take_over_template(p_id uuid, p_item jsonb, p_since timestamptz)
returns boolean
language plpgsql volatile
set search_path = ''
as $$
declare
    v_old public.templates;
    v_new public.templates;
    -- There is no template without a part: an empty list is an answer that left them out.
    v_components jsonb := case when jsonb_path_exists(p_item, '$.components[0]') then p_item -> 'components' end;
    v_is_open boolean;
begin
    select t.* into v_old from public.templates t where t.id = p_id for no key update;
    v_is_open := exists (select from private.template_work w where w.template_id = p_id);
    v_new := v_old;
    v_new.wa_template_id := coalesce(p_item ->> 'id', v_old.wa_template_id);
    v_new.quality := coalesce((select q from unnest(array['GREEN', 'YELLOW', 'RED', 'UNKNOWN']) q where q = upper(p_item #>> '{quality_score,score}')), v_old.quality);
    -- Submitted after the list was asked for: the list may still show what was before.
    if not v_is_open and coalesce(v_old.submitted_at <= p_since, true) then
        if v_components is not null and not v_old.has_changes
            and private.components_to_compare(v_components) <> private.components_to_compare(v_old.components) then
            v_new.components := private.keep_files(v_components, v_old.components);
            v_new.links := private.keep_links(v_components, v_old.links);
        end if;
        v_new.parameter_format := coalesce((select f from unnest(array['positional', 'named']) f where f = lower(p_item ->> 'parameter_format')), v_old.parameter_format);
    end if;
    update public.templates t set wa_template_id = v_new.wa_template_id, quality = v_new.quality, components = v_new.components,
        links = v_new.links, parameter_format = v_new.parameter_format, synced_at = private.clock(),
        updated_at = case when v_new.components <> t.components or v_new.parameter_format <> t.parameter_format then clock_timestamp() else t.updated_at end
    where t.id = p_id;
    if not v_is_open and coalesce(v_old.submitted_at <= p_since, true) then
        if not (v_old.has_changes and v_old.category <> private.category_of_meta(p_item ->> 'category')) then
            perform private.set_meta_category(p_id, private.category_of_meta(p_item ->> 'category'),
                coalesce(private.category_of_meta(p_item ->> 'correct_category'), v_old.correct_category), v_old.category_changes_at);
        end if;
        -- A webhook that came while the list was fetched knows better. Meta's time has whole seconds.
        if p_item ->> 'status' is not null and coalesce(v_old.meta_status_at <= p_since - interval '1 second', true) then
            perform private.set_meta_status(p_id, jsonb_build_object('status', p_item ->> 'status', 'reason', p_item ->> 'rejected_reason'), null);
        elsif v_old.meta_status_at <= p_since and upper(p_item ->> 'status') <> v_old.meta_status then
            -- Of the same second: the next list tells which of the two was later.
            perform private.request_template_sync(v_old.org_id, v_old.waba_id, p_since + interval '2 seconds');
        end if;
    end if;
    return (v_new.components, v_new.quality, v_new.wa_template_id) is distinct from (v_old.components, v_old.quality, v_old.wa_template_id);
end
$$;

-- p_is_complete: p_templates is all there is. p_templates: items of GET /{waba}/message_templates. p_asked_at: as worker.wabas_to_sync told;
-- by now another worker may have asked again, and have been answered.
create or replace function worker.apply_template_list(
    p_org_id uuid, p_waba_id text, p_templates jsonb, p_is_complete boolean, p_asked_at timestamptz)
returns void
language plpgsql volatile security definer
set search_path = ''
-- The first list of a new database finds an empty table, and a plan made for that would read all of it for each template.
set enable_seqscan = off
as $$
declare
    v_item record;
    v_ours public.templates;
    v_named public.templates;
    v_changed uuid[] := array[]::uuid[];
    v_id uuid;
begin
    -- One list of an account at a time: two would take over the same template twice. Not by the row of the account's synchronisation, which
    -- others touch while they hold templates.
    perform pg_catalog.pg_advisory_xact_lock(hashtextextended('templates of ' || p_org_id || ' ' || p_waba_id, 0));
    if not private.is_own_waba(p_org_id, p_waba_id) then
        return;
    end if;
    -- One that took longer than the next: what it shows has been overtaken.
    if exists (select from private.template_syncs s where s.org_id = p_org_id and s.waba_id = p_waba_id and p_asked_at < s.listed_as_of) then
        return;
    end if;
    -- All of them before the row of the account's synchronisation, which is asked for below, and in the order of webhooks and answers:
    -- whoever holds that row waits for no template.
    perform t.id from public.templates t
    where t.id in (
        select o.id from public.templates o where o.org_id = p_org_id and o.waba_id = p_waba_id and o.deleted_at is null
        union all
        -- Deleted ones, too: Meta may still show them.
        select o.id from jsonb_array_elements(p_templates) x
        join public.templates o on o.waba_id = p_waba_id and o.wa_template_id = x.value ->> 'id' and o.org_id = p_org_id)
    order by t.name collate "C", t.language collate "C", t.org_id, t.id for no key update;
    for v_item in
        select x.value, x.value ->> 'id' as wa_template_id, x.value ->> 'name' as name, private.template_language(x.value ->> 'language') as language
        from jsonb_array_elements(p_templates) x
        where x.value ->> 'id' is not null and x.value ->> 'name' ~ '^[a-z0-9_]+$' and length(x.value ->> 'name') <= 512
            and private.template_language(x.value ->> 'language') ~ '^[A-Za-z]{2,3}(_[A-Za-z]{2,4})?$'
        order by x.value ->> 'name' collate "C", x.value ->> 'language' collate "C"
    loop
        select t.* into v_ours from public.templates t
        where t.waba_id = p_waba_id and t.wa_template_id = v_item.wa_template_id and t.org_id = p_org_id;
        if v_ours.id is null or v_ours.deleted_at is not null then
            select t.* into v_named from public.templates t
            where t.org_id = p_org_id and t.waba_id = p_waba_id and t.name = v_item.name and t.language = v_item.language and t.deleted_at is null;
            -- The one deleted here, which Meta still shows; its name is another's now.
            continue when v_ours.deleted_at is not null and v_named.id is not null;
            v_ours := case when v_named.id is null then v_ours else v_named end;
        end if;
        if v_ours.status = 'draft' then
            -- Made elsewhere under the name of a draft: the draft is a person's work, so it is told apart, not overwritten.
            if v_ours.problem is distinct from 'TEMPLATE_005' then
                update public.templates t set problem = 'TEMPLATE_005', updated_at = clock_timestamp() where t.id = v_ours.id;
                v_changed := v_changed || v_ours.id;
            end if;
        elsif v_ours.deleted_at is null and v_ours.id is not null then
            if private.take_over_template(v_ours.id, v_item.value, p_asked_at) then
                v_changed := v_changed || v_ours.id;
            end if;
        elsif v_item.value ->> 'status' in ('PENDING_DELETION', 'DELETED') or (v_item.value ->> 'status' = 'DISABLED' and v_ours.id is not null) then
            -- Deleted here; Meta shows it for up to 30 days, and a disabled one for ever.
            continue;
        else
            v_id := v_ours.id;
            if v_id is not null then
                -- A list that lacked it by mistake took it away: it is the same template.
                update public.templates t set deleted_at = null, updated_at = clock_timestamp() where t.id = v_id;
            else
                insert into public.templates (org_id, waba_id, name, language, category, wa_template_id, components, status, meta_status, reviewed_at)
                values (p_org_id, p_waba_id, v_item.name, v_item.language, coalesce(private.category_of_meta(v_item.value ->> 'category'), 'marketing'),
                    v_item.wa_template_id, '[]', coalesce(private.status_of_meta(upper(v_item.value ->> 'status')), 'disabled'),
                    upper(v_item.value ->> 'status'), private.clock())
                returning id into v_id;
            end if;
            perform private.take_over_template(v_id, v_item.value, p_asked_at);
            v_changed := v_changed || v_id;
        end if;
    end loop;
    if p_is_complete then
        with gone as (
            update public.templates t set deleted_at = private.clock(), status = 'disabled', meta_status = 'DELETED', updated_at = clock_timestamp()
            where t.id in (
                select o.id from public.templates o
                where o.org_id = p_org_id and o.waba_id = p_waba_id and o.deleted_at is null and o.status <> 'draft' and o.wa_template_id is not null
                    -- What Meta took while the list was fetched may have come too late for it.
                    and coalesce(o.submitted_at <= p_asked_at, true) and coalesce(o.synced_at <= p_asked_at, true)
                    and not exists (select from private.template_work w where w.template_id = o.id)
                    and not exists (select from jsonb_array_elements(p_templates) x where x.value ->> 'id' = o.wa_template_id))
            returning t.id
        )
        select v_changed || coalesce(array_agg(g.id), '{}') into v_changed from gone g;
    end if;
    if p_is_complete or jsonb_array_length(p_templates) > 0 then
        update private.template_syncs s set listed_as_of = p_asked_at,
            -- Asked again since: that one is still to come.
            synced_at = case when p_is_complete and p_asked_at >= s.claimed_at then private.clock() else s.synced_at end
        where s.org_id = p_org_id and s.waba_id = p_waba_id;
    end if;
    if cardinality(v_changed) > 0 then
        perform private.broadcast_templates(p_org_id, v_changed);
    end if;
end
$$;
comment on function worker.apply_template_list(uuid, text, jsonb, boolean, timestamptz) is
    'Items of GET /{waba}/message_templates with id, name, language, status, category, components, parameter_format, quality_score, rejected_reason, correct_category. p_is_complete: what is not among them is gone.';

-- sql/code/45_templates/65_events.sql

-- Webhooks about templates (reference/whatsapp.md §5.1–5.5), inside the applier's transaction. Called by octopush_worker only.
-- Must stay true: the same event twice, or late, is the same as once; what we do not know or understand makes us ask for Meta's list; whoever
-- holds several templates took them by name and language (lists do, too).

create or replace function private.apply_template_event(p_template public.templates, p_field text, p_value jsonb, p_at timestamptz)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_word text := upper(p_value ->> 'event');
    v_quality text := upper(p_value ->> 'new_quality_score');
begin
    -- By what is in it: Meta's own examples name the wrong field (§5.2).
    if v_word is not null then
        perform private.set_meta_status(p_template.id, jsonb_build_object('status', v_word, 'reason', p_value ->> 'reason', 'words', coalesce(
            nullif(concat_ws(' ', p_value #>> '{rejection_info,reason}', p_value #>> '{rejection_info,recommendation}'), ''),
            p_value #>> '{other_info,description}', p_value #>> '{other_info,title}', p_value #>> '{disable_info,disable_date}')), p_at);
        if private.status_of_meta(v_word) is null and v_word <> 'DELETED' then
            perform private.request_template_sync(p_template.org_id, p_template.waba_id);
        end if;
    elsif v_quality is not null then
        update public.templates t set quality = v_quality
        where t.id = p_template.id and t.quality <> v_quality and v_quality in ('GREEN', 'YELLOW', 'RED', 'UNKNOWN');
        if found then
            perform private.broadcast_templates(p_template.org_id, array[p_template.id]);
        end if;
    elsif p_field = 'template_category_update' and p_value ? 'previous_category' then
        perform private.set_meta_category(p_template.id, private.category_of_meta(p_value ->> 'new_category'), null, null);
    elsif p_field = 'template_category_update' and p_value ? 'correct_category' then
        -- Announced only: new_category is the one that still holds (§5.3).
        perform private.set_meta_category(p_template.id, private.category_of_meta(p_value ->> 'new_category'),
            private.category_of_meta(p_value ->> 'correct_category'),
            to_timestamp(substring(p_value ->> 'category_update_timestamp' from '^[0-9]{1,11}')::double precision));
    elsif p_field = 'template_correct_category_detection' then
        perform private.set_meta_category(p_template.id, private.category_of_meta(p_value ->> 'category'),
            private.category_of_meta(p_value ->> 'correct_category'), null);
    else
        perform private.request_template_sync(p_template.org_id, p_template.waba_id);
    end if;
end
$$;

create or replace function worker.apply_template_events(p_events jsonb)
returns void
language plpgsql volatile security definer
set search_path = ''
-- As in worker.apply_template_list.
set enable_seqscan = off
as $$
declare
    v_event record;
    v_template public.templates;
    v_held uuid[];
begin
    select array_agg(x.id) into v_held from (
        select t.id from public.templates t
        where t.id in (
            select o.id from jsonb_to_recordset(p_events) as e (waba_id text, wa_template_id text)
            join public.templates o on o.waba_id = e.waba_id and o.wa_template_id = e.wa_template_id and o.deleted_at is null
            union all
            select o.id from jsonb_to_recordset(p_events) as e (waba_id text, name text, language text)
            join public.whatsapp_accounts a on a.waba_id = e.waba_id and a.is_receiving
            join public.templates o on o.org_id = a.org_id and o.waba_id = e.waba_id and o.name = e.name
                and o.language = private.template_language(e.language) and o.deleted_at is null)
        order by t.name collate "C", t.language collate "C", t.org_id, t.id for no key update
    ) x;
    for v_event in
        select e.*, a.org_id from jsonb_to_recordset(p_events) as e (
            webhook_event_id bigint, waba_id text, field text, wa_template_id text, name text, language text, value jsonb, occurred_at timestamptz)
        join lateral (select distinct x.org_id from public.whatsapp_accounts x where x.waba_id = e.waba_id and x.is_receiving) a on true
        order by e.occurred_at, e.webhook_event_id, a.org_id
    loop
        select t.* into v_template from public.templates t
        where t.id = any (v_held) and t.org_id = v_event.org_id and t.waba_id = v_event.waba_id and t.deleted_at is null
            and (t.wa_template_id = v_event.wa_template_id
                -- Its creation is not written down yet.
                or (t.wa_template_id is null and t.status = 'pending' and t.name = v_event.name
                    and t.language = private.template_language(v_event.language)
                    -- Nor is it about one that had the name before.
                    and not exists (
                        select from public.templates d
                        where d.org_id = t.org_id and d.waba_id = t.waba_id and d.wa_template_id = v_event.wa_template_id)))
        order by t.wa_template_id is not null desc limit 1;
        if found then
            if v_template.wa_template_id is null and v_event.wa_template_id is not null then
                update public.templates t set wa_template_id = v_event.wa_template_id where t.id = v_template.id;
            end if;
            perform private.apply_template_event(v_template, v_event.field, coalesce(v_event.value, '{}'), v_event.occurred_at);
        elsif v_event.value ->> 'event' is distinct from 'DELETED' then
            perform private.request_template_sync(v_event.org_id, v_event.waba_id);
        end if;
    end loop;
end
$$;
comment on function worker.apply_template_events(jsonb) is
    '[{webhook_event_id, waba_id, field, wa_template_id, name, language, value, occurred_at}]; value as Meta sent it.';

-- sql/code/45_templates/70_counts.sql

-- How often a template was sent, delivered and read. Triggers append, workers add up.
-- Must stay true: private.template_counts + private.template_deltas equals a recount of messages, and templates.sent_count, delivered_count
-- and read_count + private.template_deltas do, too; whoever sends waits for no other sender (nobody touches a template's row at a send).

-- A function for each kind of trigger: each knows only the rows it has.
create or replace function private.count_new_template_messages()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    -- Most are made before they are sent, and change nothing yet.
    if not exists (select from new_messages m where m.template_id is not null and num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0) then
        return null;
    end if;
    insert into private.template_deltas (org_id, template_id, slot, sent, delivered, read, last_used_at)
    select m.org_id, m.template_id, date_bin('15 minutes', m.created_at, '2000-01-01'), count(*),
        count(*) filter (where num_nonnulls(m.delivered_at, m.read_at) > 0), count(m.read_at), max(m.created_at)
    from new_messages m
    where m.template_id is not null and num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0
    group by 1, 2, 3;
    return null;
end
$$;

create or replace function private.count_gone_template_messages()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.template_deltas (org_id, template_id, slot, sent, delivered, read)
    select m.org_id, m.template_id, date_bin('15 minutes', m.created_at, '2000-01-01'), -count(*),
        -count(*) filter (where num_nonnulls(m.delivered_at, m.read_at) > 0), -count(m.read_at)
    from old_messages m
    where m.template_id is not null and num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0
    group by 1, 2, 3;
    return null;
end
$$;

create or replace function private.count_changed_template_messages()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    if not exists (select from new_messages m where m.template_id is not null) then
        return null;
    end if;
    insert into private.template_deltas (org_id, template_id, slot, sent, delivered, read, last_used_at)
    select x.org_id, x.template_id, date_bin('15 minutes', x.created_at, '2000-01-01'), sum(x.sign * x.is_sent), sum(x.sign * x.is_delivered),
        sum(x.sign * x.is_read), max(x.created_at) filter (where x.sign * x.is_sent > 0)
    from (
        select 1 as sign, m.org_id, m.template_id, m.created_at,
            (num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0)::integer as is_sent,
            (num_nonnulls(m.delivered_at, m.read_at) > 0)::integer as is_delivered, (m.read_at is not null)::integer as is_read
        from new_messages m where m.template_id is not null
        union all
        select -1, m.org_id, m.template_id, m.created_at,
            (num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0)::integer,
            (num_nonnulls(m.delivered_at, m.read_at) > 0)::integer, (m.read_at is not null)::integer
        from old_messages m where m.template_id is not null
    ) x
    group by 1, 2, 3
    having (sum(x.sign * x.is_sent), sum(x.sign * x.is_delivered), sum(x.sign * x.is_read)) <> (0, 0, 0);
    return null;
end
$$;

create or replace trigger messages__count_template_insert after insert on public.messages
    referencing new table as new_messages for each statement execute function private.count_new_template_messages();
create or replace trigger messages__count_template_update after update on public.messages
    referencing old table as old_messages new table as new_messages for each statement execute function private.count_changed_template_messages();
create or replace trigger messages__count_template_delete after delete on public.messages
    referencing old table as old_messages for each statement execute function private.count_gone_template_messages();

-- Adds up what was appended, for templates nobody holds.
create or replace function private.fold_template_counts()
returns void
language sql volatile
set search_path = ''
as $$
    with waiting as materialized (
        select d.id, d.template_id from private.template_deltas d order by d.id limit 20000
    ), free as materialized (
        select t.id from public.templates t where t.id in (select w.template_id from waiting w) order by t.id for no key update skip locked
    ), taken as materialized (
        delete from private.template_deltas d using waiting w
        where d.id = w.id and (d.template_id in (select f.id from free f)
            -- Gone with its organisation.
            or not exists (select from public.templates t where t.id = d.template_id))
        returning d.*
    ), slots as (
        insert into private.template_counts as c (template_id, slot, org_id, sent, delivered, read)
        select t.template_id, t.slot, t.org_id, sum(t.sent), sum(t.delivered), sum(t.read) from taken t join free f on f.id = t.template_id
        group by 1, 2, 3
        on conflict (template_id, slot) do update
        set sent = c.sent + excluded.sent, delivered = c.delivered + excluded.delivered, read = c.read + excluded.read
    )
    update public.templates t set sent_count = t.sent_count + s.sent, delivered_count = t.delivered_count + s.delivered,
        read_count = t.read_count + s.read, last_used_at = greatest(t.last_used_at, s.last_used_at)
    from (
        select k.template_id, sum(k.sent) as sent, sum(k.delivered) as delivered, sum(k.read) as read, max(k.last_used_at) as last_used_at
        from taken k group by 1
    ) s
    where t.id = s.template_id
$$;

-- sql/code/45_templates/80_reading.sql

-- Looking at templates: list, preview, figures (PRD §9.4–9.5). Called by the web UI and supabase-js.
-- Must stay true: counts include what workers have not added up yet; a read rate says nothing of fewer than 50 sends (PRD §9.4).

create or replace function private.like_pattern(p_search text)
returns text
language sql immutable parallel safe
set search_path = ''
as $$ select '%' || regexp_replace(lower(btrim(p_search)), '([\\%_])', '\\\1', 'g') || '%' $$;

create or replace function public.list_templates(
    p_org_id uuid,
    p_search text default null,
    p_status text default null,
    p_category text default null,
    p_language text default null,
    p_sort text default 'name',
    p_descending boolean default false,
    p_limit integer default 25,
    p_offset integer default 0,
    p_waba_id text default null,
    p_is_for_campaigns boolean default false
) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    -- Names are written with underscores; people search them with spaces.
    v_pattern text := private.like_pattern(regexp_replace(btrim(p_search), '\s+', '_', 'g'));
    v_result jsonb;
begin
    perform private.require_permission(p_org_id, 'read');
    if coalesce(p_sort, '') not in ('name', 'created_at', 'sent_count', 'read_rate') then
        perform private.refuse_template('/sort', 'unknown', 'Templates are sorted by name, created_at, sent_count or read_rate');
    end if;
    with fresh as (
        select d.template_id, sum(d.sent) as sent, sum(d.delivered) as delivered, sum(d.read) as read, max(d.last_used_at) as last_used_at
        from private.template_deltas d where d.org_id = p_org_id group by 1
    ), found as materialized (
        select t.id, t.name, t.language, t.created_at, t.sent_count + coalesce(f.sent, 0) as sent, t.delivered_count + coalesce(f.delivered, 0) as delivered,
            t.read_count + coalesce(f.read, 0) as read, greatest(t.last_used_at, f.last_used_at) as last_used_at
        from public.templates t
        left join fresh f on f.template_id = t.id
        where t.org_id = p_org_id and t.deleted_at is null
            and (v_pattern is null or t.name like v_pattern)
            and (p_status is null or t.status = p_status)
            and (p_category is null or t.category = p_category)
            and (p_language is null or t.language = p_language)
            and (p_waba_id is null or t.waba_id = p_waba_id)
            -- A one-time code is for the one person who asked for it.
            and (not coalesce(p_is_for_campaigns, false) or (t.status = 'approved' and t.category <> 'authentication'))
    ), rated as (
        select x.*, case when x.sent >= 50 and x.delivered > 0 then round(x.read::numeric / x.delivered, 4) end as read_rate from found x
    ), sorted as (
        select r.*, row_number() over (order by
            case p_sort when 'created_at' then extract(epoch from r.created_at) when 'sent_count' then r.sent when 'read_rate' then r.read_rate end
                * case when p_descending then -1 else 1 end nulls last,
            case when p_sort = 'name' and p_descending then r.name end collate "C" desc,
            r.name collate "C", r.language, r.id) as position
        from rated r
    ), page as (
        select s.* from sorted s order by s.position
        limit least(greatest(coalesce(p_limit, 25), 1), 200) offset greatest(coalesce(p_offset, 0), 0)
    )
    select jsonb_build_object('total', (select count(*) from found), 'templates', coalesce(jsonb_agg(
        to_jsonb(t) || jsonb_build_object('sent_count', p.sent, 'delivered_count', p.delivered, 'read_count', p.read,
            'last_used_at', p.last_used_at, 'read_rate', p.read_rate) order by p.position), '[]'))
    into v_result
    from page p join public.templates t on t.id = p.id;
    return v_result;
end
$$;
comment on function public.list_templates(uuid, text, text, text, text, text, boolean, integer, integer, text, boolean) is
    'p_search: part of the name; p_sort: name | created_at | sent_count | read_rate (read of delivered, null under 50 sends, last); p_limit at most 200; p_waba_id: of one account; p_is_for_campaigns: only what a campaign may send → {"total", "templates"}. Errors: AUTH_002, ORG_001, TEMPLATE_004.';

create or replace function public.preview_template(p_id uuid, p_values jsonb default '{}')
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_template public.templates := private.template_to_read(p_id);
begin
    return octopush.render_template(private.template_shape(v_template), coalesce(p_values, '{}'));
end
$$;
comment on function public.preview_template(uuid, jsonb) is
    'What a phone shows: {"header", "body", "footer", "buttons", "cards"}; a value that is missing shows its placeholder. Errors: TEMPLATE_001.';

create or replace function public.template_variables(p_id uuid)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_template public.templates := private.template_to_read(p_id);
begin
    return octopush.template_variables(private.template_shape(v_template));
end
$$;
comment on function public.template_variables(uuid) is 'What has to be filled in: [{"key", "kind", "example", "label"}]. Errors: TEMPLATE_001.';

-- What came back, by the day of the message: of campaigns what their ledger says, of agents' messages whether the contact wrote in the
-- seven days after.
create or replace function private.template_replies(p_template public.templates, p_since timestamptz, p_time_zone text)
returns table (day date, replied bigint)
language sql stable
set search_path = ''
as $$
    select (m.created_at at time zone p_time_zone)::date, count(*)
    from public.messages m
    where m.template_id = p_template.id and m.campaign_id is null and m.created_at >= p_since
        and num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0
        and exists (
            select from public.messages a
            where a.conversation_id = m.conversation_id and a.direction = 'inbound'
                and a.occurred_at > m.occurred_at and a.occurred_at <= m.occurred_at + interval '7 days')
    group by 1
    union all
    select (r.queued_at at time zone p_time_zone)::date, count(*)
    from public.campaign_variants v
    join public.campaigns c on c.id = v.campaign_id and coalesce(c.finished_at >= p_since, true)
    join public.campaign_recipients r on r.campaign_id = v.campaign_id and r.variant = v.position
        and r.replied_at is not null and r.queued_at >= p_since
    where v.org_id = p_template.org_id and v.template_id = p_template.id
    group by 1
$$;

create or replace function public.template_analytics(p_id uuid, p_days integer default 30)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_template public.templates := private.template_to_read(p_id);
    v_zone text := (select o.time_zone from public.organizations o where o.id = v_template.org_id);
    v_today date := (private.clock() at time zone v_zone)::date;
    v_first date := v_today - (least(greatest(coalesce(p_days, 30), 1), 366) - 1);
    v_days jsonb;
begin
    select jsonb_agg(jsonb_build_object('day', d.day, 'sent', coalesce(c.sent, 0), 'delivered', coalesce(c.delivered, 0),
        'read', coalesce(c.read, 0), 'replied', coalesce(r.replied, 0)) order by d.day)
    into v_days
    from (select v_first + i as day from generate_series(0, v_today - v_first) i) d
    left join (
        select (x.slot at time zone v_zone)::date as day, sum(x.sent) as sent, sum(x.delivered) as delivered, sum(x.read) as read
        from (
            select k.slot, k.sent, k.delivered, k.read from private.template_counts k
            where k.template_id = p_id and k.slot >= v_first::timestamp at time zone v_zone
            union all
            select k.slot, k.sent, k.delivered, k.read from private.template_deltas k
            where k.template_id = p_id and k.slot >= v_first::timestamp at time zone v_zone
        ) x
        group by 1
    ) c on c.day = d.day
    left join (
        select x.day, sum(x.replied) as replied from private.template_replies(v_template, v_first::timestamp at time zone v_zone, v_zone) x group by 1
    ) r on r.day = d.day;
    return jsonb_build_object('days', v_days,
        'totals', (
            select jsonb_build_object('sent', sum(x.sent), 'delivered', sum(x.delivered), 'read', sum(x.read), 'replied', sum(x.replied))
            from jsonb_to_recordset(v_days) as x (sent bigint, delivered bigint, read bigint, replied bigint)),
        'campaigns', (
            select coalesce(jsonb_agg(jsonb_build_object('id', u.id, 'name', u.name, 'status', u.status)), '[]')
            from private.template_campaigns(p_id) u),
        'flows', '[]'::jsonb);
end
$$;
comment on function public.template_analytics(uuid, integer) is
    'Days of the organisation''s time zone, by when the message was made → {"days": [{"day", "sent", "delivered", "read", "replied"}], "totals", "campaigns", "flows"}. Errors: TEMPLATE_001.';

-- sql/code/45_templates/85_sending.sql

-- A template as a message of the inbox. Called by send_message and retry_message.
-- Must stay true: what is kept as payload.template is what Meta is handed; the template's account is the one the conversation is on.

-- p_payload: {"template_id", "values"}.
create or replace function private.sendable_template(p_org_id uuid, p_payload jsonb)
returns public.templates
language plpgsql stable
set search_path = ''
as $$
declare
    v_template public.templates;
begin
    if jsonb_typeof(p_payload) is distinct from 'object' or coalesce(p_payload ->> 'template_id', '') !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
        or coalesce(jsonb_typeof(p_payload -> 'values'), 'object') <> 'object' or p_payload - '{template_id,values}'::text[] <> '{}' then
        perform private.raise_error('MESSAGE_003', '{"field": "payload"}');
    end if;
    select t.* into v_template from public.templates t
    where t.org_id = p_org_id and t.id = (p_payload ->> 'template_id')::uuid and t.deleted_at is null;
    if not found then
        perform private.raise_error('TEMPLATE_001');
    end if;
    return v_template;
end
$$;

-- {"message", "body"} for one contact, the tokens of tracked buttons made.
create or replace function private.template_content(p_template public.templates, p_values jsonb, p_contact_id uuid, p_message_id uuid)
returns jsonb
language plpgsql volatile
set search_path = ''
as $$
declare
    v_tokens jsonb := '{}'::jsonb;
    v_content jsonb;
begin
    if p_template.links <> '{}' then
        select coalesce(jsonb_object_agg(l.button, l.token), '{}') into v_tokens
        from private.make_links((
            select jsonb_agg(jsonb_build_object('contact_id', p_contact_id, 'org_id', p_template.org_id, 'variant', 1,
                'message_id', p_message_id, 'button', k.key::integer, 'destination', k.value))
            from jsonb_each_text(p_template.links) k)) l;
    end if;
    v_content := octopush.template_message(private.template_shape(p_template), coalesce(p_values, '{}'), v_tokens);
    if v_content ? 'problems' then
        perform private.raise_error('TEMPLATE_009', jsonb_build_object('problems', v_content -> 'problems'));
    end if;
    return v_content;
end
$$;

-- sql/code/50_sending/10_may_send.sql

-- The one answer to "may this leave?" (design §3, invariant 5). Asked when a message is queued and again when it is claimed.
-- Must stay true: nobody else decides; null means yes, otherwise a code of the error catalogue.

-- p_template_status, p_template_category: of the template the message is made of, as it is now; null for any other message. Meta may have
-- changed the category since the message was queued: consent follows what holds when it leaves.
create or replace function private.send_refusal(
    p_account_status text,
    p_quality_rating text,
    p_contact_deleted boolean,
    p_opt_in_status text,
    p_window_expires_at timestamptz,
    p_type text,
    p_template_status text,
    p_template_category text,
    p_is_campaign boolean,
    p_now timestamptz
) returns text
language sql immutable parallel safe
set search_path = ''
as $$
    select case
        when p_account_status is distinct from 'connected' then 'WA_006'
        when p_contact_deleted then 'CONTACT_004'
        when p_type = 'template' and p_template_status is distinct from 'approved' then 'WA_002'
        when p_template_category = 'marketing' and p_opt_in_status <> 'opted_in' then 'CONTACT_008'
        -- Who has not opted in is no target of a campaign, whatever its category (PRD §5.6).
        when p_is_campaign and p_opt_in_status <> 'opted_in' then 'CONTACT_008'
        when (p_is_campaign or p_template_category = 'marketing') and p_quality_rating = 'RED' then 'WA_007'
        -- Templates are the only door when the window is shut.
        when p_type is distinct from 'template' and (p_window_expires_at is null or p_window_expires_at <= p_now) then 'WA_005'
    end
$$;

-- p_template_id: for type template. A template of another WhatsApp account is unknown to Meta there.
create or replace function private.may_send(p_conversation_id uuid, p_type text, p_template_id uuid default null)
returns text
language sql volatile
set search_path = ''
as $$
    select private.send_refusal(a.status, a.quality_rating, p.deleted_at is not null, p.opt_in_status, c.window_expires_at, p_type,
        t.status, t.category, false, private.clock())
    from public.conversations c
    join public.whatsapp_accounts a on a.id = c.whatsapp_account_id
    join public.contacts p on p.org_id = c.org_id and p.id = c.contact_id
    left join public.templates t on t.org_id = c.org_id and t.id = p_template_id and t.waba_id = a.waba_id and t.deleted_at is null
    where c.id = p_conversation_id
$$;
comment on function private.may_send(uuid, text, uuid) is 'null, or the error code that says why not.';

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
        perform private.settle_ledger(array(select c.id from jsonb_to_recordset(v_changed) as c (id uuid)));
        perform private.broadcast_outcomes(v_changed);
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
                select from private.outbox o where o.whatsapp_account_id = a.id and o.state = 'sending'
                union all
                select from private.outbox o where o.whatsapp_account_id = a.id and o.state = 'ready' and a.status = 'connected')
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
            where o.whatsapp_account_id = a.id and o.state = 'ready' and o.attempt > 0 and o.ready_at > v_now
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

-- Claiming and recording sends. Called by the send role of the worker. The outbox is looked at by lists of keys and along its indexes: it is
-- empty when it is analysed, and a plan for that would read all of it for each message. Where plans are forced to be made once a session, making
-- them anew for each call would cost as much as ten messages.
-- Must stay true: claim and intent are one commit, so a row handed out once is never handed out again unless Meta itself refused it;
-- private.send_refusal is asked again at this moment; messages of one conversation leave in order.

create or replace function private.fail_messages(p_failures jsonb)
returns void
language plpgsql volatile
set search_path = ''
-- By keys, as private.make_campaign_messages.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
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
        delete from private.outbox o
        where o.message_id = any (array(select f.message_id from jsonb_to_recordset(p_failures) as f (message_id uuid)))
    )
    select jsonb_agg(to_jsonb(c)) into v_changed from changed c;
    if v_changed is null then
        return;
    end if;
    perform private.settle_ledger(array(select c.id from jsonb_to_recordset(v_changed) as c (id uuid)));
    perform private.broadcast_outcomes(v_changed);
    perform private.broadcast_conversations(c.org_id, array_agg(distinct c.conversation_id))
    from jsonb_to_recordset(v_changed) as c (org_id uuid, conversation_id uuid)
    join public.conversations v on v.id = c.conversation_id and not v.is_quiet group by c.org_id;
end
$$;

-- p_changed: [{id, conversation_id}]. Nobody looks at a thread that only carries campaign messages, and a campaign has a hundred thousand.
create or replace function private.broadcast_outcomes(p_changed jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform private.broadcast_messages(c.conversation_id, array_agg(c.id))
    from jsonb_to_recordset(p_changed) as c (id uuid, conversation_id uuid)
    join public.conversations v on v.id = c.conversation_id and not v.is_quiet
    group by c.conversation_id;
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

-- The next messages of a number, locked, with why each must not be sent; null: it may. Calls nothing that has queries of its own: the settings
-- would hold for those too, and without sorts they would walk through whole tables.
create or replace function private.lock_next_sends(p_account_id uuid, p_limit integer, p_most_lane integer, p_now timestamptz)
returns table (message_id uuid, refusal text)
language plpgsql volatile
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_sort = off
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    return query
    select o.message_id, private.send_refusal(a.status, a.quality_rating, p.deleted_at is not null, p.opt_in_status,
        c.window_expires_at, m.type, t.status, t.category, m.campaign_id is not null, p_now)
    from private.outbox o
    join public.whatsapp_accounts a on a.id = o.whatsapp_account_id
    join public.messages m on m.id = o.message_id
    join public.conversations c on c.id = o.conversation_id
    join public.contacts p on p.org_id = c.org_id and p.id = c.contact_id
    left join public.templates t on t.id = m.template_id and t.waba_id = a.waba_id and t.deleted_at is null
    left join public.campaigns k on k.id = m.campaign_id
    -- A number that is not connected for the moment keeps what waits.
    where o.whatsapp_account_id = p_account_id and a.status = 'connected' and o.state = 'ready' and o.ready_at <= clock_timestamp()
        and coalesce(a.paused_until <= clock_timestamp(), true) and o.lane <= p_most_lane
        -- Of a campaign that was paused or cancelled at this moment nothing more leaves.
        and (m.campaign_id is null or k.status = 'sending')
        -- Only the head of a conversation: Meta does not keep order, we do. A reply is no part of a campaign that comes before it.
        and not exists (select from private.outbox e
            where e.conversation_id = o.conversation_id and e.seq < o.seq and e.lane <= o.lane and e.state <> 'uncertain' offset 0)
    order by o.lane, o.seq limit p_limit
    -- A claim waits for nobody: whoever settles messages takes them before their outbox rows, the other way round.
    for update of o skip locked;
end
$$;

create or replace function worker.claim_sends(p_holder uuid, p_account_id uuid, p_limit integer, p_most_lane integer default 2)
returns table (message_id uuid, send_try integer, attempt integer, recipient_phone text, recipient_bsuid text, type text, body text,
    payload jsonb, reply_to text, queued_at timestamptz, lane integer)
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
    select array_agg(c.message_id) filter (where c.refusal is null),
        jsonb_agg(jsonb_build_object('message_id', c.message_id, 'error_code', c.refusal)) filter (where c.refusal is not null)
    into v_claimed, v_refused from private.lock_next_sends(p_account_id, p_limit, p_most_lane, private.clock()) c;
    update private.outbox o set state = 'sending', holder = p_holder, intent_at = clock_timestamp(), attempt = o.attempt + 1
    where o.message_id = any (v_claimed);
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
        coalesce('+' || p.wa_id, p.phone), p.bsuid, m.type, m.body, m.payload, m.reply_to_wa_message_id, m.created_at, o.lane::integer
    from private.outbox o
    join public.messages m on m.id = o.message_id
    join public.contacts p on p.org_id = m.org_id and p.id = m.contact_id
    where o.message_id = any (v_claimed) order by o.lane, o.seq;
end
$$;
comment on function worker.claim_sends(uuid, uuid, integer, integer) is
    'Hands out messages and records the intent in the same commit, of lanes up to p_most_lane. Refused ones are failed with their code and not returned.';

create or replace function worker.record_sends(p_results jsonb)
returns void
language plpgsql volatile security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    v_accepted jsonb;
    v_others uuid[];
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
        delete from private.outbox o where o.message_id = any (array(select a.id from accepted a))
    )
    select jsonb_agg(to_jsonb(a)) into v_accepted from accepted a;

    v_others := array(select r.message_id from jsonb_to_recordset(p_results) as r (message_id uuid, outcome text) where r.outcome <> 'accepted');
    if cardinality(v_others) > 0 then
        with uncertain as (
            update private.outbox o set state = 'uncertain'
            from jsonb_to_recordset(p_results) as r (message_id uuid, send_try integer, attempt integer, outcome text)
            join public.messages m on m.id = r.message_id and m.send_try = r.send_try
            where r.outcome = 'uncertain' and o.message_id = any (v_others) and o.message_id = r.message_id and o.attempt = r.attempt and o.state = 'sending'
            returning o.message_id
        ), requeued as (
            update private.outbox o set state = 'ready', holder = null, intent_at = null,
                ready_at = clock_timestamp() + make_interval(secs => r.retry_seconds)
            from jsonb_to_recordset(p_results) as r (message_id uuid, send_try integer, attempt integer, outcome text, retry_seconds double precision)
            join public.messages m on m.id = r.message_id and m.send_try = r.send_try
            where r.outcome = 'retry' and o.message_id = any (v_others) and o.message_id = r.message_id and o.attempt = r.attempt and o.state in ('sending', 'uncertain')
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
        where r.outcome = 'failed' and o.message_id = any (v_others);
        if v_failures is not null then
            perform private.fail_messages(v_failures);
        end if;
    end if;

    v_changed := coalesce(v_accepted, '[]') || coalesce(v_changed, '[]');
    perform private.settle_ledger(array(select c.id from jsonb_to_recordset(v_changed) as c (id uuid)));
    if v_accepted is not null then
        perform private.use_tier(array(select a.id from jsonb_to_recordset(v_accepted) as a (id uuid)));
        perform private.settle_parked_statuses(v_accepted);
    end if;
    perform private.broadcast_outcomes(v_changed);
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

-- sql/code/55_campaigns/10_fields.sql

-- What people write into a campaign: reading the fields they send and saying what is wrong with them. Called by 15_drafts.sql.
-- Must stay true: a draft may lack anything but its name, and holds nothing malformed; problems are {"field", "code", "message"}.

create or replace function private.campaign_problem(p_field text, p_code text, p_message text)
returns jsonb
language sql immutable parallel safe
set search_path = ''
as $$ select jsonb_build_object('field', p_field, 'code', p_code, 'message', p_message) $$;

create or replace function private.refuse_campaign_field(p_field text, p_code text, p_message text)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    perform private.raise_error('CAMPAIGN_009', jsonb_build_object('problems', jsonb_build_array(private.campaign_problem(p_field, p_code, p_message))));
end
$$;

create or replace function private.is_time_zone(p_name text)
returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
    -- Abbreviations and offsets are zones to Postgres as well, and mean something else to people.
    if p_name !~ '^[A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+)*$' then
        return false;
    end if;
    perform now() at time zone p_name;
    return true;
exception when invalid_parameter_value then
    return false;
end
$$;

create or replace function private.check_audience(p_org_id uuid, p_audience jsonb)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if p_audience is null then
        return;
    end if;
    if p_audience ? 'segment_id' then
        if (select count(*) from jsonb_object_keys(p_audience)) > 1 or not exists (
            select from public.segments s where s.org_id = p_org_id and s.id::text = p_audience ->> 'segment_id')
        then
            perform private.refuse_campaign_field('audience', 'unknown_segment', 'There is no such segment');
        end if;
        return;
    end if;
    if p_audience -> 'trash' = 'true' then
        perform private.refuse_campaign_field('audience', 'wrong_value', 'Contacts in the trash get no campaigns');
    end if;
    if jsonb_typeof(p_audience -> 'rules') = 'object' and octopush.check_segment(p_audience -> 'rules', private.segment_context(p_org_id)) <> '[]' then
        perform private.refuse_campaign_field('audience', 'wrong_rules', 'The rules of the audience are not valid');
    end if;
    -- Refuses whatever else is malformed. Nobody is in the list of ids, so nothing is looked for.
    perform s from private.selected_contacts(p_org_id, case when p_audience ? 'ids' then p_audience
        else p_audience || '{"rules": {"any": []}}' end) s limit 1;
end
$$;

create or replace function private.check_quiet_hours(p_quiet_hours jsonb)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if p_quiet_hours is not null and (
        (select count(*) from jsonb_object_keys(p_quiet_hours)) <> 2
        or coalesce(p_quiet_hours ->> 'from', '') !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
        or coalesce(p_quiet_hours ->> 'to', '') !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
        or p_quiet_hours -> 'from' = p_quiet_hours -> 'to')
    then
        perform private.refuse_campaign_field('quiet_hours', 'wrong_value', 'Quiet hours go from one time of the day to another');
    end if;
end
$$;

create or replace function private.check_campaign_test(p_test jsonb)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if p_test is not null and (
        exists (select from jsonb_object_keys(p_test) k where k not in ('percent', 'hours', 'measure', 'choose'))
        or coalesce(p_test ->> 'percent', '') !~ '^[1-9][0-9]?$' or coalesce(p_test ->> 'hours', '') !~ '^([1-9][0-9]?|1[0-5][0-9]|16[0-8])$'
        or coalesce(p_test ->> 'measure', '') not in ('read', 'reply') or coalesce(p_test ->> 'choose', '') not in ('automatic', 'manual'))
    then
        perform private.refuse_campaign_field('test', 'wrong_value', 'A test has a share of 1 to 99 percent, 1 to 168 hours, a measure and who chooses');
    end if;
end
$$;

-- The campaign with those of its columns that p_fields names. Errors: CAMPAIGN_009, CONTACT_012.
create or replace function private.merge_campaign_fields(p_old public.campaigns, p_fields jsonb)
returns public.campaigns
language plpgsql stable
set search_path = ''
as $$
declare
    v_new public.campaigns;
    v_unknown text;
begin
    if jsonb_typeof(p_fields) is distinct from 'object' then
        perform private.refuse_campaign_field(null, 'wrong_value', 'The fields are not an object');
    end if;
    select min(k) into v_unknown from jsonb_object_keys(p_fields) k
    where k not in ('name', 'description', 'whatsapp_account_id', 'audience', 'scheduled_at', 'time_zone', 'quiet_hours', 'uncertain_policy',
        'uncertain_hours', 'holdout_percent', 'test', 'attribution_days', 'variants');
    if v_unknown is not null then
        perform private.refuse_campaign_field(v_unknown, 'unknown', 'There is no such field');
    end if;
    begin
        v_new := jsonb_populate_record(p_old, p_fields - 'variants');
    exception when data_exception then
        perform private.refuse_campaign_field(null, 'wrong_value', 'A value has the wrong type');
    end;
    v_new.name := btrim(v_new.name);
    v_new.description := nullif(btrim(v_new.description), '');
    v_new.uncertain_policy := coalesce(v_new.uncertain_policy, 'miss');
    v_new.uncertain_hours := coalesce(v_new.uncertain_hours, 24);
    v_new.holdout_percent := coalesce(v_new.holdout_percent, 0);
    v_new.attribution_days := coalesce(v_new.attribution_days, 7);
    if v_new.name is null or length(v_new.name) not between 1 and 100 then
        perform private.refuse_campaign_field('name', 'wrong_value', 'A name has 1 to 100 characters');
    elsif length(v_new.description) > 1000 then
        perform private.refuse_campaign_field('description', 'wrong_value', 'A description has at most 1000 characters');
    elsif v_new.whatsapp_account_id is not null and not exists (
        select from public.whatsapp_accounts a where a.org_id = v_new.org_id and a.id = v_new.whatsapp_account_id)
    then
        perform private.refuse_campaign_field('whatsapp_account_id', 'unknown_account', 'There is no such number');
    elsif v_new.uncertain_policy not in ('miss', 'repeat') then
        perform private.refuse_campaign_field('uncertain_policy', 'wrong_value', 'miss or repeat');
    elsif v_new.uncertain_hours not between 1 and 168 then
        perform private.refuse_campaign_field('uncertain_hours', 'wrong_value', '1 to 168 hours');
    elsif v_new.holdout_percent not between 0 and 50 then
        perform private.refuse_campaign_field('holdout_percent', 'wrong_value', '0 to 50 percent');
    elsif v_new.attribution_days not between 1 and 90 then
        perform private.refuse_campaign_field('attribution_days', 'wrong_value', '1 to 90 days');
    elsif v_new.time_zone is not null and not private.is_time_zone(v_new.time_zone) then
        perform private.refuse_campaign_field('time_zone', 'wrong_value', 'There is no such time zone');
    elsif jsonb_typeof(v_new.audience) <> 'object' or jsonb_typeof(v_new.quiet_hours) <> 'object' or jsonb_typeof(v_new.test) <> 'object' then
        perform private.refuse_campaign_field(null, 'wrong_value', 'Audience, quiet hours and test are objects');
    end if;
    if v_new.audience is distinct from p_old.audience then
        perform private.check_audience(v_new.org_id, v_new.audience);
    end if;
    perform private.check_quiet_hours(v_new.quiet_hours);
    perform private.check_campaign_test(v_new.test);
    return v_new;
end
$$;

-- p_variants: [{template_id, variables, links, share}], in order. Links a template has and the campaign does not name lead where the template says.
create or replace function private.set_campaign_variants(p_campaign public.campaigns, p_variants jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_problem record;
begin
    if jsonb_typeof(p_variants) <> 'array' or jsonb_array_length(p_variants) > 3 then
        perform private.refuse_campaign_field('variants', 'wrong_value', 'A campaign has at most three variants');
    end if;
    for v_problem in
        select v.nth, case
            when jsonb_typeof(v.value) <> 'object'
                or exists (select from jsonb_object_keys(v.value) k where k not in ('template_id', 'variables', 'links', 'share')) then 'variants'
            when coalesce(jsonb_typeof(v.value -> 'variables') not in ('object', 'null'), false) or length((v.value -> 'variables')::text) > 60000 then 'variables'
            when coalesce(jsonb_typeof(v.value -> 'links') not in ('object', 'null'), false)
                or exists (select from jsonb_each_text(nullif(v.value -> 'links', 'null')) l
                    where l.key !~ '^[0-9]$' or private.destination_problem(l.value) is not null) then 'links'
            when coalesce(v.value ->> 'share', '1') !~ '^[1-9][0-9]{0,3}$' then 'share'
            when v.value ->> 'template_id' is not null and not exists (
                select from public.templates t
                where t.org_id = p_campaign.org_id and t.id::text = v.value ->> 'template_id' and t.deleted_at is null) then 'template_id'
            end as field
        from (select v.value, v.nth from jsonb_array_elements(p_variants) with ordinality v (value, nth)) v
        order by v.nth
    loop
        if v_problem.field is not null then
            perform private.refuse_campaign_field('variants.' || (v_problem.nth - 1) || '.' || v_problem.field, 'wrong_value', 'This part of a variant is not valid');
        end if;
    end loop;
    delete from public.campaign_variants v where v.campaign_id = p_campaign.id;
    insert into public.campaign_variants (campaign_id, position, org_id, template_id, variables, links, share)
    select p_campaign.id, v.nth, p_campaign.org_id, t.id, coalesce(nullif(v.value -> 'variables', 'null'), '{}'),
        coalesce(t.links, '{}') || coalesce((
            select jsonb_object_agg(l.key, l.value) from jsonb_each(nullif(v.value -> 'links', 'null')) l where t.links ? l.key), '{}'),
        coalesce((v.value ->> 'share')::integer, 1)
    from jsonb_array_elements(p_variants) with ordinality v (value, nth)
    left join public.templates t on t.org_id = p_campaign.org_id and t.id = (v.value ->> 'template_id')::uuid;
end
$$;

-- sql/code/55_campaigns/15_drafts.sql

-- Campaigns before they are sent: made, edited, copied, deleted, and what they still lack. Called by the web UI and supabase-js.
-- Must stay true: what was launched never changes (CAMPAIGN_003); a stale edit is refused; a campaign with problems is never launched.

-- The caller's campaign, locked; feeding waits for whoever holds it.
create or replace function private.campaign_to_change(p_id uuid)
returns public.campaigns
language plpgsql volatile
set search_path = ''
as $$
declare
    v_campaign public.campaigns;
begin
    select c.* into v_campaign from public.campaigns c where c.id = p_id and c.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('CAMPAIGN_001');
    end if;
    perform private.require_permission(v_campaign.org_id, 'campaigns.manage');
    select c.* into v_campaign from public.campaigns c where c.id = p_id for no key update;
    if not found then
        perform private.raise_error('CAMPAIGN_001');
    end if;
    return v_campaign;
end
$$;

create or replace function private.campaign_to_read(p_id uuid)
returns public.campaigns
language plpgsql stable
set search_path = ''
as $$
declare
    v_campaign public.campaigns;
begin
    select c.* into v_campaign from public.campaigns c
    where c.id = p_id and (c.org_id = any (private.my_org_ids()) or private.is_database_admin());
    if not found then
        perform private.raise_error('CAMPAIGN_001');
    end if;
    return v_campaign;
end
$$;

create or replace function private.broadcast_campaigns(p_org_id uuid, p_campaign_ids uuid[])
returns void
language sql volatile
set search_path = ''
as $$ select private.broadcast('org:' || p_org_id, 'campaigns', jsonb_build_object('campaign_ids', to_jsonb(p_campaign_ids[1:100]))) $$;

create or replace function public.create_campaign(p_org_id uuid, p_fields jsonb)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns;
begin
    perform private.require_permission(p_org_id, 'campaigns.manage');
    v_campaign.org_id := p_org_id;
    v_campaign := private.merge_campaign_fields(v_campaign, p_fields);
    insert into public.campaigns (org_id, name, description, whatsapp_account_id, audience, scheduled_at, time_zone, quiet_hours, uncertain_policy,
        uncertain_hours, holdout_percent, test, attribution_days, created_by)
    values (p_org_id, v_campaign.name, v_campaign.description,
        -- Most have one number.
        coalesce(v_campaign.whatsapp_account_id, (
            select (array_agg(a.id))[1] from public.whatsapp_accounts a where a.org_id = p_org_id and a.status = 'connected' having count(*) = 1)),
        v_campaign.audience, v_campaign.scheduled_at, v_campaign.time_zone, v_campaign.quiet_hours, v_campaign.uncertain_policy,
        v_campaign.uncertain_hours, v_campaign.holdout_percent, v_campaign.test, v_campaign.attribution_days, (select auth.uid()))
    returning * into v_campaign;
    if jsonb_typeof(p_fields -> 'variants') <> 'null' then
        perform private.set_campaign_variants(v_campaign, p_fields -> 'variants');
    end if;
    perform private.record_activity(p_org_id, 'campaign.created', (select auth.uid()),
        p_data => jsonb_build_object('campaign_id', v_campaign.id, 'name', v_campaign.name));
    perform private.broadcast_campaigns(p_org_id, array[v_campaign.id]);
    return v_campaign;
end
$$;
comment on function public.create_campaign(uuid, jsonb) is
    'A draft; all but the name may follow later. p_fields: columns of campaigns, and "variants": [{template_id, variables, links, share}]. '
    'Errors: AUTH_003, ORG_001, CAMPAIGN_009 (details.problems), CONTACT_012.';

create or replace function private.require_version(p_campaign public.campaigns, p_expected_updated_at timestamptz)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if p_campaign.updated_at is distinct from p_expected_updated_at then
        perform private.raise_error('CAMPAIGN_007', jsonb_build_object('campaign', to_jsonb(p_campaign)));
    end if;
end
$$;

create or replace function public.update_campaign(p_id uuid, p_fields jsonb, p_expected_updated_at timestamptz)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_old public.campaigns := private.campaign_to_change(p_id);
    v_new public.campaigns;
begin
    if v_old.status not in ('draft', 'scheduled') then
        perform private.raise_error('CAMPAIGN_003', jsonb_build_object('status', v_old.status));
    end if;
    perform private.require_version(v_old, p_expected_updated_at);
    v_new := private.merge_campaign_fields(v_old, p_fields);
    if v_old.status = 'scheduled' and v_new.scheduled_at is distinct from v_old.scheduled_at and coalesce(v_new.scheduled_at <= private.clock(), true) then
        perform private.raise_error('CAMPAIGN_008');
    end if;
    update public.campaigns c set
        name = v_new.name, description = v_new.description, whatsapp_account_id = v_new.whatsapp_account_id, audience = v_new.audience,
        scheduled_at = v_new.scheduled_at, time_zone = v_new.time_zone, quiet_hours = v_new.quiet_hours, uncertain_policy = v_new.uncertain_policy,
        uncertain_hours = v_new.uncertain_hours, holdout_percent = v_new.holdout_percent, test = v_new.test,
        attribution_days = v_new.attribution_days, updated_at = clock_timestamp()
    where c.id = p_id returning c.* into v_new;
    if jsonb_typeof(p_fields -> 'variants') <> 'null' then
        perform private.set_campaign_variants(v_new, p_fields -> 'variants');
    end if;
    if v_old.status = 'scheduled' then
        perform private.require_complete(v_new);
    end if;
    perform private.broadcast_campaigns(v_new.org_id, array[p_id]);
    return v_new;
end
$$;
comment on function public.update_campaign(uuid, jsonb, timestamptz) is
    'Draft or scheduled; fields not given stay. One that is scheduled must stay complete. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_003, CAMPAIGN_004, CAMPAIGN_006–009, CONTACT_012.';

create or replace function public.delete_campaign(p_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status <> 'draft' then
        perform private.raise_error('CAMPAIGN_005', jsonb_build_object('status', v_campaign.status));
    end if;
    delete from public.campaigns c where c.id = p_id;
    perform private.broadcast_campaigns(v_campaign.org_id, array[p_id]);
end
$$;
comment on function public.delete_campaign(uuid) is 'A draft only. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005 (details.status).';

create or replace function public.duplicate_campaign(p_id uuid)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_old public.campaigns := private.campaign_to_change(p_id);
    v_new public.campaigns;
begin
    insert into public.campaigns (org_id, name, description, whatsapp_account_id, audience, time_zone, quiet_hours, uncertain_policy,
        uncertain_hours, holdout_percent, test, attribution_days, created_by)
    values (v_old.org_id, btrim(left(v_old.name, 93)) || ' (copy)', v_old.description, v_old.whatsapp_account_id, v_old.audience, v_old.time_zone,
        v_old.quiet_hours, v_old.uncertain_policy, v_old.uncertain_hours, v_old.holdout_percent, v_old.test, v_old.attribution_days, (select auth.uid()))
    returning * into v_new;
    insert into public.campaign_variants (campaign_id, position, org_id, template_id, variables, links, share)
    select v_new.id, v.position, v.org_id, v.template_id, v.variables, v.links, v.share from public.campaign_variants v where v.campaign_id = p_id;
    perform private.record_activity(v_new.org_id, 'campaign.created', (select auth.uid()),
        p_data => jsonb_build_object('campaign_id', v_new.id, 'name', v_new.name, 'copied_id', p_id));
    perform private.broadcast_campaigns(v_new.org_id, array[v_new.id]);
    return v_new;
end
$$;
comment on function public.duplicate_campaign(uuid) is 'A new draft with everything but the time. Errors: AUTH_003, CAMPAIGN_001.';

-- What keeps a campaign from being launched now.
create or replace function private.campaign_problems(p_campaign public.campaigns)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
    v_problems jsonb := '[]'::jsonb;
    v_account public.whatsapp_accounts;
    v_context jsonb := private.segment_context(p_campaign.org_id);
    v_found jsonb;
    v_variant record;
    v_count integer := 0;
begin
    if p_campaign.audience is null then
        v_problems := v_problems || private.campaign_problem('audience', 'missing', 'Choose who gets the campaign');
    elsif p_campaign.audience ? 'segment_id' then
        if not exists (select from public.segments s where s.org_id = p_campaign.org_id and s.id::text = p_campaign.audience ->> 'segment_id') then
            v_problems := v_problems || private.campaign_problem('audience', 'unknown_segment', 'The segment does not exist any more');
        elsif exists (select from public.segments s
            where s.org_id = p_campaign.org_id and s.id::text = p_campaign.audience ->> 'segment_id' and s.evaluated_at is null)
        then
            v_problems := v_problems || private.campaign_problem('audience', 'segment_not_ready', 'The segment is still being worked out');
        end if;
    end if;
    select a.* into v_account from public.whatsapp_accounts a where a.id = p_campaign.whatsapp_account_id;
    if not found then
        v_problems := v_problems || private.campaign_problem('whatsapp_account_id', 'missing', 'Choose the number that sends it');
    elsif v_account.status <> 'connected' then
        v_problems := v_problems || private.campaign_problem('whatsapp_account_id', 'WA_006', 'The number is not connected');
    elsif v_account.quality_rating = 'RED' then
        v_problems := v_problems || private.campaign_problem('whatsapp_account_id', 'WA_007', 'The quality rating of the number is too low');
    end if;
    for v_variant in
        select v.position, v.variables, v.links, t.status, t.category, t.waba_id, t.deleted_at, t.links as template_links, t.id as template_id,
            private.template_shape(t) as content
        from public.campaign_variants v left join public.templates t on t.id = v.template_id
        where v.campaign_id = p_campaign.id order by v.position
    loop
        v_count := v_count + 1;
        if v_variant.template_id is null then
            v_problems := v_problems || private.campaign_problem('variants.' || (v_variant.position - 1) || '.template_id', 'missing', 'Choose a template');
        elsif v_variant.status <> 'approved' or v_variant.deleted_at is not null then
            v_problems := v_problems || private.campaign_problem('variants.' || (v_variant.position - 1) || '.template_id', 'WA_002', 'The template is not approved');
        elsif v_variant.waba_id <> v_account.waba_id then
            v_problems := v_problems || private.campaign_problem('variants.' || (v_variant.position - 1) || '.template_id', 'other_account', 'The template belongs to another WhatsApp account');
        elsif v_variant.category = 'authentication' then
            v_problems := v_problems || private.campaign_problem('variants.' || (v_variant.position - 1) || '.template_id', 'one_time_code', 'A one-time code is sent to one person, when they ask for it');
        else
            v_found := octopush.check_campaign_variables(v_variant.content, v_variant.variables, v_context);
            if v_found = '[]' then
                v_found := coalesce(octopush.template_message(v_variant.content, octopush.campaign_values(v_variant.variables, '{}'),
                    (select jsonb_object_agg(l.key, repeat('A', 22)) from jsonb_object_keys(v_variant.template_links) l (key))) -> 'problems', '[]');
            end if;
            select v_problems || coalesce(jsonb_agg(private.campaign_problem('variants.' || (v_variant.position - 1) || '.variables.' || (p.value ->> 'key'),
                coalesce(p.value ->> 'code', 'refused'), p.value ->> 'message')), '[]')
            into v_problems from jsonb_array_elements(v_found) p;
            select v_problems || coalesce(jsonb_agg(private.campaign_problem('variants.' || (v_variant.position - 1) || '.links.' || l.key, 'missing',
                'Write where the button leads')), '[]')
            into v_problems from jsonb_object_keys(v_variant.template_links) l (key) where not v_variant.links ? l.key;
        end if;
    end loop;
    if v_count = 0 then
        v_problems := v_problems || private.campaign_problem('variants', 'missing', 'Choose a template');
    elsif v_count = 1 and p_campaign.test is not null then
        v_problems := v_problems || private.campaign_problem('test', 'one_variant', 'A test needs two variants');
    end if;
    return v_problems;
end
$$;

create or replace function private.require_complete(p_campaign public.campaigns)
returns void
language plpgsql stable
set search_path = ''
as $$
declare
    v_problems jsonb;
begin
    if not exists (select from public.campaign_variants v where v.campaign_id = p_campaign.id and v.template_id is not null) then
        perform private.raise_error('CAMPAIGN_004');
    end if;
    v_problems := private.campaign_problems(p_campaign);
    if v_problems <> '[]' then
        perform private.raise_error('CAMPAIGN_006', jsonb_build_object('problems', v_problems));
    end if;
end
$$;

-- sql/code/55_campaigns/20_audience.sql

-- Who a campaign is for, and who of them is left out for what reason: the snapshot that a launch makes of its audience.
-- Called by 40_life_cycle.sql, and by the rehearsal, which takes it back again.
-- Must stay true: everybody of the audience has one row, with a reason or a place in the queue; the same contact always falls to the same
-- variant and hold-out of a campaign; set-based throughout, a million contacts are a usual audience.

create or replace function private.audience_contacts(p_org_id uuid, p_audience jsonb)
returns setof uuid
language plpgsql stable rows 100000
set search_path = ''
as $$
begin
    if p_audience ? 'segment_id' then
        return query select m.contact_id from public.segment_members m
        where m.org_id = p_org_id and m.segment_id = (p_audience ->> 'segment_id')::uuid;
    else
        return query select s from private.selected_contacts(p_org_id, p_audience) s;
    end if;
end
$$;

-- Contacts who had as much marketing from campaigns as the cap allows. p_contact_ids null: all of them.
create or replace function private.capped_contacts(p_org_id uuid, p_contact_ids uuid[], p_now timestamptz)
returns setof uuid
language plpgsql stable rows 10000
set search_path = ''
as $$
declare
    v_cap jsonb := (select s.marketing_cap from public.campaign_settings s where s.org_id = p_org_id);
    v_since timestamptz;
    v_campaign_ids uuid[];
begin
    if v_cap is null then
        return;
    end if;
    v_since := p_now - make_interval(days => (v_cap ->> 'days')::integer);
    v_campaign_ids := array(
        select c.id from public.campaigns c
        where c.org_id = p_org_id and c.is_marketing and c.launched_at is not null and coalesce(c.finished_at, 'infinity') >= v_since);
    if p_contact_ids is null then
        return query
        select r.contact_id from public.campaign_recipients r
        where r.campaign_id = any (v_campaign_ids) and r.queued_at > v_since and r.status in ('queued', 'sent', 'delivered', 'read')
        group by r.contact_id having count(*) >= (v_cap ->> 'messages')::integer;
    else
        return query
        select r.contact_id from public.campaign_recipients r
        where r.org_id = p_org_id and r.contact_id = any (p_contact_ids)
            and r.campaign_id = any (v_campaign_ids) and r.queued_at > v_since and r.status in ('queued', 'sent', 'delivered', 'read')
        group by r.contact_id having count(*) >= (v_cap ->> 'messages')::integer;
    end if;
end
$$;

-- Why a contact gets no message of a campaign, apart from caps and values; null when it may. The order is that of what people can change.
create or replace function private.exclusion_reason(
    p_deleted_at timestamptz, p_wa_id text, p_phone text, p_bsuid text, p_not_on_whatsapp_at timestamptz, p_marketing_stopped_at timestamptz,
    p_opt_in_status text, p_is_marketing boolean
) returns text
language sql immutable parallel safe
set search_path = ''
as $$
    select case
        when p_deleted_at is not null then 'erased'
        when coalesce(p_wa_id, p_phone, p_bsuid) is null then 'no_phone'
        when p_not_on_whatsapp_at is not null then 'not_on_whatsapp'
        when p_marketing_stopped_at is not null and (p_is_marketing or p_opt_in_status = 'opted_out') then 'stopped_marketing'
        when p_opt_in_status = 'opted_out' then 'opted_out'
        -- Whatever the category (PRD §5.6).
        when p_opt_in_status <> 'opted_in' then 'not_opted_in'
    end
$$;

-- What is needed to know whose values Meta would refuse without rendering for everybody: the contact's fields a variant uses, how many
-- characters they may have together before a limit can be reached at all, and whether any value may be refused for more than its length.
create or replace function private.variant_budgets(p_campaign_id uuid)
returns table (variant integer, template jsonb, variables jsonb, tokens jsonb, fields text[], longest bigint, budget integer, always boolean)
language sql stable
set search_path = ''
as $$
    select v.position, x.template, v.variables,
        (select jsonb_object_agg(l.key, repeat('A', 22)) from jsonb_object_keys(t.links) l (key)),
        f.fields, f.longest,
        (least(1024 - coalesce(length(x.rendered ->> 'body'), 0), case when f.in_header then 60 - length(x.rendered #>> '{header,text}') end)
            -- A variable may stand in the text more than once.
            / greatest(1, ceil((length(x.template::text) - length(replace(x.template::text, '{{', ''))) / 2.0 / greatest(1, f.count))))::integer,
        coalesce(f.elsewhere, false)
    from public.campaign_variants v
    join public.templates t on t.id = v.template_id
    cross join lateral (
        select private.template_shape(t) as template,
            octopush.render_template(private.template_shape(t), octopush.campaign_values(v.variables, '{}')) as rendered
    ) x
    cross join lateral (
        select array_agg(e.value ->> 'field') as fields, count(*) as count,
            -- As long as the columns of contacts allow.
            sum(case when e.value ->> 'field' in ('full_name', 'first_name', 'company', 'job_title') then 200 when e.value ->> 'field' = 'email' then 320
                when e.value ->> 'field' in ('phone', 'birthday') then 16 when e.value ->> 'field' = 'username' then 100 else 100000 end) as longest, bool_or(e.key like 'header.%') as in_header,
            bool_or(e.key !~ '^(header|body)\.' or e.key in ('header.media', 'header.location')) as elsewhere
        from jsonb_each(v.variables) e where e.value ->> 'source' = 'contact'
    ) f
    where v.campaign_id = p_campaign_id
$$;

-- Up to which bucket each variant goes; what is above the last waits for the winner. Below held_out nobody gets anything.
create or replace function private.variant_bounds(p_campaign public.campaigns)
returns table (held_out integer, bounds integer[])
language sql stable
set search_path = ''
as $$
    select h.held_out, array_agg((h.held_out + h.tested * v.upto / v.total)::integer order by v.position)
    from (
        select p_campaign.holdout_percent * 100 as held_out,
            (10000 - p_campaign.holdout_percent * 100) * coalesce((p_campaign.test ->> 'percent')::numeric, 100) / 100 as tested
    ) h
    cross join (
        select v.position, sum(v.share) over (order by v.position) as upto, sum(v.share) over () as total
        from public.campaign_variants v where v.campaign_id = p_campaign.id
    ) v
    group by h.held_out
$$;

create or replace function private.snapshot_audience(p_campaign public.campaigns, p_now timestamptz)
returns void
language plpgsql volatile
set search_path = ''
set work_mem = '128MB'
as $$
declare
    v_held_out integer;
    v_bounds integer[];
    v_has_cap boolean := p_campaign.is_marketing and exists (
        select from public.campaign_settings s where s.org_id = p_campaign.org_id and s.marketing_cap is not null);
    v_budget record;
begin
    select b.held_out, b.bounds into v_held_out, v_bounds from private.variant_bounds(p_campaign) b;
    -- A draft without a template has an audience, too.
    v_held_out := coalesce(v_held_out, p_campaign.holdout_percent * 100);
    v_bounds := coalesce(v_bounds, array[10000]);
    insert into public.campaign_recipients (campaign_id, contact_id, org_id, position, variant, status, exclusion_reason, ready_at)
    select p_campaign.id, x.id, p_campaign.org_id, row_number() over (order by x.id),
        case when x.reason is null and x.bucket >= v_held_out then
            case when x.bucket < v_bounds[1] then 1 when x.bucket < v_bounds[2] then 2 when x.bucket < v_bounds[3] then 3 end end,
        case when x.reason is not null then 'excluded' when x.bucket < v_held_out then 'held_out' else 'waiting' end,
        x.reason,
        case when x.reason is null and x.bucket >= v_held_out then p_now end
    from (
        select c.id, coalesce(
                private.exclusion_reason(c.deleted_at, c.wa_id, c.phone, c.bsuid, c.not_on_whatsapp_at, c.marketing_stopped_at, c.opt_in_status,
                    p_campaign.is_marketing),
                case when k.id is not null then 'frequency_cap' end) as reason,
            case when v_held_out = 0 and v_bounds[1] = 10000 then 0 else octopush.stable_bucket(p_campaign.id, c.id) end as bucket
        from private.audience_contacts(p_campaign.org_id, p_campaign.audience) a (id)
        join public.contacts c on c.id = a.id and c.org_id = p_campaign.org_id
        left join (
            select k from private.capped_contacts(p_campaign.org_id, null, p_now) k where v_has_cap
        ) k (id) on k.id = c.id
        -- Keeps the planner from asking for reason and bucket once for every column made of them.
        offset 0
    ) x;

    -- Whose values Meta would refuse. Few are long enough to be rendered for that.
    for v_budget in select b.* from private.variant_budgets(p_campaign.id) b where b.always or b.longest > b.budget loop
        update public.campaign_recipients r set status = 'excluded', exclusion_reason = 'missing_value', ready_at = null, variant = null
        from public.contacts c
        where r.campaign_id = p_campaign.id and r.variant = v_budget.variant and r.status = 'waiting'
            and c.id = r.contact_id and c.org_id = p_campaign.org_id
            and (v_budget.always or (
                -- The fields of octopush.campaign_values; in line, because it is asked for everybody.
                select sum(length(case
                    when f in ('full_name', 'first_name') then c.full_name when f = 'phone' then c.phone when f = 'email' then c.email
                    when f = 'company' then c.company when f = 'job_title' then c.job_title when f = 'username' then c.username
                    when f = 'birthday' then c.birthday::text when f like 'address.%' then c.address ->> substr(f, 9)
                    when f like 'custom.%' then c.custom_fields ->> substr(f, 8) end))
                from unnest(v_budget.fields) f) > v_budget.budget)
            and octopush.template_message(v_budget.template, octopush.campaign_values(v_budget.variables, to_jsonb(c)), v_budget.tokens) ? 'problems';
    end loop;
end
$$;

-- sql/code/55_campaigns/25_limits.sql

-- What holds a campaign up for a while: quiet hours and the messaging limit of the business portfolio. Called by feeding, rehearsal and detail.
-- Must stay true: portfolio_minutes counts portfolio_users by the minute of their last use, so that a day's sum never says less than Meta
-- counts; a contact counts once however many numbers and campaigns of the portfolio write to it.

-- Until when it is quiet; null when it is not.
create or replace function private.quiet_until(p_quiet_hours jsonb, p_time_zone text, p_now timestamptz)
returns timestamptz
language sql stable
set search_path = ''
as $$
    select case
        when q.starts < q.ends and l.at::time >= q.starts and l.at::time < q.ends then (l.at::date + q.ends) at time zone p_time_zone
        when q.starts > q.ends and l.at::time >= q.starts then (l.at::date + 1 + q.ends) at time zone p_time_zone
        when q.starts > q.ends and l.at::time < q.ends then (l.at::date + q.ends) at time zone p_time_zone
    end
    from (select (p_quiet_hours ->> 'from')::time as starts, (p_quiet_hours ->> 'to')::time as ends) q, (select p_now at time zone p_time_zone as at) l
$$;

-- When it gets quiet next; null when it never does.
create or replace function private.quiet_from(p_quiet_hours jsonb, p_time_zone text, p_now timestamptz)
returns timestamptz
language sql stable
set search_path = ''
as $$
    select (l.at::date + case when l.at::time < q.starts then 0 else 1 end + q.starts) at time zone p_time_zone
    from (select (p_quiet_hours ->> 'from')::time as starts) q, (select p_now at time zone p_time_zone as at) l
    where p_quiet_hours is not null
$$;

-- Meta's word for a messaging limit as a number; null: no limit, or none we know of.
create or replace function private.tier_limit(p_tier text)
returns integer
language sql immutable parallel safe
set search_path = ''
as $$
    select case when p_tier ~ '^(TIER_)?[0-9]{1,6}K?$'
        then (substring(p_tier from '([0-9]+)'))::integer * case when p_tier like '%K' then 1000 else 1 end end
$$;

create or replace function private.portfolio_of(p_account public.whatsapp_accounts)
returns text
language sql immutable parallel safe
set search_path = ''
as $$ select coalesce('business ' || p_account.business_id, 'waba ' || p_account.waba_id) $$;

-- The limit of a number's portfolio: used counts people Meta took a message for in the last 24 hours, in_flight what is on its way.
create or replace function private.tier_state(p_account_id uuid, p_now timestamptz)
returns table (portfolio text, tier_limit integer, used integer, in_flight integer, frees_at timestamptz)
language plpgsql stable
set search_path = ''
as $$
declare
    v_accounts uuid[];
begin
    -- Of a number that was never proven to be ours nothing is told.
    select private.portfolio_of(a) into portfolio from public.whatsapp_accounts a where a.id = p_account_id and a.connected_at is not null;
    select array_agg(a.id), max(private.tier_limit(a.messaging_tier)) into v_accounts, tier_limit
    from public.whatsapp_accounts a where private.portfolio_of(a) = portfolio and a.status <> 'disconnected';
    if tier_limit is null then
        used := 0;
        in_flight := 0;
        return next;
        return;
    end if;
    select coalesce(sum(m.users), 0)::integer, min(m.minute) filter (where m.users > 0) + interval '24 hours 1 minute'
    into used, frees_at
    from (
        select x.minute, sum(x.users) as users from private.portfolio_minutes x
        where x.portfolio = tier_state.portfolio and x.minute > p_now - interval '24 hours 1 minute' group by x.minute
    ) m;
    select count(*)::integer into in_flight from private.outbox o where o.whatsapp_account_id = any (v_accounts) and o.lane = 2;
    return next;
end
$$;

-- Messages Meta has just taken; those outside a window count. The caller holds them.
create or replace function private.use_tier(p_message_ids uuid[])
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_now timestamptz := private.clock();
begin
    with taken as materialized (
        select private.portfolio_of(a) as portfolio, m.contact_id
        from public.messages m
        join public.conversations c on c.id = m.conversation_id
        join public.whatsapp_accounts a on a.id = m.whatsapp_account_id
        where m.id = any (p_message_ids) and m.type = 'template' and coalesce(c.window_expires_at <= v_now, true)
            and private.tier_limit(a.messaging_tier) is not null
        group by 1, 2
    ), former as materialized (
        -- In one order, as everywhere.
        select u.portfolio, u.contact_id, u.used_at from private.portfolio_users u
        join taken t on t.portfolio = u.portfolio and t.contact_id = u.contact_id
        order by u.portfolio, u.contact_id for no key update of u
    ), used as (
        insert into private.portfolio_users as u (portfolio, contact_id, used_at)
        select t.portfolio, t.contact_id, v_now from taken t order by t.portfolio, t.contact_id
        on conflict (portfolio, contact_id) do update set used_at = excluded.used_at
        returning u.portfolio
    )
    insert into private.portfolio_minutes (portfolio, minute, users)
    select x.portfolio, x.minute, sum(x.users) from (
        select u.portfolio, date_trunc('minute', v_now) as minute, 1 as users from used u
        union all
        select f.portfolio, date_trunc('minute', f.used_at), -1 from former f
    ) x group by x.portfolio, x.minute having sum(x.users) <> 0;
end
$$;

-- Keeps the sums short. Called by worker.advance_campaigns.
create or replace function private.fold_portfolios(p_now timestamptz)
returns void
language sql volatile
set search_path = ''
as $$
    with gone as (
        delete from private.portfolio_users u where u.used_at < p_now - interval '25 hours'
    ), old as (
        delete from private.portfolio_minutes m where m.minute < p_now - interval '26 hours'
    ), many as (
        select m.portfolio, m.minute from private.portfolio_minutes m
        where m.minute >= p_now - interval '26 hours' group by m.portfolio, m.minute having count(*) > 20
    ), taken as (
        delete from private.portfolio_minutes m using many x where m.portfolio = x.portfolio and m.minute = x.minute returning m.*
    )
    insert into private.portfolio_minutes (portfolio, minute, users)
    select t.portfolio, t.minute, sum(t.users) from taken t group by t.portfolio, t.minute
$$;

-- sql/code/55_campaigns/28_costs.sql

-- What messages cost and when the last of them leaves, as far as that is known. Called by launches, rehearsals and the detail page.
-- Must stay true: an estimate is made of the ledger itself, so that it counts whom the launch counts.

-- Country codes of phone numbers (ITU-T E.164) by country (ISO 3166-1). Countries that share a code share its price.
create or replace function private.calling_codes()
returns table (country text, code text)
language sql immutable
set search_path = ''
as $$
    select split_part(x, ' ', 1), split_part(x, ' ', 2) from unnest(string_to_array(
        'AE 971,AF 93,AG 1268,AI 1264,AL 355,AM 374,AO 244,AR 54,AS 1684,AT 43,AU 61,AW 297,AZ 994,BA 387,BB 1246,BD 880,BE 32,BF 226,BG 359,BH 973,'
        'BI 257,BJ 229,BM 1441,BN 673,BO 591,BR 55,BS 1242,BT 975,BW 267,BY 375,BZ 501,CA 1,CD 243,CF 236,CG 242,CH 41,CI 225,CK 682,CL 56,CM 237,'
        'CN 86,CO 57,CR 506,CU 53,CV 238,CW 599,CY 357,CZ 420,DE 49,DJ 253,DK 45,DM 1767,DO 1809,DZ 213,EC 593,EE 372,EG 20,ER 291,ES 34,ET 251,'
        'FI 358,FJ 679,FK 500,FM 691,FO 298,FR 33,GA 241,GB 44,GD 1473,GE 995,GF 594,GH 233,GI 350,GL 299,GM 220,GN 224,GP 590,GQ 240,GR 30,GT 502,'
        'GU 1671,GW 245,GY 592,HK 852,HN 504,HR 385,HT 509,HU 36,ID 62,IE 353,IL 972,IN 91,IO 246,IQ 964,IR 98,IS 354,IT 39,JM 1876,JO 962,JP 81,'
        'KE 254,KG 996,KH 855,KI 686,KM 269,KN 1869,KP 850,KR 82,KW 965,KY 1345,KZ 77,LA 856,LB 961,LC 1758,LI 423,LK 94,LR 231,LS 266,LT 370,LU 352,'
        'LV 371,LY 218,MA 212,MC 377,MD 373,ME 382,MG 261,MH 692,MK 389,ML 223,MM 95,MN 976,MO 853,MP 1670,MQ 596,MR 222,MS 1664,MT 356,MU 230,MV 960,'
        'MW 265,MX 52,MY 60,MZ 258,NA 264,NC 687,NE 227,NG 234,NI 505,NL 31,NO 47,NP 977,NR 674,NU 683,NZ 64,OM 968,PA 507,PE 51,PF 689,PG 675,PH 63,'
        'PK 92,PL 48,PM 508,PR 1787,PS 970,PT 351,PW 680,PY 595,QA 974,RE 262,RO 40,RS 381,RU 7,RW 250,SA 966,SB 677,SC 248,SD 249,SE 46,SG 65,SH 290,'
        'SI 386,SK 421,SL 232,SM 378,SN 221,SO 252,SR 597,SS 211,ST 239,SV 503,SX 1721,SY 963,SZ 268,TC 1649,TD 235,TG 228,TH 66,TJ 992,TK 690,TL 670,'
        'TM 993,TN 216,TO 676,TR 90,TT 1868,TV 688,TW 886,TZ 255,UA 380,UG 256,US 1,UY 598,UZ 998,VC 1784,VE 58,VG 1284,VI 1340,VN 84,VU 678,WF 681,'
        'WS 685,XK 383,YE 967,ZA 27,ZM 260,ZW 263', ',')) x
$$;

-- {"currency", "amount", "messages"} for everybody who is to get a message; null when no prices are set.
create or replace function private.planned_cost(p_campaign public.campaigns)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
    v_prices jsonb := (select s.message_prices from public.campaign_settings s where s.org_id = p_campaign.org_id);
    v_result jsonb;
begin
    if v_prices is null then
        return null;
    end if;
    with groups as materialized (
        -- Five characters hold the plus and the longest country code; there are few of them.
        select left(coalesce(c.phone, '+' || c.wa_id), 5) as head, coalesce(r.variant, 1) as variant, count(*) as messages
        from public.campaign_recipients r join public.contacts c on c.id = r.contact_id
        where r.campaign_id = p_campaign.id and r.status not in ('excluded', 'held_out') group by 1, 2
    ), priced as (
        select g.messages, coalesce((
                select (x.value ->> t.category)::numeric from jsonb_each(v_prices -> 'countries') x
                join private.calling_codes() k on k.country = x.key
                where g.head like '+' || k.code || '%' and x.value ? t.category order by length(k.code) desc limit 1),
            (v_prices #>> array['default', t.category])::numeric, 0) as price
        from groups g
        join public.campaign_variants v on v.campaign_id = p_campaign.id and v.position = g.variant
        join public.templates t on t.id = v.template_id
    )
    select jsonb_build_object('currency', v_prices ->> 'currency', 'amount', coalesce(round(sum(p.messages * p.price), 4), 0), 'messages', coalesce(sum(p.messages), 0))
    into v_result from priced p;
    return v_result;
end
$$;

-- When the last of p_count messages leaves, if the first may at p_from: by the number's rate less the share kept for replies, quiet hours
-- (of p_zone), and what the messaging limit lets go. Null: not within 30 days.
create or replace function private.finish_estimate(
    p_count bigint, p_from timestamptz, p_rate integer, p_quiet_hours jsonb, p_zone text, p_tier_limit integer, p_portfolio text
) returns timestamptz
language plpgsql stable
set search_path = ''
as $$
declare
    v_rate numeric := greatest(p_rate * 7 / 8.0, 1);
    v_at timestamptz := p_from;
    v_left numeric := p_count::numeric;
    v_quiet timestamptz;
    v_end timestamptz;
    -- Five minutes of people each, in a ring of a day.
    v_used numeric[] := array_fill(0::numeric, array[288]);
    v_total numeric := 0::numeric;
    v_slot integer;
    v_now numeric;
begin
    if p_tier_limit is not null then
        select array_agg(coalesce(m.users, 0)::numeric order by s.slot), coalesce(sum(m.users), 0)::numeric into v_used, v_total
        from generate_series(0, 287) s (slot)
        left join (
            select (floor(extract(epoch from m.minute) / 300)::bigint % 288)::integer as slot, sum(m.users) as users from private.portfolio_minutes m
            where m.portfolio = p_portfolio and m.minute > p_from - interval '24 hours' group by 1
        ) m on m.slot = s.slot;
    end if;
    while v_left > 0 and v_at < p_from + interval '30 days' loop
        if p_tier_limit is null then
            v_quiet := private.quiet_until(p_quiet_hours, p_zone, v_at);
            if v_quiet is not null then
                v_at := v_quiet;
                continue;
            end if;
            v_end := coalesce(private.quiet_from(p_quiet_hours, p_zone, v_at), 'infinity');
            v_now := least(v_left, case when v_end = 'infinity' then v_left else extract(epoch from v_end - v_at) * v_rate end);
            v_left := v_left - v_now;
            v_at := v_at + make_interval(secs => (v_now / v_rate)::double precision);
            continue;
        end if;
        v_end := to_timestamp((floor(extract(epoch from v_at) / 300) + 1) * 300);
        -- Most of the time the limit is used up, and nothing more is asked.
        if v_total < p_tier_limit and private.quiet_until(p_quiet_hours, p_zone, v_at) is null then
            v_now := least(v_left, p_tier_limit - v_total, extract(epoch from v_end - v_at) * v_rate);
            v_left := v_left - v_now;
            if v_left <= 0 then
                return v_at + make_interval(secs => (v_now / v_rate)::double precision);
            end if;
            v_slot := (floor(extract(epoch from v_at) / 300)::bigint % 288)::integer + 1;
            v_total := v_total + v_now;
            v_used[v_slot] := v_used[v_slot] + v_now;
        end if;
        v_at := v_end;
        -- A day ago by the clock that begins now: those may be written to again, and make room for others.
        v_slot := (floor(extract(epoch from v_at) / 300)::bigint % 288)::integer + 1;
        v_total := v_total - v_used[v_slot];
        v_used[v_slot] := 0;
    end loop;
    return case when v_left <= 0 then v_at end;
end
$$;

-- sql/code/55_campaigns/30_rehearsal.sql

-- What a launch would do, by doing it and taking it back. Called by the wizard as people choose an audience and before they send.
-- Must stay true: a rehearsal runs the launch's own code (private.start_campaign, private.snapshot_audience) in a block that is rolled back,
-- so that on the same data both have the same recipients, exclusions and texts; afterwards nothing is left of it.

create or replace function private.excluded_page(p_campaign_id uuid, p_reason text, p_limit integer, p_after uuid)
returns jsonb
language sql stable
set search_path = ''
as $$
    select coalesce(jsonb_agg(jsonb_build_object('contact_id', x.contact_id, 'full_name', c.full_name, 'phone', coalesce(c.phone, '+' || c.wa_id),
        'reason', x.exclusion_reason) order by x.contact_id), '[]')
    from (
        select r.contact_id, r.exclusion_reason from public.campaign_recipients r
        where r.campaign_id = p_campaign_id and r.exclusion_reason is not null and (p_reason is null or r.exclusion_reason = p_reason)
            and (p_after is null or r.contact_id > p_after)
        order by r.contact_id limit least(greatest(coalesce(p_limit, 50), 1), 200)
    ) x
    left join public.contacts c on c.id = x.contact_id
$$;

-- A draft that lacks its template is taken for marketing: nobody is promised a message they may not get.
create or replace function private.try_audience(p_campaign public.campaigns)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_campaign public.campaigns := p_campaign;
begin
    v_campaign.is_marketing := not exists (select from public.campaign_variants v where v.campaign_id = p_campaign.id and v.template_id is not null)
        or exists (select from public.campaign_variants v join public.templates t on t.id = v.template_id
            where v.campaign_id = p_campaign.id and t.category = 'marketing');
    perform private.snapshot_audience(v_campaign, private.clock());
end
$$;

create or replace function private.tier_answer(p_campaign public.campaigns)
returns jsonb
language sql volatile
set search_path = ''
as $$
    select jsonb_build_object('limit', t.tier_limit, 'used', t.used, 'frees_at', t.frees_at)
    from private.tier_state(p_campaign.whatsapp_account_id, private.clock()) t
$$;

create or replace function public.campaign_audience(p_id uuid)
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
    v_stats jsonb;
    v_excluded jsonb;
    v_is_draft boolean := v_campaign.status in ('draft', 'scheduled');
begin
    begin
        if v_is_draft and v_campaign.audience is not null then
            perform private.try_audience(v_campaign);
        end if;
        v_stats := private.stats_of(p_id);
        v_excluded := private.reasons_of(p_id, false);
        if v_is_draft then
            raise exception sqlstate 'UNDO0';
        end if;
    exception when sqlstate 'UNDO0' then
        null;
    end;
    return jsonb_build_object('total', v_stats -> 'total',
        'recipients', (v_stats ->> 'total')::bigint - (v_stats ->> 'excluded')::bigint - (v_stats ->> 'held_out')::bigint,
        'held_out', v_stats -> 'held_out', 'excluded', v_excluded, 'tier', private.tier_answer(v_campaign),
        'problems', case when v_is_draft then private.campaign_problems(v_campaign) else '[]' end);
end
$$;
comment on function public.campaign_audience(uuid) is
    'Who would get it, or who was to get it: {"total", "recipients", "held_out", "excluded": {reason: n}, "tier": {"limit", "used"}, "problems"}. Errors: AUTH_003, CAMPAIGN_001.';

create or replace function public.campaign_exclusions(p_id uuid, p_reason text default null, p_limit integer default 50, p_after uuid default null)
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
    v_page jsonb;
begin
    if v_campaign.status not in ('draft', 'scheduled') then
        return private.excluded_page(p_id, p_reason, p_limit, p_after);
    end if;
    begin
        if v_campaign.audience is not null then
            perform private.try_audience(v_campaign);
        end if;
        v_page := private.excluded_page(p_id, p_reason, p_limit, p_after);
        raise exception sqlstate 'UNDO0';
    exception when sqlstate 'UNDO0' then
        null;
    end;
    return v_page;
end
$$;
comment on function public.campaign_exclusions(uuid, text, integer, uuid) is
    'Who is left out and why: [{contact_id, full_name, phone, reason}]; p_after: the contact_id of the last one before. Errors: AUTH_003, CAMPAIGN_001.';

-- The first messages as their recipients will see them.
create or replace function private.rehearsed_messages(p_campaign_id uuid, p_limit integer)
returns jsonb
language sql stable
set search_path = ''
as $$
    select coalesce(jsonb_agg(jsonb_build_object('contact_id', x.contact_id, 'full_name', x.full_name, 'phone', x.phone, 'variant', x.variant,
        'rendered', octopush.render_template(x.template, octopush.campaign_values(x.variables, x.contact))) order by x.position), '[]')
    from (
        select r.position, r.contact_id, c.full_name, coalesce(c.phone, '+' || c.wa_id) as phone, r.variant, v.variables,
            private.template_shape(t) as template, to_jsonb(c) as contact
        from public.campaign_recipients r
        join public.contacts c on c.id = r.contact_id
        join public.campaign_variants v on v.campaign_id = r.campaign_id and v.position = r.variant
        join public.templates t on t.id = v.template_id
        where r.campaign_id = p_campaign_id and (case when r.variant is null then 1 else 0 end) = 0 and r.ready_at is not null
        order by r.ready_at, r.position limit p_limit
    ) x
$$;

-- Other campaigns that write to the same people around that time. Those that are sending are asked by their ledger, scheduled ones by their audience.
create or replace function private.campaign_conflicts(p_campaign public.campaigns, p_starts_at timestamptz)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
    v_other public.campaigns;
    v_count bigint;
    v_result jsonb := '[]'::jsonb;
begin
    for v_other in
        select c.* from public.campaigns c
        where c.org_id = p_campaign.org_id and c.id <> p_campaign.id and (c.status in ('sending', 'paused')
            or (c.status = 'scheduled' and c.scheduled_at between p_starts_at - interval '1 day' and p_starts_at + interval '1 day'))
        order by coalesce(c.scheduled_at, c.started_at) desc limit 5
    loop
        if v_other.status = 'scheduled' then
            select count(*) into v_count from private.audience_contacts(v_other.org_id, v_other.audience) a (id)
            join public.campaign_recipients r on r.campaign_id = p_campaign.id and r.contact_id = a.id and r.ready_at is not null;
        else
            select count(*) into v_count from public.campaign_recipients o
            join public.campaign_recipients r on r.campaign_id = p_campaign.id and r.contact_id = o.contact_id and r.ready_at is not null
            where o.campaign_id = v_other.id and (o.ready_at is not null or o.queued_at > p_starts_at - interval '1 day');
        end if;
        if v_count > 0 then
            v_result := v_result || jsonb_build_object('kind', 'campaign', 'campaign_id', v_other.id, 'name', v_other.name, 'status', v_other.status,
                'scheduled_at', v_other.scheduled_at, 'contacts', v_count);
        end if;
    end loop;
    return v_result;
end
$$;

-- When the last message leaves, of those that wait now.
create or replace function private.campaign_finishes_at(p_campaign public.campaigns, p_from timestamptz)
returns timestamptz
language plpgsql stable
set search_path = ''
as $$
declare
    v_account public.whatsapp_accounts;
    v_tier record;
    v_zone text := private.campaign_zone(p_campaign);
    v_waiting bigint;
    v_rest bigint;
    v_at timestamptz := p_from;
begin
    select a.* into v_account from public.whatsapp_accounts a where a.id = p_campaign.whatsapp_account_id;
    select t.* into v_tier from private.tier_state(p_campaign.whatsapp_account_id, p_from) t;
    select coalesce(sum(s.waiting) filter (where s.variant > 0 or p_campaign.winner is not null), 0)::bigint + coalesce(sum(s.queued - s.uncertain), 0)::bigint,
        coalesce(sum(s.waiting) filter (where s.variant = 0 and p_campaign.winner is null), 0)::bigint
    into v_waiting, v_rest from private.campaign_variant_stats s where s.campaign_id = p_campaign.id;
    v_at := private.finish_estimate(v_waiting, v_at, v_account.messages_per_second, p_campaign.quiet_hours, v_zone, v_tier.tier_limit, v_tier.portfolio);
    if v_rest > 0 then
        v_at := coalesce(p_campaign.tested_at, v_at) + make_interval(hours => (p_campaign.test ->> 'hours')::integer);
        v_at := private.finish_estimate(v_waiting + v_rest, greatest(v_at, p_from), v_account.messages_per_second, p_campaign.quiet_hours, v_zone,
            v_tier.tier_limit, v_tier.portfolio);
    end if;
    return v_at;
end
$$;

create or replace function public.rehearse_campaign(p_id uuid, p_limit integer default 20)
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
    v_problems jsonb;
    v_stats jsonb;
    v_tier jsonb;
    v_starts_at timestamptz;
    v_quiet timestamptz;
    v_recipients bigint;
    v_conflicts jsonb := '[]'::jsonb;
    v_result jsonb;
begin
    if v_campaign.status not in ('draft', 'scheduled') then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    v_starts_at := greatest(v_campaign.scheduled_at, private.clock());
    v_problems := private.campaign_problems(v_campaign);
    if v_campaign.audience is null or not exists (select from public.campaign_variants v where v.campaign_id = p_id and v.template_id is not null) then
        return jsonb_build_object('recipients', 0, 'excluded', '{}'::jsonb, 'held_out', 0, 'messages', '[]'::jsonb, 'cost', null,
            'starts_at', v_starts_at, 'finishes_at', null, 'conflicts', '[]'::jsonb, 'problems', v_problems);
    end if;
    v_tier := private.tier_answer(v_campaign);
    v_quiet := private.quiet_until(v_campaign.quiet_hours, private.campaign_zone(v_campaign), v_starts_at);
    begin
        begin
            v_campaign := private.start_campaign(v_campaign, private.clock());
        exception when others then
            if sqlstate <> 'PGRST' then
                raise;
            end if;
            -- Nobody is left to write to: the rows are gone with the block, so they are made once more.
            v_problems := v_problems || private.campaign_problem('audience', 'CAMPAIGN_002', 'Nobody in the audience can receive it');
            perform private.try_audience(v_campaign);
        end;
        v_stats := private.stats_of(p_id);
        v_recipients := (v_stats ->> 'waiting')::bigint;
        v_conflicts := private.campaign_conflicts(v_campaign, v_starts_at);
        v_result := jsonb_build_object('recipients', v_recipients, 'excluded', private.reasons_of(p_id, false), 'held_out', v_stats -> 'held_out',
            'messages', private.rehearsed_messages(p_id, least(greatest(coalesce(p_limit, 20), 0), 200)), 'cost', v_campaign.planned_cost,
            'starts_at', coalesce(v_quiet, v_starts_at), 'finishes_at', private.campaign_finishes_at(v_campaign, v_starts_at));
        raise exception sqlstate 'UNDO0';
    exception when sqlstate 'UNDO0' then
        null;
    end;
    if v_result -> 'excluded' ? 'frequency_cap' then
        v_conflicts := v_conflicts || jsonb_build_object('kind', 'frequency_cap', 'contacts', v_result #> '{excluded,frequency_cap}');
    end if;
    if (v_tier ->> 'limit')::integer < (v_tier ->> 'used')::integer + v_recipients then
        v_conflicts := v_conflicts || (jsonb_build_object('kind', 'tier', 'contacts', v_recipients + (v_tier ->> 'used')::integer - (v_tier ->> 'limit')::integer) || v_tier);
    end if;
    if v_quiet is not null then
        v_conflicts := v_conflicts || jsonb_build_object('kind', 'quiet_hours', 'until', v_quiet);
    end if;
    return v_result || jsonb_build_object('conflicts', v_conflicts, 'problems', v_problems);
end
$$;
comment on function public.rehearse_campaign(uuid, integer) is
    'What a launch would do: {"recipients", "excluded", "held_out", "messages", "cost", "starts_at", "finishes_at", "conflicts", "problems"}; runs the launch and rolls it back. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005.';

-- sql/code/55_campaigns/40_life_cycle.sql

-- From draft to completed: launching, scheduling, pausing, resuming, cancelling, trying again. Called by the web UI, and worker.start_due_campaigns
-- by the campaigns role. docs/state-machines.md has the picture.
-- Must stay true: a campaign's audience is taken once, in the transaction that makes it sending; what a pause or cancellation finds in the
-- outbox is taken back before it returns; every function here holds the campaign's row first, before any message.

-- A rehearsal that was rolled back makes autoanalyze believe that a ledger is empty; plans made then would read all of a big one.
create or replace function private.analyze_ledger(p_rows bigint)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    if p_rows >= 1000 and (select k.reltuples < 10 * p_rows from pg_catalog.pg_class k where k.oid = 'public.campaign_recipients'::regclass) then
        analyze public.campaign_recipients;
    end if;
end
$$;

-- Makes it sending, with its audience. Errors: CAMPAIGN_002.
create or replace function private.start_campaign(p_campaign public.campaigns, p_now timestamptz)
returns public.campaigns
language plpgsql volatile
set search_path = ''
as $$
declare
    v_campaign public.campaigns;
begin
    update public.campaigns c set
        status = 'sending', status_reason = null, waiting_for = null, resumes_at = null, winner = null, tested_at = null,
        launched_at = p_now, started_at = p_now, updated_at = clock_timestamp(),
        is_marketing = exists (
            select from public.campaign_variants v join public.templates t on t.id = v.template_id
            where v.campaign_id = c.id and t.category = 'marketing')
    where c.id = p_campaign.id returning c.* into v_campaign;
    perform private.snapshot_audience(v_campaign, p_now);
    perform private.fold_campaigns(array[v_campaign.id]);
    if not exists (select from public.campaign_recipients r where r.campaign_id = v_campaign.id and r.ready_at is not null) then
        perform private.raise_error('CAMPAIGN_002', private.stats_of(v_campaign.id));
    end if;
    update public.campaigns c set planned_cost = private.planned_cost(v_campaign) where c.id = v_campaign.id returning c.* into v_campaign;
    return v_campaign;
end
$$;

create or replace function private.tell_of_campaign(p_campaign public.campaigns, p_kind text, p_actor uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform private.record_activity(p_campaign.org_id, p_kind, p_actor,
        p_data => jsonb_build_object('campaign_id', p_campaign.id, 'name', p_campaign.name) || case
            when p_campaign.status_reason is null then '{}' else jsonb_build_object('reason', p_campaign.status_reason) end);
    perform private.broadcast_campaigns(p_campaign.org_id, array[p_campaign.id]);
end
$$;

create or replace function private.notify_of_campaign(p_campaign public.campaigns, p_kind text, p_priority text)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform private.notify_members(p_campaign.org_id, private.members_with(p_campaign.org_id, 'campaigns.manage'), p_kind, p_priority,
        jsonb_build_object('campaign_id', p_campaign.id, 'name', p_campaign.name) || case
            when p_campaign.status_reason is null then '{}' else jsonb_build_object('reason', p_campaign.status_reason) end);
end
$$;

create or replace function private.refuse_campaign_state(p_campaign public.campaigns)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    perform private.raise_error('CAMPAIGN_005', jsonb_build_object('status', p_campaign.status));
end
$$;

-- Takes what no sender has claimed out of the outbox: those recipients wait again, as if nothing had been made. Messages before the outbox, as
-- everywhere; one that is claimed meanwhile is on its way. One that was uncertain before goes back to being that: it may have arrived.
create or replace function private.take_back(p_campaign public.campaigns)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_message_ids uuid[];
    v_gone uuid[];
begin
    v_message_ids := array(
        select x.id from (
            select m.id from private.outbox o join public.messages m on m.id = o.message_id
            where o.whatsapp_account_id = p_campaign.whatsapp_account_id and o.lane = 2 and o.state = 'ready' and m.campaign_id = p_campaign.id
            order by m.id for no key update of m
        ) x);
    if cardinality(v_message_ids) = 0 then
        return;
    end if;
    with doubted as (
        update private.outbox o set state = 'uncertain', intent_at = clock_timestamp()
        from public.messages m
        where o.message_id = any (v_message_ids) and o.state = 'ready' and m.id = o.message_id and m.send_try > 0
        returning o.message_id
    )
    update public.messages m set is_uncertain = true, error_code = 'WA_008' from doubted d where m.id = d.message_id;
    with gone as (
        delete from private.outbox o where o.message_id = any (v_message_ids) and o.state = 'ready' returning o.message_id
    )
    select coalesce(array_agg(g.message_id), '{}') into v_gone from gone g;
    with removed as (
        delete from public.messages m where m.id = any (v_gone) returning m.id, m.org_id, m.contact_id
    ), uncounted as (
        -- They were counted as sent when they were made (30_contacts/25_counters.sql).
        insert into private.sent_messages (org_id, contact_id, sent, last_at)
        select r.org_id, r.contact_id, -1, '-infinity' from removed r
    )
    update public.campaign_recipients r set
        status = 'waiting', ready_at = private.clock(), message_id = null, queued_at = null, attempts = r.attempts - 1
    from removed x
    where r.campaign_id = p_campaign.id and r.org_id = p_campaign.org_id and r.contact_id = x.contact_id and r.message_id = x.id;
    perform private.settle_ledger(v_message_ids);
end
$$;

create or replace function public.launch_campaign(p_id uuid, p_expected_updated_at timestamptz default null)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
    v_now timestamptz := private.clock();
begin
    if v_campaign.status not in ('draft', 'scheduled') then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    -- Who sends has seen what will be sent. Null: whatever it is now.
    perform private.require_version(v_campaign, coalesce(p_expected_updated_at, v_campaign.updated_at));
    perform private.require_complete(v_campaign);
    if private.is_small_organization(v_campaign.org_id) then
        v_campaign := private.start_campaign(v_campaign, v_now);
        perform private.analyze_ledger((private.stats_of(p_id) ->> 'total')::bigint);
        perform private.tell_of_campaign(v_campaign, 'campaign.started', (select auth.uid()));
    else
        -- Longer than a request may take: the worker takes the audience, within a second or two.
        update public.campaigns c set status = 'scheduled', scheduled_at = v_now, updated_at = clock_timestamp()
        where c.id = p_id returning c.* into v_campaign;
        perform private.tell_of_campaign(v_campaign, 'campaign.scheduled', (select auth.uid()));
    end if;
    perform pg_catalog.pg_notify('octopush_campaigns', '');
    return v_campaign;
end
$$;
comment on function public.launch_campaign(uuid, timestamptz) is
    'Draft or scheduled → sending; of organisations with more than 200,000 contacts it is scheduled for this moment. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_002, CAMPAIGN_004–007.';

create or replace function public.schedule_campaign(p_id uuid, p_at timestamptz, p_expected_updated_at timestamptz default null)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status not in ('draft', 'scheduled') then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    -- Who sends has seen what will be sent. Null: whatever it is now.
    perform private.require_version(v_campaign, coalesce(p_expected_updated_at, v_campaign.updated_at));
    if p_at is null or p_at <= private.clock() then
        perform private.raise_error('CAMPAIGN_008');
    end if;
    perform private.require_complete(v_campaign);
    update public.campaigns c set status = 'scheduled', status_reason = null, scheduled_at = p_at, updated_at = clock_timestamp()
    where c.id = p_id returning c.* into v_campaign;
    perform private.tell_of_campaign(v_campaign, 'campaign.scheduled', (select auth.uid()));
    return v_campaign;
end
$$;
comment on function public.schedule_campaign(uuid, timestamptz, timestamptz) is
    'Draft or scheduled → scheduled; its audience is taken at that time. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_004–008.';

create or replace function public.unschedule_campaign(p_id uuid)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status <> 'scheduled' then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    update public.campaigns c set status = 'draft', updated_at = clock_timestamp() where c.id = p_id returning c.* into v_campaign;
    perform private.tell_of_campaign(v_campaign, 'campaign.unscheduled', (select auth.uid()));
    return v_campaign;
end
$$;
comment on function public.unschedule_campaign(uuid) is 'Scheduled → draft. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005.';

-- By a person, or by itself with a reason. The caller holds the campaign.
create or replace function private.pause(p_campaign public.campaigns, p_reason text)
returns public.campaigns
language plpgsql volatile
set search_path = ''
as $$
declare
    v_campaign public.campaigns;
begin
    update public.campaigns c set status = 'paused', status_reason = p_reason, waiting_for = null, resumes_at = null, updated_at = clock_timestamp()
    where c.id = p_campaign.id returning c.* into v_campaign;
    perform private.take_back(v_campaign);
    perform private.tell_of_campaign(v_campaign, 'campaign.paused', (select auth.uid()));
    if p_reason is not null then
        perform private.notify_of_campaign(v_campaign, 'campaign.paused', 'high');
    end if;
    return v_campaign;
end
$$;

create or replace function public.pause_campaign(p_id uuid)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status <> 'sending' then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    return private.pause(v_campaign, null);
end
$$;
comment on function public.pause_campaign(uuid) is
    'Sending → paused, at once: only what is on its way to Meta at this moment still arrives. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005.';

create or replace function public.resume_campaign(p_id uuid)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status <> 'paused' then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    update public.campaigns c set status = 'sending', status_reason = null, updated_at = clock_timestamp() where c.id = p_id returning c.* into v_campaign;
    perform private.tell_of_campaign(v_campaign, 'campaign.resumed', (select auth.uid()));
    perform pg_catalog.pg_notify('octopush_campaigns', '');
    return v_campaign;
end
$$;
comment on function public.resume_campaign(uuid) is 'Paused → sending. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005.';

create or replace function public.cancel_campaign(p_id uuid)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status not in ('scheduled', 'sending', 'paused') then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    update public.campaigns c set status = 'cancelled', waiting_for = null, resumes_at = null, finished_at = private.clock(), updated_at = clock_timestamp()
    where c.id = p_id returning c.* into v_campaign;
    perform private.take_back(v_campaign);
    perform private.tell_of_campaign(v_campaign, 'campaign.cancelled', (select auth.uid()));
    return v_campaign;
end
$$;
comment on function public.cancel_campaign(uuid) is
    'Scheduled, sending or paused → cancelled, for good. Whoever still waited gets nothing. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005.';

-- Whether another attempt may help: not for those who must not or cannot be reached, nor for those who may have got it.
create or replace function private.may_be_retried(p_error_code text)
returns boolean
language sql immutable parallel safe
set search_path = ''
as $$
    select coalesce(p_error_code, '') not in ('131050', '131026', '130472', 'WA_008', 'CONTACT_004', 'CONTACT_008', 'CONTACT_010')
$$;

create or replace function public.retry_failed_recipients(p_id uuid)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
    v_problems jsonb;
    v_count integer;
begin
    if v_campaign.status not in ('sending', 'paused', 'completed') then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    -- Once it is over nothing keeps its templates from being edited.
    v_problems := private.campaign_problems(v_campaign);
    if jsonb_path_exists(v_problems, '$[*] ? (@.field starts with "variants")') then
        perform private.raise_error('CAMPAIGN_006', jsonb_build_object('problems', v_problems));
    end if;
    update public.campaign_recipients r set status = 'waiting', ready_at = private.clock(), attempts = 0, failed_at = null, error_code = null, error_message = null
    where r.campaign_id = p_id and r.failed_at is not null and r.status = 'failed'
        and private.may_be_retried(r.error_code);
    get diagnostics v_count = row_count;
    if v_count > 0 then
        update public.campaigns c set status = case when c.status = 'completed' then 'sending' else c.status end, finished_at = null, updated_at = clock_timestamp()
        where c.id = p_id returning c.* into v_campaign;
        perform private.tell_of_campaign(v_campaign, 'campaign.retried', (select auth.uid()));
        perform pg_catalog.pg_notify('octopush_campaigns', '');
    end if;
    return v_count;
end
$$;
comment on function public.retry_failed_recipients(uuid) is
    'Lets those whose message failed wait again, but for people who opted out or are not on WhatsApp; how many. A completed campaign is sending again. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005, CAMPAIGN_006 (its templates have changed).';

-- One at a time: the audience of a large one takes seconds.
create or replace function worker.start_due_campaigns()
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns;
    v_now timestamptz := private.clock();
    v_message text;
    v_state text;
begin
    select c.* into v_campaign from public.campaigns c
    where c.status = 'scheduled' and c.scheduled_at <= v_now order by c.scheduled_at limit 1 for no key update skip locked;
    if not found then
        return 0;
    end if;
    begin
        perform private.require_complete(v_campaign);
        v_campaign := private.start_campaign(v_campaign, v_now);
        perform private.analyze_ledger((private.stats_of(v_campaign.id) ->> 'total')::bigint);
        perform private.tell_of_campaign(v_campaign, 'campaign.started', v_campaign.created_by);
    exception when others then
        get stacked diagnostics v_message = message_text, v_state = returned_sqlstate;
        -- What is no answer to a person is for the worker's log, and is tried again.
        if v_state <> 'PGRST' then
            raise;
        end if;
        update public.campaigns c set status = 'failed', status_reason = v_message::jsonb ->> 'code', finished_at = v_now, updated_at = clock_timestamp()
        where c.id = v_campaign.id returning c.* into v_campaign;
        perform private.tell_of_campaign(v_campaign, 'campaign.failed', null);
        perform private.notify_of_campaign(v_campaign, 'campaign.failed', 'high');
    end;
    perform pg_catalog.pg_notify('octopush_campaigns', '');
    return 1;
end
$$;
comment on function worker.start_due_campaigns() is 'Starts the scheduled campaign that is due longest, or says failed and why; how many it took: call again until none.';

-- sql/code/55_campaigns/50_feeding.sql

-- Recipients become messages, a second's worth of their number at a time. Called by the campaigns role of the worker, every 100 ms.
-- Must stay true: message, outbox row and ledger change in one commit, so that a recipient is made a message of exactly once; one feeder a
-- number; locks as everywhere: campaign, contacts, conversations, messages, outbox, and the ledger's rows last; what is locked is left for the
-- next call; may-send is asked here, and by the claim again.

-- Why nothing of the campaign may be handed over at the moment.
create or replace function private.reason_to_wait(p_campaign public.campaigns, p_account public.whatsapp_accounts, p_now timestamptz)
returns table (reason text, until timestamptz)
language plpgsql stable
set search_path = ''
as $$
begin
    if p_account.status <> 'connected' then
        reason := 'account';
    elsif p_account.quality_rating = 'RED' then
        reason := 'quality';
    elsif p_campaign.quiet_hours is not null then
        until := private.quiet_until(p_campaign.quiet_hours, private.campaign_zone(p_campaign), p_now);
        reason := case when until is not null then 'quiet_hours' end;
    end if;
    return next;
end
$$;

create or replace function private.campaign_zone(p_campaign public.campaigns)
returns text
language sql stable
set search_path = ''
as $$ select coalesce(p_campaign.time_zone, (select o.time_zone from public.organizations o where o.id = p_campaign.org_id)) $$;

-- Says so where people look, once, and takes back what is not claimed yet.
create or replace function private.hold_campaign(p_campaign public.campaigns, p_reason text, p_until timestamptz)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    if p_campaign.waiting_for is not distinct from p_reason and p_campaign.resumes_at is not distinct from p_until then
        return;
    end if;
    update public.campaigns c set waiting_for = p_reason, resumes_at = p_until where c.id = p_campaign.id;
    if p_reason in ('account', 'quality', 'quiet_hours') then
        perform private.take_back(p_campaign);
    end if;
    perform private.broadcast_campaigns(p_campaign.org_id, array[p_campaign.id]);
end
$$;

-- Those of the queue whose turn it is: first who has a variant, and once the test is decided the rest.
create or replace function private.due_recipients(p_campaign public.campaigns, p_now timestamptz, p_limit integer)
returns uuid[]
language plpgsql stable
set search_path = ''
-- Along the index in its order and no further than the limit, whatever the planner believes of a campaign that was launched a moment ago.
set enable_sort = off
set enable_bitmapscan = off
set enable_seqscan = off
as $$
declare
    v_ids uuid[];
begin
    v_ids := array(
        select r.contact_id from public.campaign_recipients r
        where r.campaign_id = p_campaign.id and (case when r.variant is null then 1 else 0 end) = 0 and r.ready_at <= p_now
        order by r.ready_at, r.position limit p_limit);
    if p_campaign.winner is not null and cardinality(v_ids) < p_limit then
        v_ids := v_ids || array(
            select r.contact_id from public.campaign_recipients r
            where r.campaign_id = p_campaign.id and (case when r.variant is null then 1 else 0 end) = 1 and r.ready_at <= p_now
            order by r.ready_at, r.position limit p_limit - cardinality(v_ids));
    end if;
    return v_ids;
end
$$;

-- The contacts of p_contact_ids that are nobody else's at the moment, locked.
create or replace function private.free_contacts(p_org_id uuid, p_contact_ids uuid[])
returns uuid[]
language sql volatile
set search_path = ''
as $$
    select coalesce(array_agg(x.id), '{}') from (
        select c.id from public.contacts c
        where c.org_id = p_org_id and c.id = any (p_contact_ids) order by c.id for no key update skip locked
    ) x
$$;

-- Makes the messages of these recipients, whose contacts are locked. p_capacity: people that the messaging limit still allows, null for any
-- number. Gives how many messages were made, and how many recipients wait because of the limit.
create or replace function private.make_campaign_messages(
    p_campaign public.campaigns, p_contact_ids uuid[], p_portfolio text, p_capacity integer, p_now timestamptz,
    out made integer, out over_tier integer
)
language plpgsql volatile
set search_path = ''
-- One by one by their keys. A plan that was made when a table was empty, or with what the planner believes of a campaign that was launched a
-- moment ago, would read whole tables for every batch until the next autoanalyze.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    v_moved integer;
begin
    with variants as materialized (
        select v.position, v.template_id, v.variables, v.links, private.template_shape(t) as template
        from public.campaign_variants v join public.templates t on t.id = v.template_id
        where v.campaign_id = p_campaign.id
    ), capped as materialized (
        select k from private.capped_contacts(p_campaign.org_id, p_contact_ids, p_now) k where p_campaign.is_marketing
    ), people as materialized (
        select r.contact_id, r.position, coalesce(r.variant, p_campaign.winner) as variant,
            coalesce(k.id, octopush.uuid_v7()) as conversation_id, k.id is null as is_first,
            coalesce(private.exclusion_reason(c.deleted_at, c.wa_id, c.phone, c.bsuid, c.not_on_whatsapp_at, c.marketing_stopped_at, c.opt_in_status,
                p_campaign.is_marketing), case when c.id in (select x.k from capped x) then 'frequency_cap' end) as reason,
            p_capacity is not null and coalesce(k.window_expires_at <= p_now, true) and coalesce(u.used_at <= p_now - interval '24 hours', true) as uses_tier,
            jsonb_build_object('full_name', c.full_name, 'phone', c.phone, 'email', c.email, 'company', c.company, 'job_title', c.job_title,
                'username', c.username, 'birthday', c.birthday, 'address', c.address, 'custom_fields', c.custom_fields) as contact
        from unnest(p_contact_ids) i (id)
        cross join lateral (
            select x.contact_id, x.position, x.variant from public.campaign_recipients x
            where x.campaign_id = p_campaign.id and x.org_id = p_campaign.org_id and x.contact_id = i.id and x.status = 'waiting' offset 0
        ) r
        join public.contacts c on c.id = r.contact_id
        left join public.conversations k on k.whatsapp_account_id = p_campaign.whatsapp_account_id and k.contact_id = r.contact_id
        left join private.portfolio_users u on u.portfolio = p_portfolio and u.contact_id = r.contact_id and p_capacity is not null
    ), placed as materialized (
        select p.*, count(*) filter (where p.uses_tier and p.reason is null) over (order by p.position) as place from people p
    ), chosen as materialized (
        select p.*, octopush.uuid_v7() as message_id from placed p
        where p.reason is null and (not p.uses_tier or p.place <= p_capacity)
        order by p.position
    ), tokens as materialized (
        select jsonb_object_agg(l.contact_id, l.links) as of_contacts from (
            select k.contact_id, jsonb_object_agg(k.button, k.token) as links
            from private.make_links((
                select jsonb_agg(jsonb_build_object('campaign_id', p_campaign.id, 'contact_id', c.contact_id, 'org_id', p_campaign.org_id,
                    'variant', c.variant, 'message_id', c.message_id, 'button', l.key::integer, 'destination', l.value))
                from chosen c join variants v on v.position = c.variant cross join jsonb_each_text(v.links) l)) k
            group by k.contact_id
        ) l
    ), written as materialized (
        select c.contact_id, c.position, c.variant, c.conversation_id, c.is_first, c.message_id, v.template_id,
            octopush.template_message(v.template, octopush.campaign_values(v.variables, c.contact),
                (select t.of_contacts -> c.contact_id::text from tokens t)) as content
        from chosen c join variants v on v.position = c.variant
    ), threads as (
        -- Out of the lists until the person writes (design §7). Whoever makes the same thread at this moment makes this call fail, and the next
        -- one finds it.
        insert into public.conversations (id, org_id, whatsapp_account_id, contact_id, status, is_quiet)
        select w.conversation_id, p_campaign.org_id, p_campaign.whatsapp_account_id, w.contact_id, 'expired', true
        from written w where w.is_first and w.content ? 'message'
    ), ready as materialized (
        select w.contact_id, w.position, w.variant, w.conversation_id, w.message_id, w.template_id, w.content
        from written w where w.content ? 'message'
    ), messages as (
        insert into public.messages (id, org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, payload, status,
            template_id, campaign_id)
        select r.message_id, p_campaign.org_id, r.conversation_id, p_campaign.whatsapp_account_id, r.contact_id, 'outbound', 'template',
            left(r.content ->> 'body', 10000), jsonb_build_object('template', r.content -> 'message'), 'pending', r.template_id, p_campaign.id
        from ready r order by r.message_id
    ), outbox as (
        insert into private.outbox (message_id, org_id, whatsapp_account_id, conversation_id, lane)
        select r.message_id, p_campaign.org_id, p_campaign.whatsapp_account_id, r.conversation_id, 2 from ready r order by r.position
        returning message_id
    ), moved as (
        update public.campaign_recipients r set
            status = case when x.message_id is null then 'excluded' else 'queued' end, exclusion_reason = x.reason, variant = x.variant,
            message_id = coalesce(x.message_id, r.message_id), ready_at = null,
            attempts = r.attempts + case when x.message_id is null then 0 else 1 end,
            queued_at = case when x.message_id is null then r.queued_at else p_now end,
            error_code = null, error_message = null
        from (
            select y.contact_id, y.variant, y.message_id, null::text as reason from ready y
            union all
            select p.contact_id, p.variant, null, p.reason from placed p where p.reason is not null
            union all
            select w.contact_id, w.variant, null, 'missing_value' from written w where w.content ? 'problems'
        ) x
        where r.campaign_id = p_campaign.id and r.org_id = p_campaign.org_id and r.contact_id = x.contact_id and r.status = 'waiting'
        returning r.status
    )
    select (select count(*)::integer from outbox), (select count(*)::integer from moved m where m.status = 'queued'),
        (select count(*)::integer from placed p where p.reason is null and p.uses_tier and p.place > p_capacity)
    into made, v_moved, over_tier;
    if made <> v_moved then
        raise exception 'campaign % made % messages for % recipients', p_campaign.id, made, v_moved using errcode = 'serialization_failure';
    end if;
end
$$;

-- One campaign's share of what its number may take now. The caller holds the campaign and is the number's only feeder.
create or replace function private.feed_campaign(p_campaign public.campaigns, p_account public.whatsapp_accounts, p_limit integer, p_now timestamptz)
returns integer
language plpgsql volatile
set search_path = ''
as $$
declare
    v_wait record;
    v_tier record;
    v_capacity integer;
    v_ids uuid[];
    v_fed record;
begin
    select w.* into v_wait from private.reason_to_wait(p_campaign, p_account, p_now) w;
    if v_wait.reason is not null then
        perform private.hold_campaign(p_campaign, v_wait.reason, v_wait.until);
        return 0;
    end if;
    if exists (
        select from public.campaign_variants v join public.templates t on t.id = v.template_id
        where v.campaign_id = p_campaign.id and (p_campaign.winner is null or v.position = p_campaign.winner)
            and (t.status <> 'approved' or t.deleted_at is not null or t.waba_id <> p_account.waba_id))
    then
        perform private.pause(p_campaign, 'WA_002');
        return 0;
    end if;
    if p_limit <= 0 or (p_campaign.waiting_for = 'tier' and p_campaign.resumes_at > p_now) then
        return 0;
    end if;
    v_ids := private.due_recipients(p_campaign, p_now, p_limit);
    if cardinality(v_ids) = 0 then
        if p_campaign.waiting_for in ('account', 'quality', 'quiet_hours', 'tier') then
            perform private.hold_campaign(p_campaign, null, null);
        end if;
        return 0;
    end if;
    select t.* into v_tier from private.tier_state(p_campaign.whatsapp_account_id, p_now) t;
    v_capacity := case when v_tier.tier_limit is not null then greatest(v_tier.tier_limit - v_tier.used - v_tier.in_flight, 0) end;
    select m.* into v_fed
    from private.make_campaign_messages(p_campaign, private.free_contacts(p_campaign.org_id, v_ids), v_tier.portfolio, v_capacity, p_now) m;
    if v_fed.over_tier > 0 then
        -- What is in flight frees up sooner if Meta refuses it.
        perform private.hold_campaign(p_campaign, 'tier', case when v_tier.in_flight = 0 then v_tier.frees_at else p_now + interval '5 seconds' end);
    else
        perform private.hold_campaign(p_campaign, null, null);
    end if;
    return v_fed.made;
end
$$;

create or replace function private.feed_number(p_account public.whatsapp_accounts, p_limit integer)
returns integer
language plpgsql volatile
set search_path = ''
as $$
declare
    v_now timestamptz := private.clock();
    v_campaign public.campaigns;
    v_ids uuid[];
    v_left integer;
    v_room integer;
    v_made integer := 0;
begin
    -- A second's worth at most waits in the outbox, so that a pause finds little there.
    select least(p_limit, p_account.messages_per_second - count(*)::integer) into v_room
    from (select from private.outbox o where o.whatsapp_account_id = p_account.id and o.lane = 2 and o.state = 'ready' limit p_account.messages_per_second) x;
    v_ids := array(
        select c.id from public.campaigns c
        where c.whatsapp_account_id = p_account.id and c.status = 'sending' order by c.started_at, c.id);
    v_left := cardinality(v_ids);
    for i in 1..v_left loop
        select c.* into v_campaign from public.campaigns c where c.id = v_ids[i] and c.status = 'sending' for no key update skip locked;
        if found then
            -- Equal shares; what the first do not need the later ones get.
            v_made := v_made + private.feed_campaign(v_campaign, p_account, (v_room - v_made + v_left - i) / (v_left - i + 1), v_now);
        end if;
    end loop;
    return v_made;
end
$$;

create or replace function worker.feed_campaigns(p_limit_per_number integer)
returns table (whatsapp_account_id uuid, queued integer)
language plpgsql volatile security definer
set search_path = ''
-- Locks of several campaigns of a number are taken one campaign after the other, and "skip locked" may still wait for a row that is being
-- changed: of two that wait for each other the feeder gives way, long before the server would choose (deadlock_timeout).
set lock_timeout = '200ms'
-- Made once a session and by keys (private.make_campaign_messages): planning anew for each piece costs as much as fifty messages.
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    v_account public.whatsapp_accounts;
    v_total integer := 0;
begin
    for v_account in
        select a.* from public.whatsapp_accounts a
        where exists (select from public.campaigns c where c.whatsapp_account_id = a.id and c.status = 'sending') order by a.id
    loop
        whatsapp_account_id := v_account.id;
        queued := 0;
        if pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('octopush feeds ' || v_account.id, 0)) then
            -- The fault of one number, or a thread that somebody else made at this moment, must not stop the others.
            begin
                queued := private.feed_number(v_account, p_limit_per_number);
            exception when others then
                queued := 0;
                raise warning 'feeding number %: error %', v_account.id, sqlstate;
            end;
        end if;
        v_total := v_total + queued;
        return next;
    end loop;
    if v_total > 0 then
        perform pg_catalog.pg_notify('octopush_send', '');
    end if;
end
$$;
comment on function worker.feed_campaigns(integer) is
    'Fills the outbox of every number that has a campaign sending, up to a second''s worth of its rate; one row a number, 0 when there was nothing to add or another worker is at it.';

-- sql/code/55_campaigns/60_outcomes.sql

-- What became of messages, written into the ledger in the transaction that learned it. Called by claims, reports and statuses
-- (50_sending, 40_inbox), which hold the messages.
-- Must stay true: the ledger's row follows its present message and no other; a person is written to again only after Meta refused the
-- message for now; nobody here waits for a contact or a campaign: that is left to private.send_effects.

-- Refusals after which the same person may get the message later: the first is the person's own limit, the others are the number's, the
-- account's or the template's.
create or replace function private.is_refused_for_now(p_code text)
returns boolean
language sql immutable parallel safe
set search_path = ''
as $$ select p_code in ('131049', '131048', '131064', '132001', '132015', '132016', 'WA_002', 'WA_006', 'WA_007') $$;

create or replace function private.settle_ledger(p_message_ids uuid[])
returns void
language plpgsql volatile
set search_path = ''
-- By keys, as private.make_campaign_messages.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    -- In one order, as whoever else holds several rows of the ledger (merges).
    perform r.contact_id from public.messages m
    join public.campaign_recipients r on r.campaign_id = m.campaign_id and r.org_id = m.org_id and r.contact_id = m.contact_id and r.message_id = m.id
    where m.id = any (p_message_ids) and m.campaign_id is not null
    order by r.campaign_id, r.contact_id for no key update of r;

    with outcome as materialized (
        select m.id, m.org_id, m.campaign_id, m.contact_id, m.is_uncertain,
            -- Taken by Meta: sent, whether its own status has come or not.
            case when m.status <> 'pending' then m.status when m.wa_message_id is null then 'queued' else 'sent' end as status,
            least(m.sent_at, m.accepted_at) as sent_at, m.delivered_at, m.read_at, m.failed_at, m.error_code, m.error_message
        from public.messages m where m.id = any (p_message_ids) and m.campaign_id is not null
    ), judged as materialized (
        select o.*, c.status as campaign_status,
            case when o.status = 'failed' and private.is_refused_for_now(o.error_code) and c.status in ('sending', 'paused', 'completed')
                -- Three days are enough of somebody's limit, and three tries with a template that is not the winner's; a pause ends the others.
                and (o.error_code not in ('131049', 'WA_002') or r.attempts < 3) then 'waiting' else o.status end as new_status
        from outcome o
        join public.campaign_recipients r on r.campaign_id = o.campaign_id and r.org_id = o.org_id and r.contact_id = o.contact_id and r.message_id = o.id
        join public.campaigns c on c.id = o.campaign_id
        -- Left out since: only what reached the person after all counts.
        where r.status <> 'excluded' or o.status in ('delivered', 'read')
    ), changed as (
        update public.campaign_recipients r set
            status = j.new_status, is_uncertain = j.is_uncertain, exclusion_reason = null,
            ready_at = case when j.new_status = 'waiting' then private.clock() + case when j.error_code = '131049' then interval '24 hours' else interval '0' end end,
            sent_at = coalesce(r.sent_at, j.sent_at), delivered_at = j.delivered_at, read_at = j.read_at,
            failed_at = case when j.new_status = 'failed' then j.failed_at end,
            error_code = case when j.new_status in ('failed', 'waiting') then j.error_code end,
            error_message = case when j.new_status in ('failed', 'waiting') then left(j.error_message, 500) end
        from judged j
        where r.campaign_id = j.campaign_id and r.org_id = j.org_id and r.contact_id = j.contact_id and r.message_id = j.id
            and (r.status, r.is_uncertain) is distinct from (j.new_status, j.is_uncertain)
        returning r.campaign_id, r.org_id, j.campaign_status, j.new_status, j.error_code
    )
    insert into private.send_effects (org_id, kind, campaign_id, code, occurred_at)
    select distinct c.org_id, 'pause', c.campaign_id, c.error_code, clock_timestamp()
    from changed c
    -- The others hold a campaign up by themselves.
    where c.new_status = 'waiting' and c.error_code in ('131048', '131064', '132001', '132015', '132016') and c.campaign_status <> 'paused';

    insert into private.send_effects (org_id, kind, contact_id, code, occurred_at)
    select m.org_id, case when m.error_code = '131050' then 'stopped_marketing' else 'not_on_whatsapp' end, m.contact_id, m.error_code, m.failed_at
    from public.messages m
    where m.id = any (p_message_ids) and m.status = 'failed' and m.error_code in ('131050', '131026');
end
$$;

-- Inbound messages may answer a campaign; private.apply_replies finds out which. p_inserted: as worker.apply_messages hands it to
-- private.fold_inbound. The same transaction goes on to lock messages for their statuses, so it must hold no row of the ledger.
create or replace function private.note_replies(p_inserted jsonb)
returns void
language sql volatile
set search_path = ''
as $$
    insert into private.send_effects (org_id, kind, contact_id, campaign_id, whatsapp_account_id, occurred_at)
    select i.org_id, 'replied', i.contact_id, q.campaign_id, m.whatsapp_account_id, min(i.occurred_at)
    from jsonb_to_recordset(p_inserted) as i (
        id uuid, org_id uuid, contact_id uuid, occurred_at timestamptz, reply_to_message_id uuid, is_new boolean)
    join public.messages m on m.id = i.id
    left join public.messages q on q.id = i.reply_to_message_id
    where i.is_new and exists (select from public.campaigns c where c.org_id = i.org_id and c.launched_at is not null)
    group by i.org_id, i.contact_id, q.campaign_id, m.whatsapp_account_id
$$;

-- An answer goes to the campaign whose message was quoted, else to the last the person got on this number. To a campaign that held the person
-- out it is what would have come anyway.
create or replace function private.apply_replies(p_limit integer)
returns integer
language plpgsql volatile
set search_path = ''
as $$
declare
    v_replies jsonb;
begin
    with taken as (
        delete from private.send_effects e
        where e.id in (select x.id from private.send_effects x where x.kind = 'replied' order by x.id limit p_limit for update skip locked) returning e.*
    )
    select jsonb_agg(to_jsonb(t)) into v_replies from taken t;
    if v_replies is null then
        return 0;
    end if;
    with wrote as materialized (
        select w.* from jsonb_to_recordset(v_replies) as w (
            org_id uuid, contact_id uuid, campaign_id uuid, whatsapp_account_id uuid, occurred_at timestamptz)
    ), answered as materialized (
        select distinct on (w.contact_id, w.campaign_id, w.whatsapp_account_id) r.campaign_id, r.contact_id, w.occurred_at as at
        from wrote w
        join public.campaign_recipients r on r.org_id = w.org_id and r.contact_id = w.contact_id
        join public.campaigns c on c.id = r.campaign_id and c.whatsapp_account_id = w.whatsapp_account_id
        where r.status in ('queued', 'sent', 'delivered', 'read')
            and (r.campaign_id = w.campaign_id
                -- Meta's times have whole seconds.
                or (w.campaign_id is null
                    and w.occurred_at between date_trunc('second', r.queued_at) and r.queued_at + make_interval(days => c.attribution_days)))
        order by w.contact_id, w.campaign_id, w.whatsapp_account_id, r.queued_at desc, r.message_id desc, w.occurred_at
    ), held_out as materialized (
        select r.campaign_id, r.contact_id, min(w.occurred_at) as at
        from wrote w
        join public.campaign_recipients r on r.org_id = w.org_id and r.contact_id = w.contact_id and r.status = 'held_out'
        join public.campaigns c on c.id = r.campaign_id
            and w.occurred_at between date_trunc('second', c.launched_at) and c.launched_at + make_interval(days => c.attribution_days)
        group by r.campaign_id, r.contact_id
    ), wanted as materialized (
        select y.campaign_id, y.contact_id, min(y.at) as at
        from (select a.* from answered a union all select h.* from held_out h) y group by y.campaign_id, y.contact_id
    ), held as materialized (
        select r.campaign_id, r.contact_id, w.at from public.campaign_recipients r
        join wanted w on w.campaign_id = r.campaign_id and w.contact_id = r.contact_id
        -- Whoever settles messages takes their rows in several goes: to wait for one while holding others could be for ever.
        order by r.campaign_id, r.contact_id for no key update of r skip locked
    ), marked as (
        update public.campaign_recipients r set replied_at = h.at
        from held h
        where r.campaign_id = h.campaign_id and r.contact_id = h.contact_id and (r.replied_at is null or r.replied_at > h.at)
    )
    -- The others a second later.
    insert into private.send_effects (org_id, kind, contact_id, campaign_id, whatsapp_account_id, occurred_at)
    select c.org_id, 'replied', w.contact_id, w.campaign_id, c.whatsapp_account_id, w.at
    from wanted w join public.campaigns c on c.id = w.campaign_id
    where not exists (select from held h where h.campaign_id = w.campaign_id and h.contact_id = w.contact_id)
        -- Merged meanwhile: the row is gone for good.
        and exists (select from public.campaign_recipients r where r.campaign_id = w.campaign_id and r.contact_id = w.contact_id);
    return jsonb_array_length(v_replies);
end
$$;

-- sql/code/55_campaigns/65_advancing.sql

-- What moves campaigns on besides feeding: effects of refusals on contacts and campaigns, uncertain messages past their deadline, tests that
-- are over, completion, folding and telling. Called by the campaigns role, once a second.
-- Must stay true: contacts first, as everywhere; several workers at once are harmless; a completed campaign has nobody waiting or queued.

-- Refusals that say something about the person (worker.apply_user_preferences says it directly). p_effects: [{org_id, contact_id, kind, code, occurred_at}].
create or replace function private.apply_contact_effects(p_effects jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_org record;
begin
    perform c.id from public.contacts c
    where c.id in (select e.contact_id from jsonb_to_recordset(p_effects) as e (contact_id uuid))
    order by c.id for no key update;
    for v_org in
        select c.org_id, array_agg(c.id) as ids, jsonb_agg(jsonb_build_object('contact_id', c.id, 'old', c.opt_in_status, 'new', 'opted_out',
            'source', 'whatsapp', 'evidence', 'Stopped marketing in WhatsApp (' || e.code || ')', 'decided_at', e.occurred_at))
                filter (where e.kind = 'stopped_marketing' and c.opt_in_status <> 'opted_out') as consents
        from (
            select distinct on (x.contact_id, x.kind) x.* from jsonb_to_recordset(p_effects) as x (
                org_id uuid, contact_id uuid, kind text, code text, occurred_at timestamptz)
            order by x.contact_id, x.kind, x.occurred_at
        ) e
        join public.contacts c on c.id = e.contact_id and c.erased_at is null
        group by c.org_id
    loop
        if v_org.consents is not null then
            perform private.record_consents(v_org.org_id, null, v_org.consents);
        end if;
        update public.contacts c set
            opt_in_status = case when e.stopped_at is not null then 'opted_out' else c.opt_in_status end,
            opt_in_source = case when e.stopped_at is not null and c.opt_in_status <> 'opted_out' then 'whatsapp' else c.opt_in_source end,
            marketing_stopped_at = coalesce(c.marketing_stopped_at, e.stopped_at),
            -- One that wrote since is on WhatsApp.
            not_on_whatsapp_at = case when e.missing_at > coalesce(c.last_inbound_at, '-infinity') then e.missing_at else c.not_on_whatsapp_at end,
            updated_at = clock_timestamp()
        from (
            select x.contact_id, max(x.occurred_at) filter (where x.kind = 'stopped_marketing') as stopped_at,
                max(x.occurred_at) filter (where x.kind = 'not_on_whatsapp') as missing_at
            from jsonb_to_recordset(p_effects) as x (contact_id uuid, kind text, occurred_at timestamptz) group by x.contact_id
        ) e
        where c.id = e.contact_id and c.id = any (v_org.ids);
        perform private.broadcast_contacts(v_org.org_id, v_org.ids);
    end loop;
end
$$;

create or replace function private.apply_send_effects(p_limit integer)
returns integer
language plpgsql volatile
set search_path = ''
as $$
declare
    v_effects jsonb;
    v_count integer;
    v_campaign public.campaigns;
    v_code text;
begin
    with taken as (
        delete from private.send_effects e
        where e.id in (select x.id from private.send_effects x where x.kind <> 'replied' order by x.id limit p_limit for update skip locked) returning e.*
    )
    select jsonb_agg(to_jsonb(t)) into v_effects from taken t;
    if v_effects is null then
        return 0;
    end if;
    -- Nobody who holds a campaign waits for a contact, so that contacts may come first.
    perform private.apply_contact_effects((
        select jsonb_agg(e.value) from jsonb_array_elements(v_effects) e where e.value ->> 'contact_id' is not null));
    v_count := jsonb_array_length(v_effects);
    v_effects := jsonb_path_query_array(v_effects, '$[*] ? (@.kind == "pause")');
    for v_campaign in
        select c.* from public.campaigns c
        where c.status in ('sending', 'completed') and (
            c.id in (select e.campaign_id from jsonb_to_recordset(v_effects) as e (campaign_id uuid))
            -- Meta limits the number: everything it sends for campaigns stops until a person has looked.
            or (c.status = 'sending' and c.whatsapp_account_id in (
                select o.whatsapp_account_id from jsonb_to_recordset(v_effects) as e (campaign_id uuid, code text)
                join public.campaigns o on o.id = e.campaign_id where e.code in ('131048', '131064'))))
        order by c.id for no key update
    loop
        select coalesce(min(e.code) filter (where e.campaign_id = v_campaign.id), min(e.code) filter (where e.code in ('131048', '131064'))) into v_code
        from jsonb_to_recordset(v_effects) as e (campaign_id uuid, code text);
        perform private.pause(v_campaign, v_code);
    end loop;
    return v_count;
end
$$;

-- Nothing of it may leave at the moment, and nothing waits in the outbox for that moment to pass.
create or replace function private.is_held(p_campaign public.campaigns)
returns boolean
language sql immutable parallel safe
set search_path = ''
as $$ select p_campaign.status = 'paused' or (p_campaign.status = 'sending' and coalesce(p_campaign.waiting_for in ('quiet_hours', 'quality', 'account'), false)) $$;

-- What was on its way when a campaign was held up or cancelled, and came back because Meta refused it for the moment.
create or replace function private.take_back_latecomers()
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_campaign public.campaigns;
begin
    for v_campaign in
        select c.* from public.campaigns c
        where c.id in (
                select m.campaign_id from private.outbox o join public.messages m on m.id = o.message_id
                where o.lane = 2 and o.state = 'ready' and o.attempt > 0)
            and (c.status <> 'sending' or private.is_held(c))
        order by c.id for no key update skip locked
    loop
        perform private.take_back(v_campaign);
    end loop;
end
$$;

-- Uncertain for longer than the campaign waits: failed for good, or another try, whichever was chosen. Two tries more are enough.
create or replace function private.settle_overdue(p_now timestamptz, p_limit integer)
returns integer
language plpgsql volatile
set search_path = ''
as $$
declare
    v_missed jsonb;
    v_repeated uuid[];
begin
    select jsonb_agg(jsonb_build_object('message_id', x.id, 'error_code', 'WA_008')) filter (where not x.repeats),
        array_agg(x.id) filter (where x.repeats)
    into v_missed, v_repeated
    from (
        select m.id, c.uncertain_policy = 'repeat' and c.status = 'sending' and m.send_try < 2 as repeats
        from private.outbox o
        join public.messages m on m.id = o.message_id
        join public.campaigns c on c.id = m.campaign_id
        where o.state = 'uncertain' and o.intent_at <= p_now - make_interval(hours => c.uncertain_hours)
            -- One that is held up repeats when it goes on.
            and not (c.uncertain_policy = 'repeat' and private.is_held(c))
        order by m.id limit p_limit for no key update of m skip locked
    ) x;
    if v_repeated is not null then
        -- A new try: what is still heard of the old one no longer concerns this message.
        with again as (
            update private.outbox o set state = 'ready', holder = null, intent_at = null, ready_at = clock_timestamp()
            where o.message_id = any (v_repeated) and o.state = 'uncertain' returning o.message_id
        )
        update public.messages m set send_try = m.send_try + 1, is_uncertain = false, error_code = null
        from again a where m.id = a.message_id and m.is_uncertain;
        perform private.settle_ledger(v_repeated);
        perform pg_catalog.pg_notify('octopush_send', '');
    end if;
    if v_missed is not null then
        perform private.fail_messages(v_missed);
    end if;
    return coalesce(jsonb_array_length(v_missed), 0) + coalesce(cardinality(v_repeated), 0);
end
$$;

-- Adds up what happened, and says so to whoever looks on, at most once a second a campaign.
create or replace function private.tell_progress()
returns integer
language plpgsql volatile
set search_path = ''
as $$
declare
    v_org record;
    v_folded uuid[];
begin
    v_folded := private.fold_campaigns(array(
        select c.id from public.campaigns c
        where c.id in (select d.campaign_id from private.campaign_deltas d) and not exists (
            select from private.campaign_counts k where k.campaign_id = c.id and k.folded_at > clock_timestamp() - interval '900 milliseconds')));
    for v_org in select c.org_id, array_agg(c.id) as ids from public.campaigns c where c.id = any (v_folded) group by c.org_id loop
        perform private.broadcast_campaigns(v_org.org_id, v_org.ids);
    end loop;
    -- Refused for now after it was completed: somebody waits again.
    update public.campaigns c set status = 'sending', finished_at = null
    where c.id = any (v_folded) and c.status = 'completed' and (select s.waiting > 0 from private.campaign_stats s where s.campaign_id = c.id);
    return cardinality(v_folded);
end
$$;

-- A campaign that is sending and has nobody left to hand over: completed, or waiting for those Meta refused for now.
create or replace function private.finish_campaign(p_campaign public.campaigns, p_now timestamptz)
returns boolean
language plpgsql volatile
set search_path = ''
as $$
declare
    v_campaign public.campaigns;
    v_stats private.campaign_stats;
    v_next timestamptz;
begin
    select s.* into v_stats from private.campaign_stats s where s.campaign_id = p_campaign.id;
    if v_stats.waiting = 0 and v_stats.queued = (case p_campaign.uncertain_policy when 'miss' then v_stats.uncertain else 0 end) then
        update public.campaigns c set status = 'completed', waiting_for = null, resumes_at = null, finished_at = p_now, updated_at = clock_timestamp()
        where c.id = p_campaign.id returning c.* into v_campaign;
        perform private.fold_campaigns(array[v_campaign.id]);
        perform private.tell_of_campaign(v_campaign, 'campaign.completed', null);
        perform private.notify_of_campaign(v_campaign, 'campaign.completed', 'normal');
        return true;
    end if;
    if p_campaign.waiting_for is null then
        select min(r.ready_at) into v_next from public.campaign_recipients r
        where r.campaign_id = p_campaign.id and (case when r.variant is null then 1 else 0 end) = 0 and r.ready_at is not null;
        perform private.hold_campaign(p_campaign, null, case when v_next > p_now then v_next end);
    end if;
    return false;
end
$$;

create or replace function worker.advance_campaigns()
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_now timestamptz := private.clock();
    v_campaign public.campaigns;
    v_count integer;
begin
    v_count := private.apply_send_effects(1000) + private.settle_overdue(v_now, 1000);
    perform private.take_back_latecomers();
    perform private.tell_progress();
    perform private.fold_portfolios(v_now);
    for v_campaign in
        select c.* from public.campaigns c where c.status = 'sending' order by c.id for no key update skip locked
    loop
        if v_campaign.test is not null and v_campaign.winner is null then
            if private.advance_test(v_campaign, v_now) then
                v_count := v_count + 1;
            end if;
            select c.* into v_campaign from public.campaigns c where c.id = v_campaign.id;
        end if;
        if private.finish_campaign(v_campaign, v_now) then
            v_count := v_count + 1;
        end if;
    end loop;
    -- Last: whoever settles messages waits for rows of the ledger, so nothing is waited for once these are held.
    perform private.apply_replies(5000);
    return v_count;
end
$$;
comment on function worker.advance_campaigns() is 'Does what is due for campaigns that were launched; how much it did.';

-- sql/code/55_campaigns/67_people.sql

-- Contacts as campaigns see them change: numbers that are new, marketing stopped or resumed in WhatsApp, people who are merged or erased.
-- Called by triggers, by the applier of webhooks, and by 30_contacts/70_merge.sql and 80_erase.sql.
-- Must stay true: nobody is a recipient of a campaign twice; the ledger's counts outlive the person; resuming restores a consent that the
-- stop withdrew, and makes none.

create or replace function private.forget_unreachable()
returns trigger
language plpgsql volatile
set search_path = ''
as $$
begin
    new.not_on_whatsapp_at := null;
    return new;
end
$$;

create or replace trigger contacts__forget_unreachable before update of phone, wa_id on public.contacts
    for each row when (new.not_on_whatsapp_at is not null and (new.phone is distinct from old.phone or new.wa_id is distinct from old.wa_id))
    execute function private.forget_unreachable();

-- p_events: [{webhook_event_id, phone_number_id, wa_id, user_id, category, value, occurred_at}]. The scope is the organisation whose number it
-- is. Called first of an applier's batch: it locks contacts. Values other than stop and resume are no consent (reference/whatsapp.md §5.8).
create or replace function worker.apply_user_preferences(p_events jsonb)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_events jsonb;
    v_org record;
begin
    with last as (
        select distinct on (c.id) c.org_id, c.id as contact_id, e.value, e.occurred_at
        from jsonb_to_recordset(p_events) as e (phone_number_id text, wa_id text, user_id text, category text, value text, occurred_at timestamptz)
        join public.whatsapp_accounts a on a.phone_number_id = e.phone_number_id and a.is_receiving
        join public.contacts c on c.org_id = a.org_id and c.erased_at is null
            and (c.wa_id = e.wa_id or c.bsuid = e.user_id or (c.wa_id is null and c.phone = '+' || e.wa_id))
        where e.category = 'marketing_messages' and e.value in ('stop', 'resume')
        order by c.id, e.occurred_at desc
    )
    select jsonb_agg(jsonb_build_object('org_id', l.org_id, 'contact_id', l.contact_id, 'value', l.value, 'kind', 'stopped_marketing',
        'code', 'user_preferences', 'occurred_at', coalesce(l.occurred_at, clock_timestamp()))) into v_events
    from last l;
    if v_events is null then
        return;
    end if;
    perform c.id from public.contacts c
    where c.id in (select e.contact_id from jsonb_to_recordset(v_events) as e (contact_id uuid)) order by c.id for no key update;
    -- What somebody has put on record since, this person's later word among it, holds.
    select jsonb_agg(e.value) into v_events from jsonb_array_elements(v_events) e
    where not exists (
        select from public.contact_consents x
        where x.org_id = (e.value ->> 'org_id')::uuid and x.contact_id = (e.value ->> 'contact_id')::uuid
            and x.decided_at > (e.value ->> 'occurred_at')::timestamptz);
    perform private.apply_contact_effects(jsonb_path_query_array(v_events, '$[*] ? (@.value == "stop")'));
    for v_org in
        select e.org_id, array_agg(e.contact_id) as ids from jsonb_to_recordset(v_events) as e (org_id uuid, contact_id uuid, value text)
        where e.value = 'resume' group by e.org_id
    loop
        perform private.resume_marketing(v_org.org_id, v_org.ids, v_events);
    end loop;
end
$$;
comment on function worker.apply_user_preferences(jsonb) is
    '[{webhook_event_id, phone_number_id, wa_id, user_id, category, value stop|resume, occurred_at}]: who stopped our marketing inside WhatsApp opts out, who resumes it has the consent back that the stop took.';

-- The contacts are locked. A consent comes back only if the stop is what ended it.
create or replace function private.resume_marketing(p_org_id uuid, p_contact_ids uuid[], p_events jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_back jsonb;
begin
    select jsonb_agg(jsonb_build_object('contact_id', c.id, 'old', 'opted_out', 'new', 'opted_in', 'source', 'whatsapp',
        'evidence', 'Resumed marketing in WhatsApp', 'decided_at', e.occurred_at))
    into v_back
    from public.contacts c
    join jsonb_to_recordset(p_events) as e (contact_id uuid, occurred_at timestamptz) on e.contact_id = c.id
    cross join lateral (
        select x.old_status, x.evidence from public.contact_consents x
        where x.org_id = p_org_id and x.contact_id = c.id order by x.created_at desc, x.id desc limit 1
    ) h
    where c.id = any (p_contact_ids) and c.opt_in_status = 'opted_out' and c.marketing_stopped_at is not null
        and h.old_status = 'opted_in' and h.evidence like 'Stopped marketing in WhatsApp%';
    if v_back is not null then
        perform private.record_consents(p_org_id, null, v_back);
    end if;
    update public.contacts c set
        marketing_stopped_at = null,
        opt_in_status = coalesce(b.new, c.opt_in_status), opt_in_source = coalesce(b.source, c.opt_in_source),
        opt_in_at = coalesce(b.decided_at, c.opt_in_at), updated_at = clock_timestamp()
    from public.contacts o
    left join jsonb_to_recordset(coalesce(v_back, '[]')) as b (contact_id uuid, new text, source text, decided_at timestamptz) on b.contact_id = o.id
    where o.id = c.id and c.id = any (p_contact_ids);
    perform private.broadcast_contacts(p_org_id, p_contact_ids);
end
$$;

-- The ledger of p_from becomes p_to's. Where both were recipients of a campaign the row that got further stays. Both contacts are locked, and
-- their messages have moved.
create or replace function private.move_recipients(p_from uuid, p_to uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_rank text[] := array['excluded', 'held_out', 'waiting', 'failed', 'queued', 'sent', 'delivered', 'read'];
    v_unsent uuid[];
begin
    perform r.contact_id from public.campaign_recipients r
    join public.contacts c on c.id = p_to and c.org_id = r.org_id
    where r.contact_id in (p_from, p_to) order by r.campaign_id, r.contact_id for no key update of r;
    with both_sides as (
        select r.campaign_id, (array_agg(r.contact_id order by array_position(v_rank, r.status), r.contact_id = p_to))[1] as lesser
        from public.campaign_recipients r join public.contacts c on c.id = p_to and c.org_id = r.org_id
        where r.contact_id in (p_from, p_to) group by r.campaign_id having count(*) = 2
    ), gone as (
        delete from public.campaign_recipients r using both_sides b where r.campaign_id = b.campaign_id and r.contact_id = b.lesser returning r.*
    ), answered as (
        -- Whoever of the two answered. Clicks and opportunities follow with their own rows (private.move_links).
        update public.campaign_recipients r set replied_at = least(r.replied_at, g.replied_at)
        from gone g
        where r.campaign_id = g.campaign_id and r.contact_id in (p_from, p_to) and r.contact_id <> g.contact_id
            and g.replied_at < coalesce(r.replied_at, 'infinity')
    )
    select array_agg(g.message_id) into v_unsent from gone g where g.status = 'queued';
    -- Two messages to one person: the one that has not left does not. The merge holds the messages.
    with taken as (
        delete from private.outbox o where o.message_id = any (v_unsent) and o.state = 'ready' returning o.message_id
    )
    update public.messages m set status = 'failed', failed_at = clock_timestamp(), error_code = 'CONTACT_010'
    from taken t where m.id = t.message_id;
    update public.campaign_recipients r set contact_id = p_to
    from public.contacts c where c.id = p_to and r.org_id = c.org_id and r.contact_id = p_from;
    update private.send_effects e set contact_id = p_to where e.contact_id = p_from;
end
$$;

-- The contact is locked, its messages are blanked, and those that had not left have failed. What had left stays counted.
create or replace function private.erase_recipients(p_org_id uuid, p_contact_id uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform r.contact_id from public.campaign_recipients r
    where r.org_id = p_org_id and r.contact_id = p_contact_id order by r.campaign_id for no key update;
    update public.campaign_recipients r set
        status = case r.status when 'waiting' then 'excluded' when 'queued' then 'failed' else r.status end,
        exclusion_reason = case r.status when 'waiting' then 'erased' else r.exclusion_reason end,
        error_code = case r.status when 'queued' then 'CONTACT_010' when 'waiting' then null else r.error_code end,
        failed_at = case r.status when 'queued' then private.clock() else r.failed_at end,
        ready_at = null, is_uncertain = false, error_message = null
    where r.org_id = p_org_id and r.contact_id = p_contact_id and (r.status in ('waiting', 'queued') or r.error_message is not null);
    delete from private.send_effects e where e.contact_id = p_contact_id;
end
$$;

-- sql/code/55_campaigns/70_counters.sql

-- Counts of the ledger, kept by statement triggers that append and by a worker that folds; row triggers on a sending campaign would cost
-- forty times as much (design §10). Called by nobody: the triggers fire, worker.advance_campaigns folds.
-- Must stay true: counts + deltas equal a recount at every moment; sent, delivered and read mean "reached at least", so that
-- total = excluded + held_out + waiting + queued + sent + failed.

create or replace function private.count_new_recipients()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.campaign_deltas (campaign_id, variant, total, excluded, held_out, waiting, queued, sent, delivered, read, replied, clicked,
        opportunities, failed, uncertain, held_out_replied, held_out_opportunities)
    select x.campaign_id, coalesce(x.variant, 0), sum(x.sign), coalesce(sum(x.sign) filter (where x.status = 'excluded'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'waiting'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'queued'), 0),
        coalesce(sum(x.sign) filter (where x.status in ('sent', 'delivered', 'read')), 0),
        coalesce(sum(x.sign) filter (where x.status in ('delivered', 'read')), 0),
        coalesce(sum(x.sign) filter (where x.status = 'read'), 0),
        coalesce(sum(x.sign) filter (where x.replied_at is not null and x.status <> 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.clicked_at is not null), 0),
        coalesce(sum(x.sign) filter (where x.opportunity_at is not null and x.status <> 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'failed'), 0),
        coalesce(sum(x.sign) filter (where x.is_uncertain), 0),
        coalesce(sum(x.sign) filter (where x.replied_at is not null and x.status = 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.opportunity_at is not null and x.status = 'held_out'), 0)
    from (select 1 as sign, n.* from new_rows n) x
    group by x.campaign_id, coalesce(x.variant, 0);
    insert into private.campaign_reasons (campaign_id, is_failure, reason, recipients)
    select x.campaign_id, x.status = 'failed', coalesce(x.exclusion_reason, x.error_code, ''), sum(x.sign)
    from (select 1 as sign, n.* from new_rows n) x
    where x.status in ('excluded', 'failed')
    group by 1, 2, 3 having sum(x.sign) <> 0;
    return null;
end
$$;

create or replace function private.count_gone_recipients()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.campaign_deltas (campaign_id, variant, total, excluded, held_out, waiting, queued, sent, delivered, read, replied, clicked,
        opportunities, failed, uncertain, held_out_replied, held_out_opportunities)
    select x.campaign_id, coalesce(x.variant, 0), sum(x.sign), coalesce(sum(x.sign) filter (where x.status = 'excluded'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'waiting'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'queued'), 0),
        coalesce(sum(x.sign) filter (where x.status in ('sent', 'delivered', 'read')), 0),
        coalesce(sum(x.sign) filter (where x.status in ('delivered', 'read')), 0),
        coalesce(sum(x.sign) filter (where x.status = 'read'), 0),
        coalesce(sum(x.sign) filter (where x.replied_at is not null and x.status <> 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.clicked_at is not null), 0),
        coalesce(sum(x.sign) filter (where x.opportunity_at is not null and x.status <> 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'failed'), 0),
        coalesce(sum(x.sign) filter (where x.is_uncertain), 0),
        coalesce(sum(x.sign) filter (where x.replied_at is not null and x.status = 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.opportunity_at is not null and x.status = 'held_out'), 0)
    from (
        -- Gone with its campaign: nobody would ever fold it.
        select -1 as sign, o.* from old_rows o where exists (select from public.campaigns c where c.id = o.campaign_id)
    ) x
    group by x.campaign_id, coalesce(x.variant, 0);
    insert into private.campaign_reasons (campaign_id, is_failure, reason, recipients)
    select x.campaign_id, x.status = 'failed', coalesce(x.exclusion_reason, x.error_code, ''), sum(x.sign)
    from (select -1 as sign, o.* from old_rows o where exists (select from public.campaigns c where c.id = o.campaign_id)) x
    where x.status in ('excluded', 'failed')
    group by 1, 2, 3 having sum(x.sign) <> 0;
    return null;
end
$$;

create or replace function private.count_changed_recipients()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.campaign_deltas (campaign_id, variant, total, excluded, held_out, waiting, queued, sent, delivered, read, replied, clicked,
        opportunities, failed, uncertain, held_out_replied, held_out_opportunities)
    select x.campaign_id, coalesce(x.variant, 0), sum(x.sign), coalesce(sum(x.sign) filter (where x.status = 'excluded'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'waiting'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'queued'), 0),
        coalesce(sum(x.sign) filter (where x.status in ('sent', 'delivered', 'read')), 0),
        coalesce(sum(x.sign) filter (where x.status in ('delivered', 'read')), 0),
        coalesce(sum(x.sign) filter (where x.status = 'read'), 0),
        coalesce(sum(x.sign) filter (where x.replied_at is not null and x.status <> 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.clicked_at is not null), 0),
        coalesce(sum(x.sign) filter (where x.opportunity_at is not null and x.status <> 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'failed'), 0),
        coalesce(sum(x.sign) filter (where x.is_uncertain), 0),
        coalesce(sum(x.sign) filter (where x.replied_at is not null and x.status = 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.opportunity_at is not null and x.status = 'held_out'), 0)
    from (select 1 as sign, n.* from new_rows n union all select -1, o.* from old_rows o) x
    group by x.campaign_id, coalesce(x.variant, 0);
    insert into private.campaign_reasons (campaign_id, is_failure, reason, recipients)
    select x.campaign_id, x.status = 'failed', coalesce(x.exclusion_reason, x.error_code, ''), sum(x.sign)
    from (select 1 as sign, n.* from new_rows n union all select -1, o.* from old_rows o) x
    where x.status in ('excluded', 'failed')
    group by 1, 2, 3 having sum(x.sign) <> 0;
    return null;
end
$$;

create or replace trigger campaign_recipients__count_insert after insert on public.campaign_recipients
    referencing new table as new_rows for each statement execute function private.count_new_recipients();
create or replace trigger campaign_recipients__count_update after update on public.campaign_recipients
    referencing old table as old_rows new table as new_rows for each statement execute function private.count_changed_recipients();
create or replace trigger campaign_recipients__count_delete after delete on public.campaign_recipients
    referencing old table as old_rows for each statement execute function private.count_gone_recipients();

-- In place of a key from the ledger.
create or replace function private.forget_deleted_campaigns()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    delete from public.campaign_recipients r using old_rows o where r.campaign_id = o.id;
    delete from private.campaign_deltas d using old_rows o where d.campaign_id = o.id;
    delete from private.campaign_reasons x using old_rows o where x.campaign_id = o.id;
    delete from private.send_effects e using old_rows o where e.campaign_id = o.id;
    return null;
end
$$;
create or replace trigger campaigns__forget after delete on public.campaigns
    referencing old table as old_rows for each statement execute function private.forget_deleted_campaigns();

-- Adds up what was appended for these campaigns; those that had anything. Rows another worker is folding are left to it.
create or replace function private.fold_campaigns(p_campaign_ids uuid[])
returns uuid[]
language plpgsql volatile
set search_path = ''
as $$
declare
    v_folded uuid[];
begin
    with taken as (
        delete from private.campaign_reasons x
        where x.id in (
            select y.id from private.campaign_reasons y
            where y.campaign_id in (
                select z.campaign_id from private.campaign_reasons z where z.campaign_id = any (p_campaign_ids) group by z.campaign_id having count(*) > 100)
            for update skip locked)
        returning x.*
    )
    insert into private.campaign_reasons (campaign_id, is_failure, reason, recipients)
    select t.campaign_id, t.is_failure, t.reason, sum(t.recipients) from taken t group by 1, 2, 3 having sum(t.recipients) <> 0;
    with taken as (
        delete from private.campaign_deltas d
        where d.id in (select x.id from private.campaign_deltas x where x.campaign_id = any (p_campaign_ids) for update skip locked)
        returning d.*
    ), folded as (
        insert into private.campaign_counts as k (campaign_id, variant, total, excluded, held_out, waiting, queued, sent, delivered, read,
            replied, clicked, opportunities, failed, uncertain, held_out_replied, held_out_opportunities, folded_at)
        select t.campaign_id, t.variant, sum(t.total), sum(t.excluded), sum(t.held_out), sum(t.waiting), sum(t.queued), sum(t.sent),
            sum(t.delivered), sum(t.read),
            sum(t.replied), sum(t.clicked), sum(t.opportunities), sum(t.failed), sum(t.uncertain), sum(t.held_out_replied),
                sum(t.held_out_opportunities), clock_timestamp()
        from taken t
        -- In one order: two workers may fold the same campaign.
        group by t.campaign_id, t.variant order by t.campaign_id, t.variant
        on conflict (campaign_id, variant) do update set
            total = k.total + excluded.total, excluded = k.excluded + excluded.excluded, held_out = k.held_out + excluded.held_out,
            waiting = k.waiting + excluded.waiting, queued = k.queued + excluded.queued, sent = k.sent + excluded.sent,
            delivered = k.delivered + excluded.delivered, read = k.read + excluded.read, replied = k.replied + excluded.replied,
            clicked = k.clicked + excluded.clicked, opportunities = k.opportunities + excluded.opportunities, failed = k.failed + excluded.failed,
            uncertain = k.uncertain + excluded.uncertain, held_out_replied = k.held_out_replied + excluded.held_out_replied,
                held_out_opportunities = k.held_out_opportunities + excluded.held_out_opportunities,
            folded_at = excluded.folded_at
        returning k.campaign_id
    )
    select coalesce(array_agg(distinct f.campaign_id), '{}') into v_folded from folded f;
    return v_folded;
end
$$;

-- By variant, 0 for those without one, as of now.
create or replace view private.campaign_variant_stats as
select x.campaign_id, x.variant, sum(x.total)::bigint as total, sum(x.excluded)::bigint as excluded, sum(x.held_out)::bigint as held_out,
    sum(x.waiting)::bigint as waiting, sum(x.queued)::bigint as queued, sum(x.sent)::bigint as sent, sum(x.delivered)::bigint as delivered,
    sum(x.read)::bigint as read, sum(x.replied)::bigint as replied, sum(x.clicked)::bigint as clicked, sum(x.opportunities)::bigint as
    opportunities, sum(x.failed)::bigint as failed, sum(x.uncertain)::bigint as uncertain, sum(x.held_out_replied)::bigint as held_out_replied,
    sum(x.held_out_opportunities)::bigint as held_out_opportunities
from (
    select k.campaign_id, k.variant, k.total, k.excluded, k.held_out, k.waiting, k.queued, k.sent, k.delivered, k.read, k.replied, k.clicked,
        k.opportunities, k.failed, k.uncertain, k.held_out_replied, k.held_out_opportunities from private.campaign_counts k
    union all
    select d.campaign_id, d.variant, d.total, d.excluded, d.held_out, d.waiting, d.queued, d.sent, d.delivered, d.read, d.replied, d.clicked,
        d.opportunities, d.failed, d.uncertain, d.held_out_replied, d.held_out_opportunities from private.campaign_deltas d
) x
group by x.campaign_id, x.variant;

create or replace view private.campaign_stats as
select c.id as campaign_id, c.org_id, coalesce(sum(v.total), 0)::bigint as total, coalesce(sum(v.excluded), 0)::bigint as excluded,
    coalesce(sum(v.held_out), 0)::bigint as held_out, coalesce(sum(v.waiting), 0)::bigint as waiting, coalesce(sum(v.queued), 0)::bigint as queued,
    coalesce(sum(v.sent), 0)::bigint as sent, coalesce(sum(v.delivered), 0)::bigint as delivered, coalesce(sum(v.read), 0)::bigint as read,
    coalesce(sum(v.replied), 0)::bigint as replied, coalesce(sum(v.clicked), 0)::bigint as clicked, coalesce(sum(v.opportunities), 0)::bigint as
    opportunities, coalesce(sum(v.failed), 0)::bigint as failed, coalesce(sum(v.uncertain), 0)::bigint as uncertain,
    coalesce(sum(v.held_out_replied), 0)::bigint as held_out_replied, coalesce(sum(v.held_out_opportunities), 0)::bigint as held_out_opportunities
from public.campaigns c left join private.campaign_variant_stats v on v.campaign_id = c.id
group by c.id, c.org_id;

-- {reason: recipients} of those left out, {code: recipients} of those that failed.
create or replace function private.reasons_of(p_campaign_id uuid, p_is_failure boolean)
returns jsonb
language sql stable
set search_path = ''
as $$
    select coalesce(jsonb_object_agg(x.reason, x.recipients), '{}') from (
        select r.reason, sum(r.recipients) as recipients from private.campaign_reasons r
        where r.campaign_id = p_campaign_id and r.is_failure = p_is_failure group by r.reason having sum(r.recipients) <> 0
    ) x
$$;

create or replace function private.stats_of(p_campaign_id uuid)
returns jsonb
language sql stable
set search_path = ''
as $$
    select jsonb_build_object('total', coalesce(sum(v.total), 0), 'excluded', coalesce(sum(v.excluded), 0), 'held_out',
        coalesce(sum(v.held_out), 0), 'waiting', coalesce(sum(v.waiting), 0), 'queued', coalesce(sum(v.queued), 0), 'sent', coalesce(sum(v.sent),
        0), 'delivered', coalesce(sum(v.delivered), 0), 'read', coalesce(sum(v.read), 0), 'replied', coalesce(sum(v.replied), 0), 'clicked',
        coalesce(sum(v.clicked), 0), 'opportunities', coalesce(sum(v.opportunities), 0), 'failed', coalesce(sum(v.failed), 0), 'uncertain',
        coalesce(sum(v.uncertain), 0), 'held_out_replied', coalesce(sum(v.held_out_replied), 0), 'held_out_opportunities',
        coalesce(sum(v.held_out_opportunities), 0))
    from private.campaign_variant_stats v where v.campaign_id = p_campaign_id
$$;

-- sql/code/55_campaigns/75_tests.sql

-- A/B tests: when the test share has had its time, who won, and the rest getting what won. Called by worker.advance_campaigns and the web UI.
-- Must stay true: a winner is chosen once; the comparison is octopush.compare_variants, for people and for the automatic choice.

-- By what the campaign's test measures, of those whose message arrived.
create or replace function private.test_comparison(p_campaign public.campaigns)
returns jsonb
language sql stable
set search_path = ''
as $$
    select octopush.compare_variants(coalesce(jsonb_agg(jsonb_build_object('variant', v.position, 'delivered', coalesce(s.delivered, 0),
        'successes', coalesce(case when p_campaign.test ->> 'measure' = 'reply' then s.replied else s.read end, 0)) order by v.position), '[]'))
    from public.campaign_variants v
    left join private.campaign_variant_stats s on s.campaign_id = v.campaign_id and s.variant = v.position
    where v.campaign_id = p_campaign.id
$$;

create or replace function private.set_winner(p_campaign public.campaigns, p_variant integer)
returns public.campaigns
language plpgsql volatile
set search_path = ''
as $$
declare
    v_campaign public.campaigns;
begin
    update public.campaigns c set winner = p_variant, waiting_for = null, resumes_at = null, updated_at = clock_timestamp()
    where c.id = p_campaign.id returning c.* into v_campaign;
    perform private.tell_of_campaign(v_campaign, 'campaign.winner_chosen', (select auth.uid()));
    perform pg_catalog.pg_notify('octopush_campaigns', '');
    return v_campaign;
end
$$;

-- The caller holds the campaign, which has a test and no winner. True when something was decided.
create or replace function private.advance_test(p_campaign public.campaigns, p_now timestamptz)
returns boolean
language plpgsql volatile
set search_path = ''
as $$
declare
    v_comparison jsonb;
    v_hours integer := (p_campaign.test ->> 'hours')::integer;
begin
    if p_campaign.tested_at is null then
        -- People whom Meta lets wait for a day do not hold the test up.
        if not exists (
                select from public.campaign_recipients r
                where r.campaign_id = p_campaign.id and (case when r.variant is null then 1 else 0 end) = 0 and r.ready_at <= p_now)
            and (select s.queued = s.uncertain and s.waiting > 0 from private.campaign_stats s where s.campaign_id = p_campaign.id)
        then
            update public.campaigns c set tested_at = p_now, waiting_for = 'test', resumes_at = p_now + make_interval(hours => v_hours)
            where c.id = p_campaign.id;
            perform private.broadcast_campaigns(p_campaign.org_id, array[p_campaign.id]);
        end if;
        return false;
    end if;
    -- What holds it up is told; the test speaks afterwards.
    if private.is_held(p_campaign) then
        return false;
    end if;
    if p_now < p_campaign.tested_at + make_interval(hours => v_hours) then
        perform private.hold_campaign(p_campaign, 'test', p_campaign.tested_at + make_interval(hours => v_hours));
        return false;
    end if;
    if p_campaign.test ->> 'choose' = 'manual' then
        if p_campaign.waiting_for is null or p_campaign.resumes_at is not null then
            perform private.hold_campaign(p_campaign, 'test', null);
            perform private.notify_of_campaign(p_campaign, 'campaign.test_ended', 'high');
        end if;
        return false;
    end if;
    v_comparison := private.test_comparison(p_campaign);
    perform private.set_winner(p_campaign, coalesce((v_comparison ->> 'winner')::integer, (
        -- The test could not tell: then the better of those that may be equal, and the first of those that are.
        select (r.value ->> 'variant')::integer from jsonb_array_elements(v_comparison -> 'rates') r
        order by (r.value ->> 'rate')::numeric desc nulls last, (r.value ->> 'variant')::integer limit 1)));
    return true;
end
$$;

create or replace function public.choose_winner(p_id uuid, p_variant integer)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status not in ('sending', 'paused') or v_campaign.test is null or v_campaign.winner is not null then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    if not exists (select from public.campaign_variants v where v.campaign_id = p_id and v.position = p_variant) then
        perform private.refuse_campaign_field('winner', 'wrong_value', 'There is no such variant');
    end if;
    return private.set_winner(v_campaign, p_variant);
end
$$;
comment on function public.choose_winner(uuid, integer) is
    'The rest of the audience gets this variant, now. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005, CAMPAIGN_009.';

-- sql/code/55_campaigns/80_recipients.sql

-- The ledger as people read it: page by page, searched, filtered, and as a file. Called by the campaign's page, and by the jobs worker through
-- 65_jobs/50_exports.sql.
-- Must stay true: members of the organisation only; a page is found by the ledger's key, whatever its size.

create or replace function private.recipient_row(p_recipient public.campaign_recipients, p_full_name text, p_phone text)
returns jsonb
language sql immutable
set search_path = ''
as $$ select to_jsonb(p_recipient) - array['org_id', 'campaign_id'] || jsonb_build_object('full_name', p_full_name, 'phone', p_phone) $$;

create or replace function public.list_recipients(
    p_id uuid, p_search text default null, p_statuses text[] default null, p_limit integer default 50, p_after text default null
) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_read(p_id);
    v_limit integer := least(greatest(coalesce(p_limit, 50), 1), 200);
    v_after uuid;
    v_ids uuid[];
    v_rows jsonb;
    v_search text := nullif(btrim(p_search), '');
begin
    begin
        v_after := coalesce(p_after, '00000000-0000-0000-0000-000000000000')::uuid;
    exception when data_exception then
        perform private.refuse_campaign_field('after', 'wrong_value', 'This is not the end of a page');
    end;
    if v_search is null then
        v_ids := array(
            select r.contact_id from public.campaign_recipients r
            where r.campaign_id = p_id and r.contact_id > v_after and (p_statuses is null or r.status = any (p_statuses))
            order by r.contact_id limit v_limit + 1);
    else
        v_ids := array(
            select r.contact_id from private.found_contacts(v_campaign.org_id, v_search) f (id)
            join public.campaign_recipients r on r.campaign_id = p_id and r.contact_id = f.id
            where r.contact_id > v_after and (p_statuses is null or r.status = any (p_statuses))
            order by r.contact_id limit v_limit + 1);
    end if;
    select coalesce(jsonb_agg(private.recipient_row(r, c.full_name, coalesce(c.phone, '+' || c.wa_id)) order by i.place), '[]') into v_rows
    from unnest(v_ids) with ordinality i (id, place)
    join public.campaign_recipients r on r.campaign_id = p_id and r.contact_id = i.id
    left join public.contacts c on c.id = r.contact_id
    where i.place <= v_limit;
    return jsonb_build_object('recipients', v_rows, 'next', case when cardinality(v_ids) > v_limit then v_ids[v_limit] end);
end
$$;
comment on function public.list_recipients(uuid, text, text[], integer, text) is
    'The ledger, oldest contact first: {"recipients": [columns + "full_name", "phone"], "next"}; p_after: next of the page before. Errors: AUTH_002, CAMPAIGN_001, CAMPAIGN_009.';

-- Contacts outside the trash that a search finds.
create or replace function private.found_contacts(p_org_id uuid, p_search text)
returns setof uuid
language sql stable rows 1000
set search_path = ''
as $$ select s from private.selected_contacts(p_org_id, jsonb_build_object('search', p_search)) s $$;

create or replace function public.export_recipients(p_id uuid)
returns public.jobs
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_read(p_id);
begin
    perform private.require_permission(v_campaign.org_id, 'contacts.bulk');
    return private.create_job(v_campaign.org_id, 'export', jsonb_build_object('campaign_id', p_id));
end
$$;
comment on function public.export_recipients(uuid) is
    'Writes the ledger of a campaign into a CSV file; result {"path", "rows"}, path in bucket exports. Errors: AUTH_003, CAMPAIGN_001, JOB_005.';

create or replace function private.recipient_header()
returns text[]
language sql immutable parallel safe
set search_path = ''
as $$
    select array['Phone', 'Name', 'Status', 'Variant', 'Left out because', 'Queued', 'Sent', 'Delivered', 'Read', 'Replied', 'Clicked', 'Opportunity',
        'Failed', 'Error', 'Uncertain']
$$;

-- Cells of these recipients, by contact; a contact that was merged since has none.
create or replace function private.recipient_cells(p_campaign_id uuid, p_contact_ids uuid[], p_zone text)
returns table (contact_id uuid, cells text[])
language sql stable
set search_path = ''
as $$
    select r.contact_id, array[coalesce(c.phone, '+' || c.wa_id, ''), coalesce(c.full_name, ''), r.status, coalesce(r.variant::text, ''),
        coalesce(r.exclusion_reason, '')] || array(
            select coalesce(to_char(t at time zone p_zone, 'YYYY-MM-DD HH24:MI:SS'), '')
            from unnest(array[r.queued_at, r.sent_at, r.delivered_at, r.read_at, r.replied_at, r.clicked_at, r.opportunity_at, r.failed_at])
                with ordinality x (t, place) order by x.place)
        || array[coalesce(r.error_code, ''), case when r.is_uncertain then 'yes' else '' end]
    from public.campaign_recipients r
    left join public.contacts c on c.id = r.contact_id
    where r.campaign_id = p_campaign_id and r.contact_id = any (p_contact_ids)
$$;

-- sql/code/55_campaigns/85_reading.sql

-- Campaigns as the list and the detail page show them. Called by the web UI and supabase-js.
-- Must stay true: every figure comes from the folded counts and what waits to be folded, never from a count of the ledger, so that a campaign
-- to a million people is read as fast as one to ten.

create or replace function private.audience_name(p_campaign public.campaigns)
returns text
language sql stable
set search_path = ''
as $$
    select case
        when p_campaign.audience is null then null
        when p_campaign.audience ? 'segment_id' then (
            select s.name from public.segments s where s.org_id = p_campaign.org_id and s.id::text = p_campaign.audience ->> 'segment_id')
        when p_campaign.audience ? 'ids' then case jsonb_array_length(p_campaign.audience -> 'ids') when 1 then '1 contact'
            else jsonb_array_length(p_campaign.audience -> 'ids') || ' contacts' end
        when coalesce(btrim(p_campaign.audience ->> 'search'), '') = '' and coalesce(p_campaign.audience -> 'rules', 'null') = 'null' then 'All contacts'
        else 'Chosen contacts' end
$$;

-- What was spent: delivered messages at the average price of those planned (Meta charges on delivery).
create or replace function private.spent(p_campaign public.campaigns, p_delivered bigint)
returns jsonb
language sql stable
set search_path = ''
as $$
    select case when p_campaign.planned_cost is not null then jsonb_build_object('currency', p_campaign.planned_cost ->> 'currency',
        'amount', coalesce(round((p_campaign.planned_cost ->> 'amount')::numeric * p_delivered / nullif((p_campaign.planned_cost ->> 'messages')::numeric, 0), 4), 0),
        'planned', p_campaign.planned_cost -> 'amount') end
$$;

create or replace function public.list_campaigns(
    p_org_id uuid, p_search text default null, p_statuses text[] default null, p_from timestamptz default null, p_to timestamptz default null,
    p_created_by uuid default null, p_limit integer default 25, p_offset integer default 0
) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_search text := '%' || replace(replace(replace(lower(btrim(p_search)), '\', '\\'), '%', '\%'), '_', '\_') || '%';
    v_ids uuid[];
    v_limit integer := least(greatest(coalesce(p_limit, 25), 1), 100);
    v_offset integer := greatest(coalesce(p_offset, 0), 0);
begin
    perform private.require_permission(p_org_id, 'read');
    v_ids := array(
        select c.id from public.campaigns c
        where c.org_id = p_org_id and (v_search is null or lower(c.name) like v_search) and (p_statuses is null or c.status = any (p_statuses))
            and (p_from is null or c.created_at >= p_from) and (p_to is null or c.created_at <= p_to)
            and (p_created_by is null or c.created_by = p_created_by)
        order by c.created_at desc, c.id desc);
    return jsonb_build_object('total', cardinality(v_ids), 'campaigns', coalesce((
        select jsonb_agg(to_jsonb(c) || private.stats_of(c.id) || jsonb_build_object('created_by_name', p.full_name, 'audience_name', private.audience_name(c))
            order by i.place)
        from unnest(v_ids[v_offset + 1 : v_offset + v_limit]) with ordinality i (id, place)
        join public.campaigns c on c.id = i.id
        left join public.profiles p on p.user_id = c.created_by), '[]'));
end
$$;
comment on function public.list_campaigns(uuid, text, text[], timestamptz, timestamptz, uuid, integer, integer) is
    'Newest first: {"total", "campaigns": [columns + counts + "created_by_name", "audience_name"]}. Errors: AUTH_002, ORG_001.';

-- What the message changed: those who got it against those held out by chance, by opportunities and by answers.
create or replace function private.campaign_lift(p_campaign public.campaigns, p_stats jsonb)
returns jsonb
language sql stable
set search_path = ''
as $$
    with measured as (
        select x.measure, x.treated, x.held_out, octopush.compare_variants(jsonb_build_array(
            jsonb_build_object('variant', 1, 'delivered', n.treated, 'successes', x.treated),
            jsonb_build_object('variant', 2, 'delivered', n.held_out, 'successes', x.held_out))) as comparison, n.treated as of_treated, n.held_out as of_held_out
        from (select (p_stats ->> 'delivered')::numeric as treated, (p_stats ->> 'held_out')::numeric as held_out) n,
            (values ('opportunities', (p_stats ->> 'opportunities')::numeric, (p_stats ->> 'held_out_opportunities')::numeric),
                ('replies', (p_stats ->> 'replied')::numeric, (p_stats ->> 'held_out_replied')::numeric)) x (measure, treated, held_out)
        where n.held_out > 0
    ), said as (
        select m.*, round(100 * m.treated / nullif(m.of_treated, 0), 1) as treated_percent, round(100 * m.held_out / m.of_held_out, 1) as held_out_percent
        from measured m
    )
    select jsonb_object_agg(s.measure, jsonb_build_object('treated', s.treated, 'held_out', s.held_out, 'treated_percent', s.treated_percent,
            'held_out_percent', s.held_out_percent, 'is_certain', s.comparison -> 'winner' <> 'null', 'p_value', s.comparison -> 'p_value'))
        || jsonb_build_object('treated', max(s.of_treated), 'held_out', max(s.of_held_out), 'sentence', string_agg(
            case s.measure when 'opportunities' then 'Opportunities' else 'Replies' end || ': ' || coalesce(s.treated_percent::text, '0.0')
                || ' % of those who got it, ' || s.held_out_percent || ' % of those held out; '
                || case when s.comparison -> 'winner' <> 'null' then 'more than chance would explain.' else 'chance alone may explain that.' end, ' ' order by s.measure))
    from said s having count(*) > 0
$$;

create or replace function public.campaign_detail(p_id uuid)
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_read(p_id);
    v_stats jsonb := private.stats_of(p_id);
    v_was_launched boolean := v_campaign.launched_at is not null;
begin
    return jsonb_build_object(
        'campaign', to_jsonb(v_campaign),
        'variants', coalesce((
            select jsonb_agg(to_jsonb(v) - array['org_id', 'campaign_id'] || jsonb_build_object('template_name', t.name, 'template_language', t.language,
                'template_category', t.category) order by v.position)
            from public.campaign_variants v left join public.templates t on t.id = v.template_id where v.campaign_id = p_id), '[]'),
        'stats', v_stats,
        'by_variant', coalesce((select jsonb_agg(to_jsonb(s) - 'campaign_id' order by s.variant)
            from private.campaign_variant_stats s where s.campaign_id = p_id and s.variant > 0), '[]'),
        'failures', coalesce((
            select jsonb_agg(jsonb_build_object('code', f.key, 'count', f.value, 'may_be_retried', private.may_be_retried(f.key)) order by f.value::bigint desc, f.key)
            from jsonb_each(private.reasons_of(p_id, true)) f), '[]'),
        'excluded', private.reasons_of(p_id, false),
        'lift', case when v_was_launched then private.campaign_lift(v_campaign, v_stats) end,
        'comparison', case when v_was_launched and (select count(*) > 1 from public.campaign_variants v where v.campaign_id = p_id)
            then private.test_comparison(v_campaign) end,
        'cost', private.spent(v_campaign, (v_stats ->> 'delivered')::bigint),
        'finishes_at', case when v_campaign.status = 'sending' then private.campaign_finishes_at(v_campaign, private.clock()) end,
        'tier', private.tier_answer(v_campaign),
        'audience_name', private.audience_name(v_campaign),
        'created_by_name', (select p.full_name from public.profiles p where p.user_id = v_campaign.created_by));
end
$$;
comment on function public.campaign_detail(uuid) is
    '{"campaign", "variants", "stats", "by_variant", "failures": [{"code", "count", "may_be_retried"}], "excluded", "lift", "comparison", "cost", "finishes_at", "tier", "audience_name", "created_by_name"}. Errors: AUTH_002, CAMPAIGN_001.';

-- sql/code/55_campaigns/90_settings.sql

-- What an organisation sets for all its campaigns: how much marketing anybody gets, and what messages cost. Called by the settings page.
-- Must stay true: what is stored has the shape that 20_audience.sql and 28_costs.sql read without checking.

create or replace function private.is_price(p_price jsonb)
returns boolean
language sql immutable parallel safe
set search_path = ''
as $$
    select jsonb_typeof(p_price) = 'object' and not exists (
        select from jsonb_each(case when jsonb_typeof(p_price) = 'object' then p_price else '{}' end) e
        where e.key not in ('marketing', 'utility', 'authentication') or jsonb_typeof(e.value) <> 'number'
            or (e.value #>> '{}')::numeric not between 0 and 1000000)
$$;

create or replace function private.check_message_prices(p_prices jsonb)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if jsonb_typeof(p_prices) <> 'object' or exists (select from jsonb_object_keys(p_prices) k where k not in ('currency', 'default', 'countries'))
        or coalesce(p_prices ->> 'currency', '') !~ '^[A-Z]{3}$'
        or not private.is_price(coalesce(p_prices -> 'default', '{}'))
        or jsonb_typeof(coalesce(p_prices -> 'countries', '{}')) <> 'object'
    then
        perform private.refuse_campaign_field('message_prices', 'wrong_value', 'Prices have a currency, a default and countries');
    end if;
    if exists (
        select from jsonb_each(coalesce(p_prices -> 'countries', '{}')) x
        where not private.is_price(x.value) or x.key not in (select c.country from private.calling_codes() c))
    then
        perform private.refuse_campaign_field('message_prices', 'wrong_value', 'A country or one of its prices is not valid');
    end if;
end
$$;

create or replace function public.set_campaign_settings(p_org_id uuid, p_fields jsonb)
returns public.campaign_settings
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_cap jsonb := nullif(p_fields -> 'marketing_cap', 'null');
    v_prices jsonb := nullif(p_fields -> 'message_prices', 'null');
    v_settings public.campaign_settings;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    if jsonb_typeof(p_fields) is distinct from 'object' or exists (select from jsonb_object_keys(p_fields) k where k not in ('marketing_cap', 'message_prices')) then
        perform private.refuse_campaign_field(null, 'wrong_value', 'There is no such field');
    end if;
    if v_cap is not null and (jsonb_typeof(v_cap) <> 'object' or (select count(*) from jsonb_object_keys(v_cap)) <> 2
        or coalesce(v_cap ->> 'messages', '') !~ '^([1-9][0-9]?|100)$' or coalesce(v_cap ->> 'days', '') !~ '^([1-9]|[1-8][0-9]|90)$')
    then
        perform private.refuse_campaign_field('marketing_cap', 'wrong_value', '1 to 100 messages in 1 to 90 days');
    end if;
    if v_prices is not null then
        perform private.check_message_prices(v_prices);
    end if;
    insert into public.campaign_settings as s (org_id, marketing_cap, message_prices) values (p_org_id, v_cap, v_prices)
    on conflict (org_id) do update set
        marketing_cap = case when p_fields ? 'marketing_cap' then excluded.marketing_cap else s.marketing_cap end,
        message_prices = case when p_fields ? 'message_prices' then excluded.message_prices else s.message_prices end,
        updated_at = clock_timestamp()
    returning * into v_settings;
    return v_settings;
end
$$;
comment on function public.set_campaign_settings(uuid, jsonb) is
    'p_fields: marketing_cap {"messages", "days"} | null, message_prices {"currency", "default", "countries"} | null; those not given stay. Errors: AUTH_003, ORG_001, CAMPAIGN_009.';

-- sql/code/57_links/10_links.sql

-- Tracked links: making tokens and following them. Called by the feeding of campaigns, by templates sent from the inbox, and by the worker's
-- /t/{token}.
-- Must stay true: a recipient has one token a button, the same however often the campaign is fed; the same visitor within ten minutes is one
-- click; only people, not the programs that look at links before them, mark the ledger; every query answers with a destination first checked.

-- Why an address cannot be what a tracked button leads to; null when it can.
create or replace function private.destination_problem(p_url text)
returns text
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_authority text;
    v_host text;
begin
    if p_url is null or p_url = '' then
        return 'The address is missing.';
    end if;
    if length(p_url) > 2000 then
        return 'The address is longer than 2,000 characters.';
    end if;
    if p_url !~* '^https://' then
        return 'The address must begin with https://.';
    end if;
    -- It goes into a header: nothing but what an address is written with.
    if p_url !~ '^[!#-;=?-\[\]_a-z{}~]+$' then
        return 'The address has characters that must be percent-encoded.';
    end if;
    v_authority := substring(p_url from '^[^:]+://([^/?#]*)');
    if position('@' in v_authority) > 0 then
        return 'The address must not carry a user name or password.';
    end if;
    v_host := lower(regexp_replace(v_authority, ':[0-9]{1,5}$', ''));
    -- A name that ends in letters is no number either, however it is written.
    if v_host !~ '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{1,59})$' or length(v_host) > 253 then
        return 'The address must name a public host, such as shop.example.com.';
    end if;
    -- Names that exist in private networks only (RFC 6761, RFC 6762, RFC 8375, ICANN's .internal).
    if v_host ~ '(^|\.)(localhost|local|localdomain|internal|intranet|lan|home|corp|private|test|invalid|onion|arpa)$' then
        return 'The address must name a public host, such as shop.example.com.';
    end if;
    return null;
end
$$;

-- p_links: [{campaign_id?, contact_id, org_id, variant, message_id, button, destination}], each contact and button once, destinations checked.
create or replace function private.make_links(p_links jsonb)
returns table (contact_id uuid, button integer, token text)
language sql volatile
set search_path = ''
as $$
    insert into private.links as l (token, org_id, campaign_id, contact_id, message_id, variant, button, destination)
    select translate(left(encode(extensions.gen_random_bytes(16), 'base64'), 22), '+/', '-_'),
        x.org_id, x.campaign_id, x.contact_id, x.message_id, x.variant, x.button, x.destination
    from jsonb_to_recordset(p_links) as x (campaign_id uuid, contact_id uuid, org_id uuid, variant smallint, message_id uuid, button smallint, destination text)
    on conflict (contact_id, campaign_id, button) where not is_retired do update
    set message_id = excluded.message_id, variant = excluded.variant, destination = excluded.destination
    returning l.contact_id, l.button::integer, l.token
$$;
comment on function private.make_links(jsonb) is 'The token of each recipient and button; the one there is already, if there is.';

-- The first time a person follows a link. Not the message: its row has many indexes, and the link knows which message it was in.
create or replace function private.mark_clicked(p_token text, p_at timestamptz)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_link record;
    v_contact_id uuid;
begin
    -- The ledger before links, as in a merge. One that held the row meanwhile has made it another contact's: then once more.
    for i in 1..2 loop
        select l.campaign_id, l.contact_id into v_link from private.links l where l.token = p_token;
        exit when v_link.contact_id is not distinct from v_contact_id;
        v_contact_id := v_link.contact_id;
        update public.campaign_recipients r set clicked_at = p_at
        where r.campaign_id = v_link.campaign_id and r.contact_id = v_contact_id and r.clicked_at is null;
        exit when found;
    end loop;
    update private.links l set clicked_at = p_at where l.token = p_token and l.clicked_at is null;
end
$$;

-- Plans are kept for the session, and the one made while there were no clicks yet would read them all.
create or replace function worker.follow_link(p_token text, p_is_bot boolean, p_visitor bytea)
returns text
language plpgsql volatile security definer
set search_path = ''
set enable_seqscan = off
as $$
declare
    v_now timestamptz := private.clock();
    -- Visitors that nothing is known of count as one.
    v_visitor bytea := coalesce(nullif(p_visitor, ''), '\x00');
    v_link record;
begin
    select l.token, l.org_id, l.campaign_id, l.contact_id, l.variant, l.button, l.destination, l.clicked_at, exists (
        select from private.link_clicks k
        where k.token = l.token and k.visitor = v_visitor and k.is_bot = p_is_bot and k.last_at > v_now - interval '10 minutes') as is_repeated
    into v_link
    from private.links l join public.organizations o on o.id = l.org_id and o.deleted_at is null
    where l.token = p_token;
    if not found then
        return null;
    end if;
    if v_link.contact_id is not null and not v_link.is_repeated then
        -- One person's link has a few visitors. Whoever asks under ever new names fills no disk: beyond a thousand they count as one.
        if (select count(*) from (select from private.link_clicks k where k.token = v_link.token limit 1000) x) = 1000 then
            v_visitor := '';
        end if;
        insert into private.link_clicks as k (token, visitor, is_bot, org_id, campaign_id, variant, button, first_at, last_at)
        values (v_link.token, v_visitor, p_is_bot, v_link.org_id, v_link.campaign_id, v_link.variant, v_link.button, v_now, v_now)
        on conflict (token, visitor, is_bot) do update set clicks = k.clicks + 1, last_at = excluded.last_at
        where k.last_at <= excluded.last_at - interval '10 minutes';
        if not p_is_bot and v_link.clicked_at is null then
            perform private.mark_clicked(p_token, v_now);
        end if;
    end if;
    -- A shop that wants to tell us of a conversion gets the token where its address asks for it.
    return replace(v_link.destination, '{token}', v_link.token);
end
$$;
comment on function worker.follow_link(text, boolean, bytea) is
    'Records the click and says where the link leads; null for a token there is not. p_visitor: at most 64 bytes that tell visitors apart.';

create or replace function public.campaign_links(p_id uuid)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
begin
    perform private.campaign_to_read(p_id);
    return coalesce((
        select jsonb_agg(jsonb_build_object('variant', v.position, 'button', b.key::integer, 'destination', b.value,
            'people', coalesce(k.people, 0), 'clicks', coalesce(k.clicks, 0), 'bots', coalesce(k.bots, 0)) order by v.position, b.key::integer)
        from public.campaign_variants v
        cross join lateral jsonb_each_text(v.links) b
        left join (
            select c.variant, c.button, count(distinct c.token) filter (where not c.is_bot) as people,
                sum(c.clicks) filter (where not c.is_bot) as clicks, sum(c.clicks) filter (where c.is_bot) as bots
            from private.link_clicks c where c.campaign_id = p_id group by c.variant, c.button
        ) k on k.variant = v.position and k.button = b.key::integer
        where v.campaign_id = p_id), '[]');
end
$$;
comment on function public.campaign_links(uuid) is
    'Tracked buttons of a campaign: [{"variant", "button", "destination", "people", "clicks", "bots"}]. Errors: CAMPAIGN_001.';

-- sql/code/57_links/20_opportunities.sql

-- Sales opportunities: what came of campaigns. Recorded by agents here, by signed callbacks in 30_conversions.sql.
-- Must stay true: one that names no campaign belongs to the last campaign the contact received within its attribution window; the ledger's
-- opportunity_at is the first of the recipient's opportunities of that campaign, and null when there is none.

-- problem: the field that is wrong ('*' when p_fields is no object), null when all are right.
create or replace function private.read_opportunity(p_fields jsonb, p_allowed text[])
returns private.opportunity_fields
language plpgsql volatile
set search_path = ''
as $$
declare
    v_fields private.opportunity_fields;
    v_key text;
    v_value text;
begin
    if jsonb_typeof(p_fields) is distinct from 'object' then
        v_fields.problem := '*';
        return v_fields;
    end if;
    v_fields.occurred_at := private.clock();
    for v_key in select jsonb_object_keys(p_fields) loop
        v_fields.problem := v_key;
        if v_key <> all (p_allowed) then
            return v_fields;
        end if;
        v_value := nullif(btrim(p_fields ->> v_key), '');
        continue when v_value is null;
        -- Amounts also as text: not every shop trusts its numbers to JSON.
        if jsonb_typeof(p_fields -> v_key) <> 'string' and (v_key <> 'amount' or jsonb_typeof(p_fields -> v_key) <> 'number') then
            return v_fields;
        end if;
        begin
            case v_key
                when 'amount' then v_fields.amount := trim_scale(v_value::numeric);
                when 'currency' then v_fields.currency := upper(v_value);
                when 'external_id' then v_fields.external_id := v_value;
                when 'note' then v_fields.note := v_value;
                when 'campaign_id' then v_fields.campaign_id := v_value::uuid;
                when 'occurred_at' then
                    -- With its zone: a time without one would be read in ours.
                    if v_value !~ '^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})$' then
                        return v_fields;
                    end if;
                    v_fields.occurred_at := v_value::timestamptz;
                else null;
            end case;
        exception when data_exception then
            return v_fields;
        end;
    end loop;
    v_fields.problem := case
        when v_fields.amount is not null and (v_fields.amount < 0 or v_fields.amount >= 1e12 or scale(v_fields.amount) > 4) then 'amount'
        when (v_fields.amount is null) <> (v_fields.currency is null) then case when v_fields.amount is null then 'amount' else 'currency' end
        when v_fields.currency !~ '^[A-Z]{3}$' then 'currency'
        when length(v_fields.external_id) > 200 then 'external_id'
        when length(v_fields.note) > 1000 then 'note'
        -- Other clocks may be ahead of ours by a little; the ledger of campaigns goes back no longer than a year.
        when v_fields.occurred_at > private.clock() + interval '5 minutes' or v_fields.occurred_at < private.clock() - interval '1 year' then 'occurred_at'
    end;
    return v_fields;
end
$$;

-- campaign_id: the last one received before p_at, unless one is named. held_out_campaign_id: one launched after that was received, of which
-- the contact was held out; it is judged by the same window, so that lift compares like with like.
create or replace function private.attribute_opportunity(p_org_id uuid, p_contact_id uuid, p_at timestamptz, p_campaign_id uuid,
    out campaign_id uuid, out held_out_campaign_id uuid)
language sql stable
set search_path = ''
as $$
    with touches as (
        select r.campaign_id, r.status = 'held_out' as is_held_out, t.at, p_campaign_id is null as is_free
        from public.campaign_recipients r
        join public.campaigns c on c.id = r.campaign_id
        -- Reports overtake one another: whoever read, answered or followed it has received it.
        cross join lateral (
            select case when r.status = 'held_out' then c.launched_at else least(r.delivered_at, r.read_at, r.replied_at, r.clicked_at) end as at
        ) t
        where r.org_id = p_org_id and r.contact_id = p_contact_id
            and t.at <= p_at and (t.at > p_at - make_interval(days => c.attribution_days) or r.campaign_id = p_campaign_id)
    ), received as (
        select t.campaign_id, t.at from touches t where not t.is_held_out and (t.is_free or t.campaign_id = p_campaign_id)
        order by t.at desc, t.campaign_id desc limit 1
    )
    select coalesce(p_campaign_id, (select r.campaign_id from received r)), (
        select t.campaign_id from touches t
        where t.is_held_out and t.campaign_id is distinct from p_campaign_id and coalesce(t.at > (select r.at from received r), true)
        order by t.at desc, t.campaign_id desc limit 1)
$$;

-- True unless the id was counted before.
create or replace function private.keep_receipt(p_org_id uuid, p_external_id text)
returns boolean
language plpgsql volatile
set search_path = ''
as $$
begin
    -- Whoever comes second waits here for the first, and then knows.
    insert into private.conversion_receipts (org_id, external_hash) values (p_org_id, extensions.digest(p_external_id, 'sha256'))
    on conflict do nothing;
    return found;
end
$$;

-- The ledger's rows an opportunity counts for, after it came or went.
create or replace function private.mark_opportunities(p_opportunity public.opportunities)
returns void
language sql volatile
set search_path = ''
as $$
    update public.campaign_recipients r set opportunity_at = f.first_at
    from (
        select c.id, (
            select min(o.occurred_at) from public.opportunities o
            where o.org_id = p_opportunity.org_id and o.contact_id = p_opportunity.contact_id and c.id in (o.campaign_id, o.held_out_campaign_id)
        ) as first_at
        from unnest(array[p_opportunity.campaign_id, p_opportunity.held_out_campaign_id]) c (id) where c.id is not null
    ) f
    where r.campaign_id = f.id and r.contact_id = p_opportunity.contact_id and r.opportunity_at is distinct from f.first_at
$$;

create or replace function private.write_opportunity(p_contact public.contacts, p_source text, p_campaign_id uuid, p_fields private.opportunity_fields)
returns public.opportunities
language plpgsql volatile
set search_path = ''
as $$
declare
    v_opportunity public.opportunities;
    v_of record;
begin
    select * into v_of from private.attribute_opportunity(p_contact.org_id, p_contact.id, p_fields.occurred_at, p_campaign_id);
    insert into public.opportunities
        (org_id, contact_id, campaign_id, held_out_campaign_id, source, amount, currency, external_id, note, occurred_at, created_by)
    values (p_contact.org_id, p_contact.id, v_of.campaign_id, v_of.held_out_campaign_id, p_source,
        p_fields.amount, p_fields.currency, p_fields.external_id, p_fields.note, p_fields.occurred_at, (select auth.uid()))
    returning * into v_opportunity;
    perform private.mark_opportunities(v_opportunity);
    perform private.record_activity(p_contact.org_id, 'opportunity.recorded', (select auth.uid()), p_contact.id,
        p_data => jsonb_strip_nulls(jsonb_build_object('opportunity_id', v_opportunity.id, 'campaign_id', v_opportunity.campaign_id,
            'source', p_source, 'amount', v_opportunity.amount, 'currency', v_opportunity.currency)));
    perform private.broadcast_contacts(p_contact.org_id, array[p_contact.id]);
    return v_opportunity;
end
$$;

-- Agents record them, campaign managers answer for them.
create or replace function private.require_opportunities(p_org_id uuid)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if not (p_org_id = any (private.my_orgs_with('inbox.answer'))) then
        perform private.require_permission(p_org_id, 'campaigns.manage');
    end if;
end
$$;

create or replace function public.record_opportunity(p_contact_id uuid, p_fields jsonb)
returns public.opportunities
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_contact public.contacts := private.contact_for(p_contact_id, 'read');
    v_fields private.opportunity_fields;
begin
    perform private.require_opportunities(v_contact.org_id);
    if v_contact.deleted_at is not null then
        perform private.raise_error('CONTACT_004', jsonb_build_object('contact_id', p_contact_id));
    end if;
    v_fields := private.read_opportunity(p_fields, array['amount', 'currency', 'external_id', 'note', 'campaign_id', 'occurred_at']);
    if v_fields.problem is not null then
        perform private.raise_error('OPPORTUNITY_002', jsonb_build_object('field', v_fields.problem));
    end if;
    if v_fields.campaign_id is not null and not exists (
        select from public.campaigns c
        where c.id = v_fields.campaign_id and c.org_id = v_contact.org_id and c.launched_at <= v_fields.occurred_at
    ) then
        perform private.raise_error('OPPORTUNITY_002', '{"field": "campaign_id"}');
    end if;
    if v_fields.external_id is not null and not private.keep_receipt(v_contact.org_id, v_fields.external_id) then
        perform private.raise_error('OPPORTUNITY_002', '{"field": "external_id"}');
    end if;
    return private.write_opportunity(v_contact, 'agent', v_fields.campaign_id, v_fields);
end
$$;
comment on function public.record_opportunity(uuid, jsonb) is
    'p_fields: amount and currency (both or neither), external_id, note, campaign_id (default: the last one received within its attribution window), occurred_at (default: now). Errors: AUTH_003, CONTACT_001, CONTACT_004, CONTACT_010, OPPORTUNITY_002 (details.field).';

create or replace function public.delete_opportunity(p_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_opportunity public.opportunities;
begin
    select o.* into v_opportunity from public.opportunities o where o.id = p_id and o.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('OPPORTUNITY_001');
    end if;
    perform private.require_opportunities(v_opportunity.org_id);
    -- Contacts first: what is recorded for this one at the same time waits, or has been.
    perform from public.contacts c where c.id = v_opportunity.contact_id for no key update;
    delete from public.opportunities o where o.id = p_id returning o.* into v_opportunity;
    if not found then
        perform private.raise_error('OPPORTUNITY_001');
    end if;
    perform private.mark_opportunities(v_opportunity);
    perform private.record_activity(v_opportunity.org_id, 'opportunity.deleted', (select auth.uid()), v_opportunity.contact_id,
        p_data => jsonb_strip_nulls(jsonb_build_object('opportunity_id', p_id, 'campaign_id', v_opportunity.campaign_id,
            'amount', v_opportunity.amount, 'currency', v_opportunity.currency)));
    perform private.broadcast_contacts(v_opportunity.org_id, array[v_opportunity.contact_id]);
end
$$;
comment on function public.delete_opportunity(uuid) is
    'Takes back one that was none. Its external id stays counted. Errors: AUTH_003, OPPORTUNITY_001.';

create or replace view public.opportunity_list with (security_invoker = true) as
select o.id, o.org_id, o.contact_id, o.campaign_id, o.source, o.amount, o.currency, o.external_id, o.note, o.occurred_at, o.created_by, o.created_at,
    c.name as campaign_name, p.full_name as created_by_name
from public.opportunities o
left join public.campaigns c on c.id = o.campaign_id
left join public.profiles p on p.user_id = o.created_by;
comment on view public.opportunity_list is 'Opportunities with names. Of a contact: by (org_id, contact_id), newest occurred_at first.';

-- sql/code/57_links/30_conversions.sql

-- Conversion callbacks: what an organisation's own site tells us. The worker checks signature and time (POST /conversions/{org_id}), what is
-- said is checked here. Called by the worker; the secret is rotated in settings.
-- Must stay true: the secret is shown once, lies in Vault and leaves it for the worker only; the same external id counts once; a token or
-- phone of another organisation is unknown here.

create or replace function public.rotate_conversion_secret(p_org_id uuid)
returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_secret text := encode(extensions.gen_random_bytes(32), 'hex');
    v_old_id uuid;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    -- Two at once would leave a secret in Vault that nobody knows of.
    perform from public.organizations o where o.id = p_org_id for no key update;
    select s.secret_id into v_old_id from private.conversion_secrets s where s.org_id = p_org_id;
    insert into private.conversion_secrets (org_id, secret_id)
    values (p_org_id, vault.create_secret(v_secret, 'conversions:' || p_org_id || ':' || octopush.uuid_v7(), 'Conversion callbacks'))
    on conflict (org_id) do update set secret_id = excluded.secret_id, rotated_at = excluded.rotated_at;
    delete from vault.secrets s where s.id = v_old_id;
    perform private.record_activity(p_org_id, 'conversion_secret.rotated', (select auth.uid()));
    return v_secret;
end
$$;
comment on function public.rotate_conversion_secret(uuid) is
    'A new secret for conversion callbacks, shown this once; the old one holds no longer. Errors: AUTH_002, AUTH_003, ORG_001.';

create or replace function worker.conversion_secret(p_org_id uuid)
returns text
language sql stable security definer
set search_path = ''
as $$
    select d.decrypted_secret
    from private.conversion_secrets s
    join public.organizations o on o.id = s.org_id and o.deleted_at is null
    join vault.decrypted_secrets d on d.id = s.secret_id
    where s.org_id = p_org_id
$$;

-- The contact a callback names, locked; null when there is none.
create or replace function private.converted_contact(p_org_id uuid, p_token text, p_phone text)
returns public.contacts
language plpgsql volatile
set search_path = ''
as $$
declare
    v_contact public.contacts;
    v_phone text;
begin
    if p_phone is not null then
        v_phone := octopush.normalize_phone(p_phone, (select o.country from public.organizations o where o.id = p_org_id));
        select c.* into v_contact from public.contacts c
        where c.org_id = p_org_id and (c.phone = v_phone or c.wa_id = ltrim(v_phone, '+'))
        order by (c.phone = v_phone) desc nulls last limit 1 for no key update;
        return v_contact;
    end if;
    -- Once more when a merge took the contact away while we waited for it: the link is the other's then.
    for i in 1..2 loop
        select c.* into v_contact from private.links l join public.contacts c on c.org_id = l.org_id and c.id = l.contact_id
        where l.token = p_token and l.org_id = p_org_id for no key update of c;
        exit when found;
    end loop;
    return v_contact;
end
$$;

create or replace function worker.record_conversion(p_org_id uuid, p_body jsonb)
returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_fields private.opportunity_fields;
    v_contact public.contacts;
    v_campaign_id uuid;
begin
    v_fields := private.read_opportunity(p_body, array['token', 'phone', 'external_id', 'amount', 'currency', 'occurred_at']);
    if v_fields.problem is not null or v_fields.external_id is null
        or num_nonnulls(nullif(p_body ->> 'token', ''), nullif(p_body ->> 'phone', '')) <> 1 then
        return 'OPPORTUNITY_002';
    end if;
    if not exists (select from public.organizations o where o.id = p_org_id and o.deleted_at is null) then
        return 'ORG_001';
    end if;
    v_contact := private.converted_contact(p_org_id, nullif(p_body ->> 'token', ''), nullif(p_body ->> 'phone', ''));
    if v_contact.id is null then
        return case when p_body ? 'token' then 'LINK_001' else 'CONTACT_001' end;
    end if;
    if not private.keep_receipt(p_org_id, v_fields.external_id) then
        return 'CONVERSION_002';
    end if;
    select l.campaign_id into v_campaign_id from private.links l where l.token = p_body ->> 'token' and l.org_id = p_org_id;
    perform private.write_opportunity(v_contact, 'callback', v_campaign_id, v_fields);
    return null;
end
$$;
comment on function worker.record_conversion(uuid, jsonb) is
    '{"token" | "phone", "external_id", "amount"?, "currency"?, "occurred_at"?} → null, or why not: OPPORTUNITY_002, ORG_001, LINK_001, CONTACT_001, CONVERSION_002 (counted before).';

-- sql/code/57_links/40_people.sql

-- Links and opportunities of contacts that are merged, erased or simply forgotten with time. Called by 30_contacts/70_merge.sql and
-- 80_erase.sql, and by the maintenance role of the worker.
-- Must stay true: every token that was ever sent goes on leading somewhere; counts and amounts stay; of an erased person nothing else does.

-- By the two indexes there are: together they have every link of a contact, and a third one would cost every link that is made.
create or replace function private.tokens_of(p_contact_id uuid)
returns text[]
language sql stable
set search_path = ''
as $$
    select array(
        select l.token from private.links l where l.contact_id = p_contact_id and not l.is_retired
        union all
        select l.token from private.links l where l.contact_id = p_contact_id and l.is_retired)
$$;

-- All of p_from is p_to's. Both contacts are locked, their messages and ledger have moved.
create or replace function private.move_links(p_from uuid, p_to uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    -- Where both were recipients of a campaign, each has a token of every button in a message of their own.
    update private.links l set
        contact_id = p_to,
        is_retired = l.is_retired or exists (
            select from private.links o
            where o.contact_id = p_to and o.campaign_id = l.campaign_id and o.button = l.button and not o.is_retired)
    where l.token = any (private.tokens_of(p_from));
    update public.opportunities o set contact_id = p_to
    from public.contacts c where c.id = p_to and o.org_id = c.org_id and o.contact_id = p_from;
    -- Of two rows of a campaign one is left: what the other's person did is theirs.
    update public.campaign_recipients r set clicked_at = least(r.clicked_at, d.clicked_at), opportunity_at = least(r.opportunity_at, d.occurred_at)
    from (
        select x.campaign_id, min(x.clicked_at) as clicked_at, min(x.occurred_at) as occurred_at
        from (
            select l.campaign_id, l.clicked_at, null::timestamptz as occurred_at from private.links l
            where l.contact_id = p_to and l.clicked_at is not null
            union all
            select a.id, null, o.occurred_at from public.contacts c join public.opportunities o on o.org_id = c.org_id and o.contact_id = c.id
            cross join unnest(array[o.campaign_id, o.held_out_campaign_id]) a (id)
            where c.id = p_to
        ) x
        group by x.campaign_id
    ) d
    where r.campaign_id = d.campaign_id and r.contact_id = p_to
        and (coalesce(d.clicked_at < coalesce(r.clicked_at, 'infinity'), false) or coalesce(d.occurred_at < coalesce(r.opportunity_at, 'infinity'), false));
end
$$;

-- Visitors of these links who were last there before p_before become one row a link; at most p_limit of them, null: all.
create or replace function private.forget_visitors(p_tokens text[], p_before timestamptz, p_limit integer default null)
returns integer
language sql volatile
set search_path = ''
as $$
    with gone as (
        delete from private.link_clicks k using (
            select x.token, x.visitor, x.is_bot from private.link_clicks x
            where x.token = any (p_tokens) and x.visitor <> '' and x.last_at < p_before limit p_limit
        ) o
        where k.token = o.token and k.visitor = o.visitor and k.is_bot = o.is_bot and k.last_at < p_before returning k.*
    ), kept as (
        insert into private.link_clicks as k (token, visitor, is_bot, org_id, campaign_id, variant, button, clicks, first_at, last_at)
        select g.token, '', g.is_bot, g.org_id, g.campaign_id, g.variant, g.button, sum(g.clicks), min(g.first_at), max(g.last_at)
        from gone g group by g.token, g.is_bot, g.org_id, g.campaign_id, g.variant, g.button
        on conflict (token, visitor, is_bot) do update
        set clicks = k.clicks + excluded.clicks, first_at = least(k.first_at, excluded.first_at), last_at = greatest(k.last_at, excluded.last_at)
    )
    select count(*)::integer from gone
$$;

create or replace function private.erase_links(p_contact_ids uuid[])
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_tokens text[] := array(select t from unnest(p_contact_ids) c cross join unnest(private.tokens_of(c)) t);
begin
    update private.links l set contact_id = null where l.token = any (v_tokens);
    perform private.forget_visitors(v_tokens, 'infinity');
    update public.opportunities o set note = null, external_id = null
    from public.contacts c where c.id = any (p_contact_ids) and o.org_id = c.org_id and o.contact_id = c.id;
end
$$;

create or replace function worker.purge_link_clicks(p_limit integer)
returns integer
language sql volatile security definer
set search_path = ''
as $$
    -- 90 days, as raw webhooks.
    select private.forget_visitors(array(
        select k.token from private.link_clicks k
        where k.last_at < private.clock() - interval '90 days' and k.visitor <> '' order by k.last_at limit p_limit
    ), private.clock() - interval '90 days', p_limit)
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
    v_total := v_total + v_count + worker.purge_segment_events(p_limit) + worker.purge_link_clicks(p_limit);
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

-- Exports: the contacts as they are chosen when the worker begins, or the ledger of a campaign, page by page, into a CSV file of bucket exports
-- (PRD §5.4, §7.2).
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
    if v_job.input ? 'campaign_id' and not exists (select from private.job_items i where i.job_id = p_job_id) then
        insert into private.job_items (job_id, position, contact_id)
        select p_job_id, row_number() over (order by r.contact_id), r.contact_id
        from public.campaign_recipients r
        where r.org_id = v_job.org_id and r.campaign_id = (v_job.input ->> 'campaign_id')::uuid;
    end if;
    if not v_job.input ? 'campaign_id' and not exists (select from private.job_items i where i.job_id = p_job_id) then
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
    header := case when v_job.input ? 'campaign_id' then private.recipient_header() else private.export_header(v_job.org_id) end;
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
    if v_job.input ? 'campaign_id' then
        return query
        select i.position, r.cells
        from (
            select x.position, x.contact_id from private.job_items x
            where x.job_id = p_job_id and x.position > p_after order by x.position limit p_limit
        ) i
        left join private.recipient_cells((v_job.input ->> 'campaign_id')::uuid, array(
            select x.contact_id from private.job_items x
            where x.job_id = p_job_id and x.position > p_after order by x.position limit p_limit), v_zone) r on r.contact_id = i.contact_id
        order by i.position;
        update public.jobs j set done_count = least(p_after + p_limit, j.total_count) where j.id = p_job_id returning j.* into v_job;
        perform private.broadcast_job(v_job);
        return;
    end if;
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

-- What contacts did with campaigns and flows, as compiled rules and private.segment_facts read it: one row a contact and campaign. No flows
-- exist yet: their room replaces its view, keeps the columns, and puts the contacts concerned into private.contact_changes, as
-- private.queue_contacts_of_reactions does for campaigns.

create or replace view private.campaign_reactions as
select r.org_id, r.contact_id, r.campaign_id, coalesce(r.delivered_at, r.read_at) as received_at, r.read_at, r.replied_at, r.clicked_at
from public.campaign_recipients r
where coalesce(r.delivered_at, r.read_at, r.replied_at, r.clicked_at) is not null and r.exclusion_reason is null;

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

-- With the names that sentences use, and the time. Flows will add theirs.
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
            union all
            select k.id, k.name from public.campaigns k where k.org_id = p_org_id
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

-- Of the ledgers of campaigns, when a rule asks for what people did with them: few organisations have one, and a ledger changes a million times.
create or replace function private.queue_contacts_of_reactions()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    if not exists (
        select from private.segment_programs p
        where p.org_id = (select n.org_id from new_rows n limit 1) and position('campaign_reactions' in p.predicate) > 0)
    then
        return null;
    end if;
    insert into private.contact_changes (org_id, contact_id)
    select distinct x.org_id, x.contact_id from (
        select n.org_id, n.contact_id, n.campaign_id, coalesce(n.delivered_at, n.read_at) as received_at, n.read_at, n.replied_at, n.clicked_at from new_rows n
        except
        select o.org_id, o.contact_id, o.campaign_id, coalesce(o.delivered_at, o.read_at), o.read_at, o.replied_at, o.clicked_at from old_rows o
    ) x
    where coalesce(x.received_at, x.read_at, x.replied_at, x.clicked_at) is not null;
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
create or replace trigger segments_update after update on public.campaign_recipients
    referencing old table as old_rows new table as new_rows for each statement execute function private.queue_contacts_of_reactions();

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
        -- By both columns of the index: the queue is empty when it is analysed, and the planner then takes any way for the shortest.
        where q.org_id = p_org_id
            and q.id = any (array(select x.id from private.contact_changes x where x.org_id = p_org_id order by x.id limit p_limit))
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

-- What would break without the segment. Flows add theirs here.
create or replace function private.segment_users(p_segment_id uuid)
returns table (kind text, id uuid, name text)
language sql stable
set search_path = ''
as $$
    select 'segment', s.id, s.name from private.segment_edges e join public.segments s on s.id = e.segment_id where e.uses_id = p_segment_id
    union all
    select 'campaign', c.id, c.name from public.segments s join public.campaigns c on c.org_id = s.org_id
    where s.id = p_segment_id and c.status in ('scheduled', 'sending', 'paused') and c.audience ->> 'segment_id' = p_segment_id::text
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

create or replace function public.segment_summaries(p_org_id uuid)
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_context jsonb;
begin
    perform private.require_segment_reader(p_org_id);
    v_context := private.segment_context_with_names(p_org_id);
    return coalesce((
        select jsonb_agg(jsonb_build_object('id', s.id,
            'sentence', case s.kind when 'dynamic' then octopush.segment_sentence(s.rules, v_context) end,
            'used_by', coalesce((select jsonb_agg(to_jsonb(u) order by u.kind, u.name) from private.segment_users(s.id) u), '[]')))
        from public.segments s where s.org_id = p_org_id), '[]');
end
$$;
comment on function public.segment_summaries(uuid) is
    '[{id, sentence (null for static ones), used_by: [{kind, id, name}]}] of every segment, at most 200: what a list shows beside each. Errors: AUTH_002, ORG_001.';

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

create policy octopush_members_select on public.templates for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));

create policy octopush_members_select on public.campaigns for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.campaign_variants for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.campaign_recipients for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.campaign_settings for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));

-- Their previews and selections show contacts: for those who may have all of them at once.
create policy octopush_members_select on public.jobs for select to authenticated
    using (org_id = any ((select private.my_orgs_with('contacts.bulk'))::uuid[]));

create policy octopush_members_select on public.opportunities for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));

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
-- templates, samples of headers: <org_id>/<upload id>/<file>. Members read, those who manage campaigns upload.
-- imports and exports, files of contacts: <org_id>/<upload or job id>/<file>. Only for those who may have all contacts at once; the worker
-- writes exports and removes both after a week.

insert into storage.buckets (id, name, public, file_size_limit)
-- 100 MB is the largest file WhatsApp takes (reference/whatsapp.md §7).
values
    ('media', 'media', false, 104857600),
    ('templates', 'templates', false, 104857600),
    -- 2 GiB: some ten million contacts. The service's own limit (SUPABASE_STORAGE_FILE_SIZE_LIMIT) may be lower.
    ('imports', 'imports', false, 2147483648),
    ('exports', 'exports', false, 2147483648)
on conflict (id) do update set public = false, file_size_limit = excluded.file_size_limit;

create policy octopush_media_select on storage.objects for select to authenticated
    using (bucket_id = 'media' and (storage.foldername(name))[1] = any ((select private.my_org_ids())::text[]));
create policy octopush_media_insert on storage.objects for insert to authenticated
    with check (bucket_id = 'media' and (storage.foldername(name))[1] = any ((select private.my_orgs_with('inbox.answer'))::text[]));

create policy octopush_templates_select on storage.objects for select to authenticated
    using (bucket_id = 'templates' and (storage.foldername(name))[1] = any ((select private.my_org_ids())::text[]));
create policy octopush_templates_insert on storage.objects for insert to authenticated
    with check (bucket_id = 'templates' and (storage.foldername(name))[1] = any ((select private.my_orgs_with('campaigns.manage'))::text[]));

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
    public.segment_summaries(uuid),
    public.explain_segment(uuid, uuid),
    public.contact_segments(uuid),
    public.segment_members(uuid, integer, uuid),
    public.segment_sql(uuid),
    public.segment_plan(uuid)
to authenticated;

grant select on public.templates to authenticated, service_role;
grant execute on function
    public.create_template(uuid, jsonb),
    public.update_template(uuid, jsonb, timestamptz),
    public.submit_template(uuid, timestamptz),
    public.duplicate_template(uuid, text),
    public.delete_template(uuid),
    public.sync_templates(uuid),
    public.check_template(uuid, jsonb),
    public.list_templates(uuid, text, text, text, text, text, boolean, integer, integer, text, boolean),
    public.preview_template(uuid, jsonb),
    public.template_variables(uuid),
    public.template_analytics(uuid, integer)
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

grant select on public.campaigns, public.campaign_variants, public.campaign_recipients, public.campaign_settings to authenticated, service_role;
grant execute on function
    public.create_campaign(uuid, jsonb),
    public.update_campaign(uuid, jsonb, timestamptz),
    public.delete_campaign(uuid),
    public.duplicate_campaign(uuid),
    public.launch_campaign(uuid, timestamptz),
    public.schedule_campaign(uuid, timestamptz, timestamptz),
    public.unschedule_campaign(uuid),
    public.pause_campaign(uuid),
    public.resume_campaign(uuid),
    public.cancel_campaign(uuid),
    public.retry_failed_recipients(uuid),
    public.choose_winner(uuid, integer),
    public.campaign_audience(uuid),
    public.campaign_exclusions(uuid, text, integer, uuid),
    public.rehearse_campaign(uuid, integer),
    public.list_campaigns(uuid, text, text[], timestamptz, timestamptz, uuid, integer, integer),
    public.campaign_detail(uuid),
    public.list_recipients(uuid, text, text[], integer, text),
    public.export_recipients(uuid),
    public.set_campaign_settings(uuid, jsonb)
to authenticated;

grant select on public.opportunities, public.opportunity_list to authenticated, service_role;
grant execute on function
    public.campaign_links(uuid),
    public.record_opportunity(uuid, jsonb),
    public.delete_opportunity(uuid),
    public.rotate_conversion_secret(uuid)
to authenticated;

grant execute on all functions in schema worker to octopush_worker;

insert into private.schema_code (hash) values ('f9db308598d4b06e2cb6b1b467a37abd09a94e2c683533bb04973cc11cf9c252') on conflict (is_current) do update set hash = excluded.hash, applied_at = now();
