-- Campaigns before they are sent: made, edited, copied, deleted, and what they still lack. Called by the web UI and supabase-js.
-- Must stay true: what was launched never changes (CAMPAIGN_003); a stale edit is refused; a campaign with problems is never launched.

-- The caller's campaign, locked; feeding waits for whoever holds it.
create or replace function private.campaign_to_change(p_id uuid)
returns public.campaigns
language plpgsql volatile
set search_path = ''
as $$
declare
    v_campaign public.campaigns;
begin
    select c.* into v_campaign from public.campaigns c where c.id = p_id and c.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('CAMPAIGN_001');
    end if;
    perform private.require_permission(v_campaign.org_id, 'campaigns.manage');
    select c.* into v_campaign from public.campaigns c where c.id = p_id for no key update;
    if not found then
        perform private.raise_error('CAMPAIGN_001');
    end if;
    return v_campaign;
end
$$;

create or replace function private.campaign_to_read(p_id uuid)
returns public.campaigns
language plpgsql stable
set search_path = ''
as $$
declare
    v_campaign public.campaigns;
begin
    select c.* into v_campaign from public.campaigns c
    where c.id = p_id and (c.org_id = any (private.my_org_ids()) or private.is_database_admin());
    if not found then
        perform private.raise_error('CAMPAIGN_001');
    end if;
    return v_campaign;
end
$$;

create or replace function private.broadcast_campaigns(p_org_id uuid, p_campaign_ids uuid[])
returns void
language sql volatile
set search_path = ''
as $$ select private.broadcast('org:' || p_org_id, 'campaigns', jsonb_build_object('campaign_ids', to_jsonb(p_campaign_ids[1:100]))) $$;

create or replace function public.create_campaign(p_org_id uuid, p_fields jsonb)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns;
begin
    perform private.require_permission(p_org_id, 'campaigns.manage');
    v_campaign.org_id := p_org_id;
    v_campaign := private.merge_campaign_fields(v_campaign, p_fields);
    insert into public.campaigns (org_id, name, description, whatsapp_account_id, audience, scheduled_at, time_zone, quiet_hours, uncertain_policy,
        uncertain_hours, holdout_percent, test, attribution_days, created_by)
    values (p_org_id, v_campaign.name, v_campaign.description,
        -- Most have one number.
        coalesce(v_campaign.whatsapp_account_id, (
            select (array_agg(a.id))[1] from public.whatsapp_accounts a where a.org_id = p_org_id and a.status = 'connected' having count(*) = 1)),
        v_campaign.audience, v_campaign.scheduled_at, v_campaign.time_zone, v_campaign.quiet_hours, v_campaign.uncertain_policy,
        v_campaign.uncertain_hours, v_campaign.holdout_percent, v_campaign.test, v_campaign.attribution_days, (select auth.uid()))
    returning * into v_campaign;
    if jsonb_typeof(p_fields -> 'variants') <> 'null' then
        perform private.set_campaign_variants(v_campaign, p_fields -> 'variants');
    end if;
    perform private.record_activity(p_org_id, 'campaign.created', (select auth.uid()),
        p_data => jsonb_build_object('campaign_id', v_campaign.id, 'name', v_campaign.name));
    perform private.broadcast_campaigns(p_org_id, array[v_campaign.id]);
    return v_campaign;
end
$$;
comment on function public.create_campaign(uuid, jsonb) is
    'A draft; all but the name may follow later. p_fields: columns of campaigns, and "variants": [{template_id, variables, links, share}]. '
    'Errors: AUTH_003, ORG_001, CAMPAIGN_009 (details.problems), CONTACT_012.';

create or replace function private.require_version(p_campaign public.campaigns, p_expected_updated_at timestamptz)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if p_campaign.updated_at is distinct from p_expected_updated_at then
        perform private.raise_error('CAMPAIGN_007', jsonb_build_object('campaign', to_jsonb(p_campaign)));
    end if;
end
$$;

create or replace function public.update_campaign(p_id uuid, p_fields jsonb, p_expected_updated_at timestamptz)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_old public.campaigns := private.campaign_to_change(p_id);
    v_new public.campaigns;
