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
