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
