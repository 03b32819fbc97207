-- Conversion callbacks: what an organisation's own site tells us. The worker checks signature and time (POST /conversions/{org_id}), what is
-- said is checked here. Called by the worker; the secret is rotated in settings.
-- Must stay true: the secret is shown once, lies in Vault and leaves it for the worker only; the same external id counts once; a token or
-- phone of another organisation is unknown here.

create or replace function public.rotate_conversion_secret(p_org_id uuid)
returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_secret text := encode(extensions.gen_random_bytes(32), 'hex');
    v_old_id uuid;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    -- Two at once would leave a secret in Vault that nobody knows of.
    perform from public.organizations o where o.id = p_org_id for no key update;
    select s.secret_id into v_old_id from private.conversion_secrets s where s.org_id = p_org_id;
    insert into private.conversion_secrets (org_id, secret_id)
    values (p_org_id, vault.create_secret(v_secret, 'conversions:' || p_org_id || ':' || octopush.uuid_v7(), 'Conversion callbacks'))
    on conflict (org_id) do update set secret_id = excluded.secret_id, rotated_at = excluded.rotated_at;
    delete from vault.secrets s where s.id = v_old_id;
    perform private.record_activity(p_org_id, 'conversion_secret.rotated', (select auth.uid()));
    return v_secret;
end
$$;
comment on function public.rotate_conversion_secret(uuid) is
    'A new secret for conversion callbacks, shown this once; the old one holds no longer. Errors: AUTH_002, AUTH_003, ORG_001.';

create or replace function worker.conversion_secret(p_org_id uuid)
returns text
language sql stable security definer
set search_path = ''
as $$
    select d.decrypted_secret
    from private.conversion_secrets s
    join public.organizations o on o.id = s.org_id and o.deleted_at is null
    join vault.decrypted_secrets d on d.id = s.secret_id
    where s.org_id = p_org_id
$$;

-- The contact a callback names, locked; null when there is none.
create or replace function private.converted_contact(p_org_id uuid, p_token text, p_phone text)
returns public.contacts
language plpgsql volatile
set search_path = ''
as $$
declare
    v_contact public.contacts;
    v_phone text;
begin
    if p_phone is not null then
        v_phone := octopush.normalize_phone(p_phone, (select o.country from public.organizations o where o.id = p_org_id));
        select c.* into v_contact from public.contacts c
        where c.org_id = p_org_id and (c.phone = v_phone or c.wa_id = ltrim(v_phone, '+'))
        order by (c.phone = v_phone) desc nulls last limit 1 for no key update;
        return v_contact;
    end if;
    -- Once more when a merge took the contact away while we waited for it: the link is the other's then.
    for i in 1..2 loop
        select c.* into v_contact from private.links l join public.contacts c on c.org_id = l.org_id and c.id = l.contact_id
        where l.token = p_token and l.org_id = p_org_id for no key update of c;
        exit when found;
    end loop;
    return v_contact;
end
$$;

create or replace function worker.record_conversion(p_org_id uuid, p_body jsonb)
returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_fields private.opportunity_fields;
    v_contact public.contacts;
    v_campaign_id uuid;
begin
    v_fields := private.read_opportunity(p_body, array['token', 'phone', 'external_id', 'amount', 'currency', 'occurred_at']);
    if v_fields.problem is not null or v_fields.external_id is null
        or num_nonnulls(nullif(p_body ->> 'token', ''), nullif(p_body ->> 'phone', '')) <> 1 then
        return 'OPPORTUNITY_002';
    end if;
    if not exists (select from public.organizations o where o.id = p_org_id and o.deleted_at is null) then
        return 'ORG_001';
    end if;
    v_contact := private.converted_contact(p_org_id, nullif(p_body ->> 'token', ''), nullif(p_body ->> 'phone', ''));
    if v_contact.id is null then
        return case when p_body ? 'token' then 'LINK_001' else 'CONTACT_001' end;
    end if;
    if not private.keep_receipt(p_org_id, v_fields.external_id) then
        return 'CONVERSION_002';
    end if;
    select l.campaign_id into v_campaign_id from private.links l where l.token = p_body ->> 'token' and l.org_id = p_org_id;
    perform private.write_opportunity(v_contact, 'callback', v_campaign_id, v_fields);
    return null;
end
$$;
comment on function worker.record_conversion(uuid, jsonb) is
    '{"token" | "phone", "external_id", "amount"?, "currency"?, "occurred_at"?} → null, or why not: OPPORTUNITY_002, ORG_001, LINK_001, CONTACT_001, CONVERSION_002 (counted before).';
