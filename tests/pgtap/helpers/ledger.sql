-- Campaigns as people make them and workers carry them out. Included after load.sql by the tests of campaigns.

create sequence tests.seats;
grant usage on sequence tests.seats to public;

-- A campaign of acme's manager in its first state, from template acme.news unless p_fields says otherwise.
create function tests.draft(p_name text, p_fields jsonb default '{}')
returns uuid
language plpgsql volatile
set search_path = ''
as $$
declare
    v_id uuid;
begin
    perform tests.login_as('acme.campaign_manager');
    select c.id into v_id from public.create_campaign(tests.id('acme'), jsonb_build_object('name', p_name, 'audience', '{"search": ""}'::jsonb,
        'variants', jsonb_build_array(tests.variant())) || p_fields) c;
    perform tests.logout();
    return v_id;
end
$$;

create function tests.variant(p_changes jsonb default '{}')
returns jsonb
language sql stable
set search_path = ''
as $$
    select jsonb_build_object('template_id', tests.id('acme.news'),
        'variables', '{"body.1": {"source": "contact", "field": "first_name", "default": "there"}}'::jsonb) || p_changes
$$;

create function tests.launch(p_name text, p_fields jsonb default '{}')
returns uuid
language plpgsql volatile
set search_path = ''
as $$
declare
    v_id uuid := tests.draft(p_name, p_fields);
begin
    perform tests.login_as('acme.campaign_manager');
    perform public.launch_campaign(v_id);
    perform tests.logout();
    return v_id;
end
$$;

-- acme's manager calls a function of a campaign: 'pause_campaign'.
create function tests.manage(p_function text, p_id uuid, p_more text default '')
returns text
language plpgsql volatile
set search_path = ''
as $$
declare
    v_answer text;
begin
    perform tests.login_as('acme.campaign_manager');
    execute format('select public.%I(%L%s)', p_function, p_id, p_more) into v_answer;
    perform tests.logout();
    return v_answer;
end
$$;

-- How many messages the feeder made.
create function tests.feed(p_limit integer default 100)
returns integer
language plpgsql volatile
set search_path = ''
as $$
declare
    v_queued integer;
begin
    perform tests.login_worker();
    select coalesce(sum(f.queued), 0) into v_queued from worker.feed_campaigns(p_limit) f;
    perform tests.logout();
    return v_queued;
end
$$;

-- As the campaigns role does a second after the last time.
create function tests.advance()
returns integer
language plpgsql volatile
set search_path = ''
as $$
declare
    v_count integer;
begin
    update private.campaign_counts set folded_at = folded_at - interval '1 second';
    perform tests.login_worker();
    v_count := worker.advance_campaigns();
    perform tests.logout();
    return v_count;
end
$$;

-- The ledger in a line each, by name: 'Ravi queued', 'Siti excluded not_opted_in'.
create function tests.ledger(p_id uuid)
returns text[]
language sql stable security definer
set search_path = ''
as $$
    select array_agg(concat_ws(' ', c.full_name, r.status, case when r.is_uncertain then 'uncertain' end, r.exclusion_reason, r.error_code) order by c.full_name)
    from public.campaign_recipients r join public.contacts c on c.id = r.contact_id where r.campaign_id = p_id
$$;

create function tests.recipient(p_id uuid, p_contact text)
returns public.campaign_recipients
language sql stable security definer
set search_path = ''
as $$ select r from public.campaign_recipients r where r.campaign_id = p_id and r.contact_id = tests.id(p_contact) $$;

create function tests.campaign(p_id uuid)
returns public.campaigns
language sql stable security definer
set search_path = ''
as $$ select c from public.campaigns c where c.id = p_id $$;

-- 'sending', 'sending tier', 'paused WA_002'.
create function tests.state(p_id uuid)
returns text
language sql stable security definer
set search_path = ''
as $$ select concat_ws(' ', c.status, c.waiting_for, c.status_reason) from public.campaigns c where c.id = p_id $$;

