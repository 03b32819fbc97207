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
