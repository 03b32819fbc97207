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
