-- What people write into a campaign: reading the fields they send and saying what is wrong with them. Called by 15_drafts.sql.
-- Must stay true: a draft may lack anything but its name, and holds nothing malformed; problems are {"field", "code", "message"}.

create or replace function private.campaign_problem(p_field text, p_code text, p_message text)
returns jsonb
language sql immutable parallel safe
set search_path = ''
as $$ select jsonb_build_object('field', p_field, 'code', p_code, 'message', p_message) $$;

create or replace function private.refuse_campaign_field(p_field text, p_code text, p_message text)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    perform private.raise_error('CAMPAIGN_009', jsonb_build_object('problems', jsonb_build_array(private.campaign_problem(p_field, p_code, p_message))));
end
$$;

create or replace function private.is_time_zone(p_name text)
returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
    -- Abbreviations and offsets are zones to Postgres as well, and mean something else to people.
    if p_name !~ '^[A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+)*$' then
        return false;
    end if;
    perform now() at time zone p_name;
    return true;
exception when invalid_parameter_value then
    return false;
end
$$;

create or replace function private.check_audience(p_org_id uuid, p_audience jsonb)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if p_audience is null then
        return;
    end if;
    if p_audience ? 'segment_id' then
        if (select count(*) from jsonb_object_keys(p_audience)) > 1 or not exists (
            select from public.segments s where s.org_id = p_org_id and s.id::text = p_audience ->> 'segment_id')
        then
            perform private.refuse_campaign_field('audience', 'unknown_segment', 'There is no such segment');
        end if;
        return;
    end if;
    if p_audience -> 'trash' = 'true' then
        perform private.refuse_campaign_field('audience', 'wrong_value', 'Contacts in the trash get no campaigns');
    end if;
    if jsonb_typeof(p_audience -> 'rules') = 'object' and octopush.check_segment(p_audience -> 'rules', private.segment_context(p_org_id)) <> '[]' then
        perform private.refuse_campaign_field('audience', 'wrong_rules', 'The rules of the audience are not valid');
    end if;
    -- Refuses whatever else is malformed. Nobody is in the list of ids, so nothing is looked for.
    perform s from private.selected_contacts(p_org_id, case when p_audience ? 'ids' then p_audience
        else p_audience || '{"rules": {"any": []}}' end) s limit 1;
end
$$;

create or replace function private.check_quiet_hours(p_quiet_hours jsonb)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if p_quiet_hours is not null and (
        (select count(*) from jsonb_object_keys(p_quiet_hours)) <> 2
        or coalesce(p_quiet_hours ->> 'from', '') !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
        or coalesce(p_quiet_hours ->> 'to', '') !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
        or p_quiet_hours -> 'from' = p_quiet_hours -> 'to')
    then
        perform private.refuse_campaign_field('quiet_hours', 'wrong_value', 'Quiet hours go from one time of the day to another');
    end if;
end
$$;

create or replace function private.check_campaign_test(p_test jsonb)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if p_test is not null and (
        exists (select from jsonb_object_keys(p_test) k where k not in ('percent', 'hours', 'measure', 'choose'))
        or coalesce(p_test ->> 'percent', '') !~ '^[1-9][0-9]?$' or coalesce(p_test ->> 'hours', '') !~ '^([1-9][0-9]?|1[0-5][0-9]|16[0-8])$'
        or coalesce(p_test ->> 'measure', '') not in ('read', 'reply') or coalesce(p_test ->> 'choose', '') not in ('automatic', 'manual'))
    then
        perform private.refuse_campaign_field('test', 'wrong_value', 'A test has a share of 1 to 99 percent, 1 to 168 hours, a measure and who chooses');
    end if;
end
$$;

-- The campaign with those of its columns that p_fields names. Errors: CAMPAIGN_009, CONTACT_012.
create or replace function private.merge_campaign_fields(p_old public.campaigns, p_fields jsonb)
returns public.campaigns
language plpgsql stable
set search_path = ''
as $$
declare
    v_new public.campaigns;
    v_unknown text;