-- Everything claimed by a sender and answered by Meta: wamid.<name of the contact>.
create function tests.send_all(p_outcome text default 'accepted', p_more jsonb default '{}')
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_results jsonb;
begin
    perform worker.announce_sender(hashtext('sender'));
    perform worker.lease_numbers(tests.id('sender'), hashtext('sender'), 60, 100);
    select jsonb_agg(jsonb_build_object('message_id', c.message_id, 'send_try', c.send_try, 'attempt', c.attempt, 'outcome', p_outcome)
        || case when p_outcome = 'accepted' then jsonb_build_object('wa_message_id', 'wamid.' || c.message_id) else '{}' end || p_more)
    into v_results from worker.claim_sends(tests.id('sender'), tests.id('acme.number'), 1000) c;
    if v_results is not null then
        perform worker.record_sends(v_results);
    end if;
    return coalesce(jsonb_array_length(v_results), 0);
end
$$;

-- A status of the message a recipient has now.
create function tests.hear(p_id uuid, p_contact text, p_status text, p_error text default null)
returns text[]
language sql volatile
set search_path = ''
as $$
    select tests.apply_statuses(jsonb_build_array(tests.status('wamid.' || (tests.recipient(p_id, p_contact)).message_id, p_status,
        jsonb_build_object('error_code', p_error, 'message_id', (tests.recipient(p_id, p_contact)).message_id, 'send_try', (
            select m.send_try from public.messages m where m.id = (tests.recipient(p_id, p_contact)).message_id)))))
$$;

-- What the counters say that a recount of the ledger does not; empty when they are right.
create function tests.wrong_counts()
returns setof text
language sql stable security definer
set search_path = ''
as $$
    with counted as (
        select r.campaign_id, coalesce(r.variant, 0) as variant, count(*) as total,
            count(*) filter (where r.status = 'excluded') as excluded, count(*) filter (where r.status = 'held_out') as held_out,
            count(*) filter (where r.status = 'waiting') as waiting, count(*) filter (where r.status = 'queued') as queued,
            count(*) filter (where r.status in ('sent', 'delivered', 'read')) as sent, count(*) filter (where r.status in ('delivered', 'read')) as delivered,
            count(*) filter (where r.status = 'read') as read, count(r.replied_at) filter (where r.status <> 'held_out') as replied,
            count(r.clicked_at) as clicked, count(r.opportunity_at) filter (where r.status <> 'held_out') as opportunities,
            count(*) filter (where r.status = 'failed') as failed, count(*) filter (where r.is_uncertain) as uncertain,
            count(r.replied_at) filter (where r.status = 'held_out') as held_out_replied,
            count(r.opportunity_at) filter (where r.status = 'held_out') as held_out_opportunities
        from public.campaign_recipients r group by r.campaign_id, coalesce(r.variant, 0)
    )
    select coalesce(s.campaign_id, c.campaign_id) || ' variant ' || coalesce(s.variant, c.variant) || ': ' || to_jsonb(s)::text || ' but ' || to_jsonb(c)::text
    from private.campaign_variant_stats s full join counted c on c.campaign_id = s.campaign_id and c.variant = s.variant
    where to_jsonb(s) is distinct from to_jsonb(c) and not (c.campaign_id is null and s.total = 0
        and (select bool_and(v.value = '0') from jsonb_each(to_jsonb(s)) v where v.key not in ('campaign_id', 'variant')))
$$;

-- People who opted in: acme.<name> with that first name.
create function tests.make_people(variadic p_names text[])
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_name text;
begin
    foreach v_name in array p_names loop
        perform tests.make_contact('acme', 'acme.' || lower(v_name), '+60199' || lpad(nextval('tests.seats')::text, 6, '0'));
        update public.contacts set full_name = v_name || ' Bakar', opt_in_status = 'opted_in' where id = tests.id('acme.' || lower(v_name));
    end loop;
end
$$;

-- An approved marketing template, acme.news, and nobody but people made here in acme.
create function tests.make_campaign_world()
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    perform tests.make_world();
    perform tests.make_template('acme.news', 'approved', 'marketing',
        '[{"type": "BODY", "text": "Hello {{1}}, see what is new.", "example": {"body_text": [["Mei"]]}}]');
    perform tests.make_template('acme.other', 'approved', 'marketing',
        '[{"type": "BODY", "text": "Dear {{1}}, look at this.", "example": {"body_text": [["Mei"]]}}]');
    update public.contacts set deleted_at = now() where org_id = tests.id('acme');
    update public.whatsapp_accounts set quality_rating = 'GREEN' where org_id = tests.id('acme');
end
$$;

grant execute on all functions in schema tests to public;