begin
    if v_old.status not in ('draft', 'scheduled') then
        perform private.raise_error('CAMPAIGN_003', jsonb_build_object('status', v_old.status));
    end if;
    perform private.require_version(v_old, p_expected_updated_at);
    v_new := private.merge_campaign_fields(v_old, p_fields);
    if v_old.status = 'scheduled' and v_new.scheduled_at is distinct from v_old.scheduled_at and coalesce(v_new.scheduled_at <= private.clock(), true) then
        perform private.raise_error('CAMPAIGN_008');
    end if;
    update public.campaigns c set
        name = v_new.name, description = v_new.description, whatsapp_account_id = v_new.whatsapp_account_id, audience = v_new.audience,
        scheduled_at = v_new.scheduled_at, time_zone = v_new.time_zone, quiet_hours = v_new.quiet_hours, uncertain_policy = v_new.uncertain_policy,
        uncertain_hours = v_new.uncertain_hours, holdout_percent = v_new.holdout_percent, test = v_new.test,
        attribution_days = v_new.attribution_days, updated_at = clock_timestamp()
    where c.id = p_id returning c.* into v_new;
    if jsonb_typeof(p_fields -> 'variants') <> 'null' then
        perform private.set_campaign_variants(v_new, p_fields -> 'variants');
    end if;
    if v_old.status = 'scheduled' then
        perform private.require_complete(v_new);
    end if;
    perform private.broadcast_campaigns(v_new.org_id, array[p_id]);
    return v_new;
end
$$;
comment on function public.update_campaign(uuid, jsonb, timestamptz) is
    'Draft or scheduled; fields not given stay. One that is scheduled must stay complete. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_003, CAMPAIGN_004, CAMPAIGN_006–009, CONTACT_012.';