begin
    if jsonb_typeof(p_fields) is distinct from 'object' then
        perform private.refuse_campaign_field(null, 'wrong_value', 'The fields are not an object');
    end if;
    select min(k) into v_unknown from jsonb_object_keys(p_fields) k
    where k not in ('name', 'description', 'whatsapp_account_id', 'audience', 'scheduled_at', 'time_zone', 'quiet_hours', 'uncertain_policy',
        'uncertain_hours', 'holdout_percent', 'test', 'attribution_days', 'variants');
    if v_unknown is not null then
        perform private.refuse_campaign_field(v_unknown, 'unknown', 'There is no such field');
    end if;
    begin
        v_new := jsonb_populate_record(p_old, p_fields - 'variants');
    exception when data_exception then
        perform private.refuse_campaign_field(null, 'wrong_value', 'A value has the wrong type');
    end;
    v_new.name := btrim(v_new.name);
    v_new.description := nullif(btrim(v_new.description), '');
    v_new.uncertain_policy := coalesce(v_new.uncertain_policy, 'miss');
    v_new.uncertain_hours := coalesce(v_new.uncertain_hours, 24);
    v_new.holdout_percent := coalesce(v_new.holdout_percent, 0);
    v_new.attribution_days := coalesce(v_new.attribution_days, 7);
    if v_new.name is null or length(v_new.name) not between 1 and 100 then
        perform private.refuse_campaign_field('name', 'wrong_value', 'A name has 1 to 100 characters');
    elsif length(v_new.description) > 1000 then
        perform private.refuse_campaign_field('description', 'wrong_value', 'A description has at most 1000 characters');
    elsif v_new.whatsapp_account_id is not null and not exists (
        select from public.whatsapp_accounts a where a.org_id = v_new.org_id and a.id = v_new.whatsapp_account_id)
    then
        perform private.refuse_campaign_field('whatsapp_account_id', 'unknown_account', 'There is no such number');
    elsif v_new.uncertain_policy not in ('miss', 'repeat') then
        perform private.refuse_campaign_field('uncertain_policy', 'wrong_value', 'miss or repeat');
    elsif v_new.uncertain_hours not between 1 and 168 then
        perform private.refuse_campaign_field('uncertain_hours', 'wrong_value', '1 to 168 hours');
    elsif v_new.holdout_percent not between 0 and 50 then
        perform private.refuse_campaign_field('holdout_percent', 'wrong_value', '0 to 50 percent');
    elsif v_new.attribution_days not between 1 and 90 then
        perform private.refuse_campaign_field('attribution_days', 'wrong_value', '1 to 90 days');
    elsif v_new.time_zone is not null and not private.is_time_zone(v_new.time_zone) then
        perform private.refuse_campaign_field('time_zone', 'wrong_value', 'There is no such time zone');
    elsif jsonb_typeof(v_new.audience) <> 'object' or jsonb_typeof(v_new.quiet_hours) <> 'object' or jsonb_typeof(v_new.test) <> 'object' then
        perform private.refuse_campaign_field(null, 'wrong_value', 'Audience, quiet hours and test are objects');
    end if;
    if v_new.audience is distinct from p_old.audience then
        perform private.check_audience(v_new.org_id, v_new.audience);
    end if;
    perform private.check_quiet_hours(v_new.quiet_hours);
    perform private.check_campaign_test(v_new.test);
    return v_new;
end
$$;

-- p_variants: [{template_id, variables, links, share}], in order. Links a template has and the campaign does not name lead where the template says.
create or replace function private.set_campaign_variants(p_campaign public.campaigns, p_variants jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_problem record;
begin
    if jsonb_typeof(p_variants) <> 'array' or jsonb_array_length(p_variants) > 3 then
        perform private.refuse_campaign_field('variants', 'wrong_value', 'A campaign has at most three variants');
    end if;
    for v_problem in
        select v.nth, case
            when jsonb_typeof(v.value) <> 'object'
                or exists (select from jsonb_object_keys(v.value) k where k not in ('template_id', 'variables', 'links', 'share')) then 'variants'
            when coalesce(jsonb_typeof(v.value -> 'variables') not in ('object', 'null'), false) or length((v.value -> 'variables')::text) > 60000 then 'variables'
            when coalesce(jsonb_typeof(v.value -> 'links') not in ('object', 'null'), false)
                or exists (select from jsonb_each_text(nullif(v.value -> 'links', 'null')) l
                    where l.key !~ '^[0-9]$' or private.destination_problem(l.value) is not null) then 'links'
            when coalesce(v.value ->> 'share', '1') !~ '^[1-9][0-9]{0,3}$' then 'share'
            when v.value ->> 'template_id' is not null and not exists (
                select from public.templates t
                where t.org_id = p_campaign.org_id and t.id::text = v.value ->> 'template_id' and t.deleted_at is null) then 'template_id'
            end as field
        from (select v.value, v.nth from jsonb_array_elements(p_variants) with ordinality v (value, nth)) v
        order by v.nth
    loop
        if v_problem.field is not null then
            perform private.refuse_campaign_field('variants.' || (v_problem.nth - 1) || '.' || v_problem.field, 'wrong_value', 'This part of a variant is not valid');
        end if;
    end loop;
    delete from public.campaign_variants v where v.campaign_id = p_campaign.id;
    insert into public.campaign_variants (campaign_id, position, org_id, template_id, variables, links, share)
    select p_campaign.id, v.nth, p_campaign.org_id, t.id, coalesce(nullif(v.value -> 'variables', 'null'), '{}'),
        coalesce(t.links, '{}') || coalesce((
            select jsonb_object_agg(l.key, l.value) from jsonb_each(nullif(v.value -> 'links', 'null')) l where t.links ? l.key), '{}'),
        coalesce((v.value ->> 'share')::integer, 1)
    from jsonb_array_elements(p_variants) with ordinality v (value, nth)
    left join public.templates t on t.org_id = p_campaign.org_id and t.id = (v.value ->> 'template_id')::uuid;
end
$$;
