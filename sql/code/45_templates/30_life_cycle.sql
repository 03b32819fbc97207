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
