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

-- campaign_id: the last one received before p_at, unless one is named. held_out_campaign_id: one launched after that was received, of which
-- the contact was held out; it is judged by the same window, so that lift compares like with like.
create or replace function private.attribute_opportunity(p_org_id uuid, p_contact_id uuid, p_at timestamptz, p_campaign_id uuid,
    out campaign_id uuid, out held_out_campaign_id uuid)
language sql stable
set search_path = ''
as $$
    with touches as (
        select r.campaign_id, r.status = 'held_out' as is_held_out, t.at, p_campaign_id is null as is_free
        from public.campaign_recipients r
        join public.campaigns c on c.id = r.campaign_id
        -- Reports overtake one another: whoever read, answered or followed it has received it.
        cross join lateral (
            select case when r.status = 'held_out' then c.launched_at else least(r.delivered_at, r.read_at, r.replied_at, r.clicked_at) end as at
        ) t
        where r.org_id = p_org_id and r.contact_id = p_contact_id
            and t.at <= p_at and (t.at > p_at - make_interval(days => c.attribution_days) or r.campaign_id = p_campaign_id)
    ), received as (
        select t.campaign_id, t.at from touches t where not t.is_held_out and (t.is_free or t.campaign_id = p_campaign_id)
        order by t.at desc, t.campaign_id desc limit 1
    )
    select coalesce(p_campaign_id, (select r.campaign_id from received r)), (
        select t.campaign_id from touches t
        where t.is_held_out and t.campaign_id is distinct from p_campaign_id and coalesce(t.at > (select r.at from received r), true)
        order by t.at desc, t.campaign_id desc limit 1)
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

-- The ledger's rows an opportunity counts for, after it came or went.
create or replace function private.mark_opportunities(p_opportunity public.opportunities)
returns void
language sql volatile
set search_path = ''
as $$
    update public.campaign_recipients r set opportunity_at = f.first_at
    from (
        select c.id, (
            select min(o.occurred_at) from public.opportunities o
            where o.org_id = p_opportunity.org_id and o.contact_id = p_opportunity.contact_id and c.id in (o.campaign_id, o.held_out_campaign_id)
        ) as first_at
        from unnest(array[p_opportunity.campaign_id, p_opportunity.held_out_campaign_id]) c (id) where c.id is not null
    ) f
    where r.campaign_id = f.id and r.contact_id = p_opportunity.contact_id and r.opportunity_at is distinct from f.first_at
$$;

create or replace function private.write_opportunity(p_contact public.contacts, p_source text, p_campaign_id uuid, p_fields private.opportunity_fields)
returns public.opportunities
language plpgsql volatile
set search_path = ''
as $$
declare
    v_opportunity public.opportunities;
    v_of record;
begin
    select * into v_of from private.attribute_opportunity(p_contact.org_id, p_contact.id, p_fields.occurred_at, p_campaign_id);
    insert into public.opportunities
        (org_id, contact_id, campaign_id, held_out_campaign_id, source, amount, currency, external_id, note, occurred_at, created_by)
    values (p_contact.org_id, p_contact.id, v_of.campaign_id, v_of.held_out_campaign_id, p_source,
        p_fields.amount, p_fields.currency, p_fields.external_id, p_fields.note, p_fields.occurred_at, (select auth.uid()))
    returning * into v_opportunity;
    perform private.mark_opportunities(v_opportunity);
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
    perform private.mark_opportunities(v_opportunity);
    perform private.record_activity(v_opportunity.org_id, 'opportunity.deleted', (select auth.uid()), v_opportunity.contact_id,
        p_data => jsonb_strip_nulls(jsonb_build_object('opportunity_id', p_id, 'campaign_id', v_opportunity.campaign_id,
            'amount', v_opportunity.amount, 'currency', v_opportunity.currency)));
    perform private.broadcast_contacts(v_opportunity.org_id, array[v_opportunity.contact_id]);
end
$$;
comment on function public.delete_opportunity(uuid) is
    'Takes back one that was none. Its external id stays counted. Errors: AUTH_003, OPPORTUNITY_001.';

create or replace view public.opportunity_list with (security_invoker = true) as
select o.id, o.org_id, o.contact_id, o.campaign_id, o.source, o.amount, o.currency, o.external_id, o.note, o.occurred_at, o.created_by, o.created_at,
    c.name as campaign_name, p.full_name as created_by_name
from public.opportunities o
left join public.campaigns c on c.id = o.campaign_id
left join public.profiles p on p.user_id = o.created_by;
comment on view public.opportunity_list is 'Opportunities with names. Of a contact: by (org_id, contact_id), newest occurred_at first.';
