-- Whether rows changed, and whose.

-- The rows of every table an organisation's data can be in, each with its organisation.
create view tests.stored_tables as
select c.oid, format('%I.%I', n.nspname, c.relname) as name,
    -- Which organisation a row r belongs to; null where the tables below have no such column and no way to one.
    case
        when c.oid = 'public.organizations'::regclass then 'r.id'
        when c.oid = 'public.profiles'::regclass or c.oid = 'auth.users'::regclass then
            format('(select m.org_id from public.org_memberships m where m.user_id = r.%I)', case n.nspname when 'auth' then 'id' else 'user_id' end)
        when exists (select from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped) then 'r.org_id'
        when exists (select from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attname = 'whatsapp_account_id' and not a.attisdropped)
            then '(select w.org_id from public.whatsapp_accounts w where w.id = r.whatsapp_account_id)'
        when exists (select from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attname = 'phone_number_id' and not a.attisdropped)
            then '(select w.org_id from public.whatsapp_accounts w where w.phone_number_id = r.phone_number_id)'
        when exists (select from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attname = 'job_id' and not a.attisdropped)
            then '(select j.org_id from public.jobs j where j.id = r.job_id)'
        when exists (select from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attname = 'campaign_id' and not a.attisdropped)
            then '(select p.org_id from public.campaigns p where p.id = r.campaign_id)'
        -- Several organisations may share a portfolio; those of the tests do not.
        when exists (select from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attname = 'portfolio' and not a.attisdropped)
            then '(select w.org_id from public.whatsapp_accounts w where r.portfolio in (''waba '' || w.waba_id, ''business '' || w.business_id))'
    end as tenant
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and (n.nspname in ('public', 'private', 'worker') or c.oid in ('auth.users'::regclass, 'vault.secrets'::regclass));

-- A hash of every stored row, or of those of one organisation. Definer: asked in the middle of a caller's transaction.
create function tests.fingerprint(p_org text default null)
returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_table record;
    v_hash text;
    v_all text := '';
begin
    for v_table in select t.name, t.tenant from tests.stored_tables t where p_org is null or t.tenant is not null order by t.name loop
        execute format('select md5(string_agg(md5(r::text), '''' order by md5(r::text))) from %s r %s', v_table.name,
            case when p_org is not null then format('where %s = %L', v_table.tenant, tests.id(p_org)) else '' end) into v_hash;
        v_all := v_all || v_table.name || coalesce(v_hash, '-') || chr(10);
    end loop;
    return md5(v_all);
end
$$;

-- Tables in which a row of p_org mentions an id of p_other.
create function tests.mentions(p_org text, p_other text)
returns text[]
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_table record;
    v_ids text;
    v_found text[] := '{}';
    v_any boolean;
begin
    select string_agg(i.id::text, '|') into v_ids from (
        select o.id from public.organizations o where o.id = tests.id(p_other)
        union all select m.user_id from public.org_memberships m where m.org_id = tests.id(p_other)
        union all select c.id from public.contacts c where c.org_id = tests.id(p_other)
        union all select c.id from public.conversations c where c.org_id = tests.id(p_other)
        union all select m.id from public.messages m where m.org_id = tests.id(p_other)
        union all select t.id from public.tags t where t.org_id = tests.id(p_other)
        union all select a.id from public.whatsapp_accounts a where a.org_id = tests.id(p_other)
        union all select n.id from public.notifications n where n.org_id = tests.id(p_other)
        union all select n.id from public.org_invitations n where n.org_id = tests.id(p_other)
        union all select s.id from public.segments s where s.org_id = tests.id(p_other)
        union all select j.id from public.jobs j where j.org_id = tests.id(p_other)
        union all select d.id from public.custom_field_definitions d where d.org_id = tests.id(p_other)
        union all select t.id from public.templates t where t.org_id = tests.id(p_other)
        union all select c.id from public.campaigns c where c.org_id = tests.id(p_other)
        union all select o.id from public.opportunities o where o.org_id = tests.id(p_other)
    ) i;
    for v_table in select t.name, t.tenant from tests.stored_tables t where t.tenant is not null loop
        execute format('select exists (select from %s r where %s = %L and r::text ~ %L)', v_table.name, v_table.tenant, tests.id(p_org), v_ids) into v_any;
        if v_any then
            v_found := v_found || v_table.name;
        end if;
    end loop;
    return v_found;
end
$$;

-- Runs a statement as somebody and takes its effects back. Says the error's code, null when it went through, and what it changed: anything,
-- the rows of p_guarded, and rows of p_own that now mention p_guarded.
create function tests.effect(p_caller text, p_statement text, p_guarded text, p_own text default null)
returns table (code text, changed_anything boolean, changed_guarded boolean, mentions text[])
language plpgsql volatile
as $$
declare
    v_all text := tests.fingerprint();
    v_guarded text := tests.fingerprint(p_guarded);
begin
    perform tests.become(p_caller);
    begin
        code := tests.error_of(p_statement);
        perform tests.logout();
        changed_anything := tests.fingerprint() <> v_all;
        changed_guarded := tests.fingerprint(p_guarded) <> v_guarded;
        mentions := case when p_own is not null then tests.mentions(p_own, p_guarded) else '{}' end;
        raise exception sqlstate 'UNDO0';
    exception when sqlstate 'UNDO0' then
        null;
    end;
    perform tests.logout();
    return next;
end
$$;