create or replace function public.delete_campaign(p_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status <> 'draft' then
        perform private.raise_error('CAMPAIGN_005', jsonb_build_object('status', v_campaign.status));
    end if;
    delete from public.campaigns c where c.id = p_id;
    perform private.broadcast_campaigns(v_campaign.org_id, array[p_id]);
end
$$;
comment on function public.delete_campaign(uuid) is 'A draft only. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005 (details.status).';

create or replace function public.duplicate_campaign(p_id uuid)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_old public.campaigns := private.campaign_to_change(p_id);
    v_new public.campaigns;
begin
    insert into public.campaigns (org_id, name, description, whatsapp_account_id, audience, time_zone, quiet_hours, uncertain_policy,
        uncertain_hours, holdout_percent, test, attribution_days, created_by)
    values (v_old.org_id, btrim(left(v_old.name, 93)) || ' (copy)', v_old.description, v_old.whatsapp_account_id, v_old.audience, v_old.time_zone,
        v_old.quiet_hours, v_old.uncertain_policy, v_old.uncertain_hours, v_old.holdout_percent, v_old.test, v_old.attribution_days, (select auth.uid()))
    returning * into v_new;
    insert into public.campaign_variants (campaign_id, position, org_id, template_id, variables, links, share)
    select v_new.id, v.position, v.org_id, v.template_id, v.variables, v.links, v.share from public.campaign_variants v where v.campaign_id = p_id;
    perform private.record_activity(v_new.org_id, 'campaign.created', (select auth.uid()),
        p_data => jsonb_build_object('campaign_id', v_new.id, 'name', v_new.name, 'copied_id', p_id));
    perform private.broadcast_campaigns(v_new.org_id, array[v_new.id]);
    return v_new;
end
$$;
comment on function public.duplicate_campaign(uuid) is 'A new draft with everything but the time. Errors: AUTH_003, CAMPAIGN_001.';

-- What keeps a campaign from being launched now.
create or replace function private.campaign_problems(p_campaign public.campaigns)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
    v_problems jsonb := '[]'::jsonb;
    v_account public.whatsapp_accounts;
    v_context jsonb := private.segment_context(p_campaign.org_id);
    v_found jsonb;
    v_variant record;
    v_count integer := 0;
begin
    if p_campaign.audience is null then
        v_problems := v_problems || private.campaign_problem('audience', 'missing', 'Choose who gets the campaign');
    elsif p_campaign.audience ? 'segment_id' then
        if not exists (select from public.segments s where s.org_id = p_campaign.org_id and s.id::text = p_campaign.audience ->> 'segment_id') then
            v_problems := v_problems || private.campaign_problem('audience', 'unknown_segment', 'The segment does not exist any more');
        elsif exists (select from public.segments s
            where s.org_id = p_campaign.org_id and s.id::text = p_campaign.audience ->> 'segment_id' and s.evaluated_at is null)
        then
            v_problems := v_problems || private.campaign_problem('audience', 'segment_not_ready', 'The segment is still being worked out');
        end if;
    end if;
    select a.* into v_account from public.whatsapp_accounts a where a.id = p_campaign.whatsapp_account_id;
    if not found then
        v_problems := v_problems || private.campaign_problem('whatsapp_account_id', 'missing', 'Choose the number that sends it');
    elsif v_account.status <> 'connected' then
        v_problems := v_problems || private.campaign_problem('whatsapp_account_id', 'WA_006', 'The number is not connected');
    elsif v_account.quality_rating = 'RED' then
        v_problems := v_problems || private.campaign_problem('whatsapp_account_id', 'WA_007', 'The quality rating of the number is too low');
    end if;
    for v_variant in
        select v.position, v.variables, v.links, t.status, t.category, t.waba_id, t.deleted_at, t.links as template_links, t.id as template_id,
            private.template_shape(t) as content
        from public.campaign_variants v left join public.templates t on t.id = v.template_id
        where v.campaign_id = p_campaign.id order by v.position
    loop
        v_count := v_count + 1;
        if v_variant.template_id is null then
            v_problems := v_problems || private.campaign_problem('variants.' || (v_variant.position - 1) || '.template_id', 'missing', 'Choose a template');
        elsif v_variant.status <> 'approved' or v_variant.deleted_at is not null then
            v_problems := v_problems || private.campaign_problem('variants.' || (v_variant.position - 1) || '.template_id', 'WA_002', 'The template is not approved');
        elsif v_variant.waba_id <> v_account.waba_id then
            v_problems := v_problems || private.campaign_problem('variants.' || (v_variant.position - 1) || '.template_id', 'other_account', 'The template belongs to another WhatsApp account');
        elsif v_variant.category = 'authentication' then
            v_problems := v_problems || private.campaign_problem('variants.' || (v_variant.position - 1) || '.template_id', 'one_time_code', 'A one-time code is sent to one person, when they ask for it');
        else
            v_found := octopush.check_campaign_variables(v_variant.content, v_variant.variables, v_context);
            if v_found = '[]' then
                v_found := coalesce(octopush.template_message(v_variant.content, octopush.campaign_values(v_variant.variables, '{}'),
                    (select jsonb_object_agg(l.key, repeat('A', 22)) from jsonb_object_keys(v_variant.template_links) l (key))) -> 'problems', '[]');
            end if;
            select v_problems || coalesce(jsonb_agg(private.campaign_problem('variants.' || (v_variant.position - 1) || '.variables.' || (p.value ->> 'key'),
                coalesce(p.value ->> 'code', 'refused'), p.value ->> 'message')), '[]')
            into v_problems from jsonb_array_elements(v_found) p;
            select v_problems || coalesce(jsonb_agg(private.campaign_problem('variants.' || (v_variant.position - 1) || '.links.' || l.key, 'missing',
                'Write where the button leads')), '[]')
            into v_problems from jsonb_object_keys(v_variant.template_links) l (key) where not v_variant.links ? l.key;
        end if;
    end loop;
    if v_count = 0 then
        v_problems := v_problems || private.campaign_problem('variants', 'missing', 'Choose a template');
    elsif v_count = 1 and p_campaign.test is not null then
        v_problems := v_problems || private.campaign_problem('test', 'one_variant', 'A test needs two variants');
    end if;
    return v_problems;
end
$$;

create or replace function private.require_complete(p_campaign public.campaigns)
returns void
language plpgsql stable
set search_path = ''
as $$
declare
    v_problems jsonb;
begin
    if not exists (select from public.campaign_variants v where v.campaign_id = p_campaign.id and v.template_id is not null) then
        perform private.raise_error('CAMPAIGN_004');
    end if;
    v_problems := private.campaign_problems(p_campaign);
    if v_problems <> '[]' then
        perform private.raise_error('CAMPAIGN_006', jsonb_build_object('problems', v_problems));
    end if;
end
$$;
