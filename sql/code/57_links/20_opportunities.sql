-- Sales opportunities: what came of campaigns. Recorded by agents here, by signed callbacks in 30_conversions.sql.
-- Must stay true: one that names no campaign belongs to the last campaign the contact received within its attribution window; the ledger's
-- opportunity_at is the first of the recipient's opportunities of that campaign, and null when there is none.

-- problem: the field that is wrong ('*' when p_fields is no object), null when all are right.
create or replace function private.read_opportunity(p_fields jsonb, p_allowed text[])
returns private.opportunity_fields
language plpgsql volatile
set search_path = ''
as $$
declare
    v_fields private.opportunity_fields;
    v_key text;
    v_value text;
begin
    if jsonb_typeof(p_fields) is distinct from 'object' then
        v_fields.problem := '*';
        return v_fields;
    end if;
    v_fields.occurred_at := private.clock();
    for v_key in select jsonb_object_keys(p_fields) loop
        v_fields.problem := v_key;
        if v_key <> all (p_allowed) then
            return v_fields;
        end if;
        v_value := nullif(btrim(p_fields ->> v_key), '');
        continue when v_value is null;
        -- Amounts also as text: not every shop trusts its numbers to JSON.
        if jsonb_typeof(p_fields -> v_key) <> 'string' and (v_key <> 'amount' or jsonb_typeof(p_fields -> v_key) <> 'number') then
            return v_fields;
        end if;
        begin
            case v_key
                when 'amount' then v_fields.amount := trim_scale(v_value::numeric);
                when 'currency' then v_fields.currency := upper(v_value);
                when 'external_id' then v_fields.external_id := v_value;
                when 'note' then v_fields.note := v_value;
                when 'campaign_id' then v_fields.campaign_id := v_value::uuid;
                when 'occurred_at' then
                    -- With its zone: a time without one would be read in ours.
                    if v_value !~ '^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})$' then
                        return v_fields;
                    end if;
                    v_fields.occurred_at := v_value::timestamptz;
                else null;
            end case;
        exception when data_exception then
            return v_fields;
        end;
    end loop;
    v_fields.problem := case
        when v_fields.amount is not null and (v_fields.amount < 0 or v_fields.amount >= 1e12 or scale(v_fields.amount) > 4) then 'amount'
        when (v_fields.amount is null) <> (v_fields.currency is null) then case when v_fields.amount is null then 'amount' else 'currency' end
        when v_fields.currency !~ '^[A-Z]{3}$' then 'currency'
        when length(v_fields.external_id) > 200 then 'external_id'
        when length(v_fields.note) > 1000 then 'note'
        -- Other clocks may be ahead of ours by a little; the ledger of campaigns goes back no longer than a year.
        when v_fields.occurred_at > private.clock() + interval '5 minutes' or v_fields.occurred_at < private.clock() - interval '1 year' then 'occurred_at'
    end;
    return v_fields;
end
$$;

create or replace function private.attributed_campaign(p_org_id uuid, p_contact_id uuid, p_at timestamptz)
returns uuid
language sql stable
set search_path = ''
as $$
    select r.campaign_id
    from public.campaign_recipients r
    join public.campaigns c on c.id = r.campaign_id
    -- Reports overtake one another: whoever read, answered or followed it has received it.
    cross join lateral (select least(r.delivered_at, r.read_at, r.replied_at, r.clicked_at) as at) received
    where r.org_id = p_org_id and r.contact_id = p_contact_id
        and received.at <= p_at and received.at > p_at - make_interval(days => c.attribution_days)
    order by received.at desc, r.campaign_id desc limit 1
$$;

-- True unless the id was counted before.
create or replace function private.keep_receipt(p_org_id uuid, p_external_id text)
returns boolean
language plpgsql volatile
set search_path = ''
as $$
begin
    -- Whoever comes second waits here for the first, and then knows.
    insert into private.conversion_receipts (org_id, external_hash) values (p_org_id, extensions.digest(p_external_id, 'sha256'))
    on conflict do nothing;
    return found;
end
$$;

create or replace function private.write_opportunity(p_contact public.contacts, p_source text, p_campaign_id uuid, p_fields private.opportunity_fields)
returns public.opportunities
language plpgsql volatile
set search_path = ''
as $$
declare
    v_opportunity public.opportunities;
