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
