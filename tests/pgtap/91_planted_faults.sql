-- Every rule of 90_schema_rules can fail: each fault below is planted, seen by its rule, and taken back.

begin;
\ir helpers/load.sql
\ir helpers/rules.sql
select no_plan();

create function tests.sees(p_rule text, p_fault text)
returns boolean
language plpgsql volatile
as $$
declare
    v_before text[] := array(select tests.offenders(p_rule));
    v_after text[];
begin
    begin
        execute p_fault;
        v_after := array(select tests.offenders(p_rule));
        raise exception sqlstate 'UNDO0';
    exception when sqlstate 'UNDO0' then
        null;
    end;
    return exists (select from unnest(v_after) o where o <> all (v_before));
end
$$;

create table tests.faults (rule text not null references tests.rules (name), says text not null, fault text not null);
insert into tests.faults values
('rls', 'row-level security switched off', $$ alter table public.messages disable row level security $$),
('rls', 'a new table without it', $$ create table public.deals (org_id uuid primary key) $$),
('rls', 'a new private table without it', $$ create table private.deals (org_id uuid primary key) $$),
('select_policy', 'a dropped policy', $$ drop policy octopush_members_select on public.contacts $$),
('select_policy', 'a policy without to', $$ create policy p on public.contacts for select using (org_id = any ((select private.my_org_ids())::uuid[])) $$),
('select_policy', 'a policy to anon', $$ alter policy octopush_members_select on public.tags to anon, authenticated $$),
('select_policy', 'a second policy for the same', $$ create policy p on public.tags for select to authenticated using (org_id = any ((select private.my_org_ids())::uuid[])) $$),
('select_policy', 'a policy for all commands', $$ create policy p on public.tags to authenticated using (org_id = any ((select private.my_org_ids())::uuid[])) $$),
('select_policy', 'a restrictive policy', $$ create policy p on public.tags as restrictive for select to authenticated using (true) $$),
('select_policy', 'a new table without a policy', $$ create table public.deals (org_id uuid primary key); alter table public.deals enable row level security $$),
('policy_shape', 'true', $$ alter policy octopush_members_select on public.messages using (true) $$),
('policy_shape', 'or true', $$ alter policy octopush_members_select on public.messages using (org_id = any ((select private.my_org_ids())::uuid[]) or true) $$),
('policy_shape', 'a helper called for every row', $$ alter policy octopush_members_select on public.messages using (org_id = any (private.my_org_ids())) $$),
('policy_shape', 'claims of the token', $$ alter policy octopush_members_select on public.messages using (org_id = ((select auth.jwt()) ->> 'org_id')::uuid) $$),
('policy_shape', 'the trash shown to everybody', $$ alter policy octopush_members_select on public.contacts using (org_id = any ((select private.my_org_ids())::uuid[])) $$),
('policy_shape', 'an insert policy', $$ create policy p on public.messages for insert to authenticated with check (true) $$),
('foreign_policies', 'broadcasting from browsers', $$ create policy p on realtime.messages for insert to authenticated with check (true) $$),
('foreign_policies', 'hearing every topic', $$ alter policy octopush_topic_select on realtime.messages using (true) $$),
('foreign_policies', 'a bucket for everybody', $$ alter policy octopush_media_select on storage.objects to public $$),
('foreign_policies', 'deleting files', $$ create policy p on storage.objects for delete to authenticated using (bucket_id = 'media') $$),
('foreign_policies', 'a dropped one', $$ drop policy octopush_media_select on storage.objects $$),
('tenant_column', 'a table without a tenant', $$ create table public.deals (id uuid primary key) $$),
('tenant_column', 'a tenant that may be null', $$ alter table public.whatsapp_events alter org_id drop not null $$),
('tenant_column', 'a tenant that leads nowhere', $$ create table public.deals (org_id uuid not null, id uuid, primary key (org_id, id)) $$),
('tenant_column', 'a tenant without an index', $$ create table public.deals (id uuid primary key, org_id uuid not null references public.organizations (id)) $$),
('primary_key', 'a table without one', $$ create table public.deals (org_id uuid) $$),
('foreign_key_index', 'a dropped index', $$ drop index public.messages__conversation__idx $$),
('foreign_key_index', 'a new key without one', $$ alter table public.messages add foreign key (reply_to_message_id) references public.messages (id) $$),
('search_path', 'a function without', $$ alter function public.create_tag(uuid, text, text) reset search_path $$),
('search_path', 'a function with another', $$ alter function private.may_hear(text) set search_path = public $$),
('search_path', 'a new function', $$ create function private.f() returns int language sql as 'select 1' $$),
('language', 'an internal function', $$ create function private.f(int, int) returns int language internal as 'int4pl' $$),
('dynamic_sql', 'a function that executes text', $$ create function public.f(q text) returns void language plpgsql as 'begin execute q; end' $$),
('nobody', 'a definer function for everybody', $$ grant execute on function public.delete_tag(uuid) to public $$),
('nobody', 'a new function nobody revoked', $$ create function public.f() returns int language sql security definer as 'select 1'; grant execute on function public.f() to public $$),
('nobody', 'a function for anon', $$ grant execute on function public.accept_invitation(text) to anon $$),
('nobody', 'a table for anon', $$ grant select on public.tags to anon $$),
('nobody', 'a column for anon', $$ grant select (name) on public.organizations to anon $$),
('nobody', 'a table for everybody', $$ grant select on public.tags to public $$),
('read_only', 'inserting', $$ grant insert on public.messages to authenticated $$),
('read_only', 'updating one column', $$ grant update (status) on public.messages to authenticated $$),
('read_only', 'truncating', $$ grant truncate on public.messages to service_role $$),
('read_only', 'a private table', $$ grant select on private.outbox to authenticated $$),
('read_only', 'a private table for the service role', $$ grant select on private.whatsapp_credentials to service_role $$),
('read_only', 'a worker function', $$ grant execute on function worker.claim_account_checks(integer) to authenticated $$),
('hidden_column', 'the whole table', $$ grant select on public.org_invitations to authenticated $$),
('hidden_column', 'the column', $$ grant select (token_hash) on public.org_invitations to authenticated $$),
('private_functions', 'one more', $$ grant execute on function private.raise_error(text, jsonb) to authenticated $$),
('policy_helpers', 'a volatile one', $$ alter function private.my_org_ids() volatile $$),
('policy_helpers', 'an invoker one', $$ alter function private.my_orgs_with(text) security invoker $$),
('api_functions', 'an invoker one', $$ alter function public.create_tag(uuid, text, text) security invoker $$),
('api_functions', 'one that is granted to nobody', $$ revoke execute on function public.create_tag(uuid, text, text) from authenticated $$),
('api_functions', 'one for the service role', $$ grant execute on function public.delete_organization(uuid, text) to service_role $$),
('worker_functions', 'one for authenticated', $$ grant execute on function worker.purge(integer) to authenticated $$),
('worker_functions', 'an invoker one', $$ alter function worker.purge(integer) security invoker $$),
('worker_functions', 'a new one nobody granted', $$ create function worker.f() returns int language sql security definer as 'select 1' $$),
('worker_role', 'a table', $$ grant select on public.messages to octopush_worker $$),
('worker_role', 'a function of the API', $$ grant execute on function public.create_tag(uuid, text, text) to octopush_worker $$),
('worker_role', 'a secret', $$ grant usage on schema vault to octopush_worker; grant select on vault.secrets to octopush_worker $$),
('worker_role', 'bypassing row-level security', $$ alter role octopush_worker bypassrls $$),
('worker_role', 'being somebody else', $$ grant service_role to octopush_worker $$),
('views', 'a definer view', $$ create view public.v as select 1 $$),
('views', 'a view that became one', $$ alter view public.conversation_list reset (security_invoker) $$),
('views', 'a materialised view', $$ create materialized view public.v as select 1 $$),
('comments', 'a table without', $$ comment on table public.tags is null $$),
('comments', 'a view without', $$ comment on view public.conversation_list is null $$),
('comments', 'a function without', $$ comment on function public.delete_tag(uuid) is null $$),
('error_codes', 'a code that does not exist', $$ create function private.f() returns void language plpgsql as 'begin perform private.raise_error(''TAG_999''); end' $$),
('error_codes', 'one in a comment', $$ comment on function public.delete_tag(uuid) is 'Errors: TAG_998.' $$),
('one_raiser', 'another raiser', $$ create function private.f() returns void language plpgsql as $f$ begin raise sqlstate 'PGRST'; end $f$ $$),
('publication', 'a table more', $$ alter publication supabase_realtime add table public.org_invitations $$),
('publication', 'a table less', $$ alter publication supabase_realtime drop table public.messages $$),
('owner', 'a table of the superuser', $$ alter table public.tags owner to supabase_admin $$),
('owner', 'a function of the superuser', $$ alter function public.delete_tag(uuid) owner to supabase_admin $$),
('owner', 'a table of an extension', $$ alter extension octopush add table public.tags $$);

select ok(tests.sees(f.rule, f.fault), format('%s: %s', f.rule, f.says)) from tests.faults f;
select is_empty('select name from tests.rules except select rule from tests.faults', 'every rule has a fault that it sees');
select is_empty('select name, o from tests.rules r, tests.offenders(r.name) o', 'and all faults are taken back');

select * from finish();
rollback;