begin
    insert into public.opportunities (org_id, contact_id, campaign_id, source, amount, currency, external_id, note, occurred_at, created_by)
    values (p_contact.org_id, p_contact.id, coalesce(p_campaign_id, private.attributed_campaign(p_contact.org_id, p_contact.id, p_fields.occurred_at)),
        p_source, p_fields.amount, p_fields.currency, p_fields.external_id, p_fields.note, p_fields.occurred_at, (select auth.uid()))
    returning * into v_opportunity;
    update public.campaign_recipients r set opportunity_at = v_opportunity.occurred_at
    where r.campaign_id = v_opportunity.campaign_id and r.contact_id = p_contact.id
        and coalesce(r.opportunity_at > v_opportunity.occurred_at, true);
    perform private.record_activity(p_contact.org_id, 'opportunity.recorded', (select auth.uid()), p_contact.id,
        p_data => jsonb_strip_nulls(jsonb_build_object('opportunity_id', v_opportunity.id, 'campaign_id', v_opportunity.campaign_id,
            'source', p_source, 'amount', v_opportunity.amount, 'currency', v_opportunity.currency)));
    perform private.broadcast_contacts(p_contact.org_id, array[p_contact.id]);
    return v_opportunity;
end
$$;

-- Agents record them, campaign managers answer for them.
create or replace function private.require_opportunities(p_org_id uuid)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if not (p_org_id = any (private.my_orgs_with('inbox.answer'))) then
        perform private.require_permission(p_org_id, 'campaigns.manage');
    end if;
end
$$;

create or replace function public.record_opportunity(p_contact_id uuid, p_fields jsonb)
returns public.opportunities
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_contact public.contacts := private.contact_for(p_contact_id, 'read');
    v_fields private.opportunity_fields;
begin
    perform private.require_opportunities(v_contact.org_id);
    if v_contact.deleted_at is not null then
        perform private.raise_error('CONTACT_004', jsonb_build_object('contact_id', p_contact_id));
    end if;
    v_fields := private.read_opportunity(p_fields, array['amount', 'currency', 'external_id', 'note', 'campaign_id', 'occurred_at']);
    if v_fields.problem is not null then
        perform private.raise_error('OPPORTUNITY_002', jsonb_build_object('field', v_fields.problem));
    end if;
    if v_fields.campaign_id is not null and not exists (
        select from public.campaigns c
        where c.id = v_fields.campaign_id and c.org_id = v_contact.org_id and c.launched_at <= v_fields.occurred_at
    ) then
        perform private.raise_error('OPPORTUNITY_002', '{"field": "campaign_id"}');
    end if;
    if v_fields.external_id is not null and not private.keep_receipt(v_contact.org_id, v_fields.external_id) then
        perform private.raise_error('OPPORTUNITY_002', '{"field": "external_id"}');
    end if;
    return private.write_opportunity(v_contact, 'agent', v_fields.campaign_id, v_fields);
end
$$;
comment on function public.record_opportunity(uuid, jsonb) is
    'p_fields: amount and currency (both or neither), external_id, note, campaign_id (default: the last one received within its attribution window), occurred_at (default: now). Errors: AUTH_003, CONTACT_001, CONTACT_004, CONTACT_010, OPPORTUNITY_002 (details.field).';

create or replace function public.delete_opportunity(p_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_opportunity public.opportunities;
begin
    select o.* into v_opportunity from public.opportunities o where o.id = p_id and o.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('OPPORTUNITY_001');
    end if;
    perform private.require_opportunities(v_opportunity.org_id);
    -- Contacts first: what is recorded for this one at the same time waits, or has been.
    perform from public.contacts c where c.id = v_opportunity.contact_id for no key update;
    delete from public.opportunities o where o.id = p_id returning o.* into v_opportunity;
    if not found then
        perform private.raise_error('OPPORTUNITY_001');
    end if;
    update public.campaign_recipients r set opportunity_at = (
        select min(o.occurred_at) from public.opportunities o
        where o.org_id = r.org_id and o.campaign_id = r.campaign_id and o.contact_id = r.contact_id)
    where r.campaign_id = v_opportunity.campaign_id and r.contact_id = v_opportunity.contact_id and r.opportunity_at is not null;
    perform private.record_activity(v_opportunity.org_id, 'opportunity.deleted', (select auth.uid()), v_opportunity.contact_id,
        p_data => jsonb_strip_nulls(jsonb_build_object('opportunity_id', p_id, 'campaign_id', v_opportunity.campaign_id,
            'amount', v_opportunity.amount, 'currency', v_opportunity.currency)));
    perform private.broadcast_contacts(v_opportunity.org_id, array[v_opportunity.contact_id]);
end
$$;
comment on function public.delete_opportunity(uuid) is
    'Takes back one that was none. Its external id stays counted. Errors: AUTH_003, OPPORTUNITY_001.';
