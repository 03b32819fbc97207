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
