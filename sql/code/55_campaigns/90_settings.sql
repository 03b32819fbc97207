-- What an organisation sets for all its campaigns: how much marketing anybody gets, and what messages cost. Called by the settings page.
-- Must stay true: what is stored has the shape that 20_audience.sql and 28_costs.sql read without checking.

create or replace function private.is_price(p_price jsonb)
returns boolean
language sql immutable parallel safe
set search_path = ''
as $$
    select jsonb_typeof(p_price) = 'object' and not exists (
        select from jsonb_each(case when jsonb_typeof(p_price) = 'object' then p_price else '{}' end) e
        where e.key not in ('marketing', 'utility', 'authentication') or jsonb_typeof(e.value) <> 'number'
            or (e.value #>> '{}')::numeric not between 0 and 1000000)
$$;

create or replace function private.check_message_prices(p_prices jsonb)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if jsonb_typeof(p_prices) <> 'object' or exists (select from jsonb_object_keys(p_prices) k where k not in ('currency', 'default', 'countries'))
        or coalesce(p_prices ->> 'currency', '') !~ '^[A-Z]{3}$'
        or not private.is_price(coalesce(p_prices -> 'default', '{}'))
        or jsonb_typeof(coalesce(p_prices -> 'countries', '{}')) <> 'object'
    then
        perform private.refuse_campaign_field('message_prices', 'wrong_value', 'Prices have a currency, a default and countries');
    end if;
    if exists (
        select from jsonb_each(coalesce(p_prices -> 'countries', '{}')) x
        where not private.is_price(x.value) or x.key not in (select c.country from private.calling_codes() c))
    then
        perform private.refuse_campaign_field('message_prices', 'wrong_value', 'A country or one of its prices is not valid');
    end if;
end
$$;

create or replace function public.set_campaign_settings(p_org_id uuid, p_fields jsonb)
returns public.campaign_settings
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_cap jsonb := nullif(p_fields -> 'marketing_cap', 'null');
    v_prices jsonb := nullif(p_fields -> 'message_prices', 'null');
    v_settings public.campaign_settings;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    if jsonb_typeof(p_fields) is distinct from 'object' or exists (select from jsonb_object_keys(p_fields) k where k not in ('marketing_cap', 'message_prices')) then
        perform private.refuse_campaign_field(null, 'wrong_value', 'There is no such field');
    end if;
    if v_cap is not null and (jsonb_typeof(v_cap) <> 'object' or (select count(*) from jsonb_object_keys(v_cap)) <> 2
        or coalesce(v_cap ->> 'messages', '') !~ '^([1-9][0-9]?|100)$' or coalesce(v_cap ->> 'days', '') !~ '^([1-9]|[1-8][0-9]|90)$')
    then
        perform private.refuse_campaign_field('marketing_cap', 'wrong_value', '1 to 100 messages in 1 to 90 days');
    end if;
    if v_prices is not null then
        perform private.check_message_prices(v_prices);
    end if;
    insert into public.campaign_settings as s (org_id, marketing_cap, message_prices) values (p_org_id, v_cap, v_prices)
    on conflict (org_id) do update set
        marketing_cap = case when p_fields ? 'marketing_cap' then excluded.marketing_cap else s.marketing_cap end,
        message_prices = case when p_fields ? 'message_prices' then excluded.message_prices else s.message_prices end,
        updated_at = clock_timestamp()
    returning * into v_settings;
    return v_settings;
end
$$;
comment on function public.set_campaign_settings(uuid, jsonb) is
    'p_fields: marketing_cap {"messages", "days"} | null, message_prices {"currency", "default", "countries"} | null; those not given stay. Errors: AUTH_003, ORG_001, CAMPAIGN_009.';
