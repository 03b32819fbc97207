-- Consent to marketing (PRD §5.6): one person at a time here, many at once through private.record_consents.
-- Must stay true: a consent changes together with its line of history and its activity, or not at all.

-- p_changes: [{contact_id, old, new, source, evidence, decided_at?}], of contacts whose rows the caller has locked and changes itself.
-- Called by everything that changes consent: this file, creation, bulk changes, imports, keywords, merges.
create or replace function private.record_consents(p_org_id uuid, p_actor uuid, p_changes jsonb)
returns void
language sql volatile
set search_path = ''
as $$
    with changes as materialized (
        select x.contact_id, x.old, x.new, x.source, left(x.evidence, 500) as evidence, coalesce(x.decided_at, clock_timestamp()) as decided_at
        from jsonb_to_recordset(p_changes) as x (contact_id uuid, old text, new text, source text, evidence text, decided_at timestamptz)
    ), history as (
        insert into public.contact_consents (org_id, contact_id, old_status, new_status, source, evidence, actor_id, decided_at)
        select p_org_id, c.contact_id, c.old, c.new, c.source, c.evidence, p_actor, c.decided_at from changes c
    )
    insert into public.activity_log (org_id, kind, actor_id, contact_id, data)
    select p_org_id, 'contact.consent_changed', p_actor, c.contact_id, jsonb_build_object('old', c.old, 'new', c.new, 'source', c.source)
    from changes c
$$;

create or replace function private.check_consent(p_status text, p_source text, p_evidence text)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if p_status is null or p_status not in ('opted_in', 'opted_out', 'pending') then
        perform private.raise_error('CONTACT_007', '{"field": "opt_in_status"}');
    end if;
    if p_source is null or p_source not in ('form', 'whatsapp', 'import', 'manual') then
        perform private.raise_error('CONTACT_007', '{"field": "opt_in_source"}');
    end if;
    if length(p_evidence) > 500 then
        perform private.raise_error('CONTACT_007', '{"field": "evidence"}');
    end if;
end
$$;

create or replace function public.set_contact_consent(p_id uuid, p_status text, p_source text default 'manual', p_evidence text default null)
returns public.contacts
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.write');
begin
    perform private.check_consent(p_status, p_source, p_evidence);
    if v_contact.deleted_at is not null then
        perform private.raise_error('CONTACT_004', jsonb_build_object('contact_id', p_id));
    end if;
    if v_contact.opt_in_status = p_status then
        return v_contact;
    end if;
    perform private.record_consents(v_contact.org_id, (select auth.uid()), jsonb_build_array(jsonb_build_object('contact_id', p_id,
        'old', v_contact.opt_in_status, 'new', p_status, 'source', p_source, 'evidence', nullif(btrim(p_evidence), ''))));
    update public.contacts c set
        opt_in_status = p_status, opt_in_source = p_source, updated_at = clock_timestamp(),
        opt_in_at = case when p_status = 'opted_in' then now() else c.opt_in_at end
    where c.id = p_id returning c.* into v_contact;
    perform private.broadcast('org:' || v_contact.org_id, 'activity', '{}');
    perform private.broadcast_contacts(v_contact.org_id, array[p_id]);
    return v_contact;
end
$$;
comment on function public.set_contact_consent(uuid, text, text, text) is
    'p_source: form | whatsapp | import | manual; p_evidence: what shows it, at most 500 characters. Errors: AUTH_003, CONTACT_001, CONTACT_004, CONTACT_007 (details.field), CONTACT_010.';
