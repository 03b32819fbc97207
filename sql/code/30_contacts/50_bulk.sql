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
