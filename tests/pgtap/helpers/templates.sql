-- Templates: as rows, as members make them, and what the worker and Meta say of them.

create function tests.body(p_text text, p_samples text[] default null)
returns jsonb
language sql immutable
as $$
    select jsonb_build_array(jsonb_build_object('type', 'BODY', 'text', p_text)
        || case when p_samples is null then '{}' else jsonb_build_object('example', jsonb_build_object('body_text', jsonb_build_array(to_jsonb(p_samples)))) end)
$$;

-- 'acme.hello' is the template hello of acme. Any but drafts are at Meta as 'meta-hello'.
create function tests.make_template(
    p_name text, p_status text default 'approved', p_category text default 'utility', p_components jsonb default null, p_meta_status text default null
) returns uuid
language sql volatile security definer
set search_path = ''
as $$
    insert into public.templates (id, org_id, waba_id, name, language, category, components, status, meta_status, wa_template_id, submitted_at, reviewed_at)
    select tests.id(p_name), a.org_id, a.waba_id, split_part(p_name, '.', 2), 'en_US', p_category,
        coalesce(p_components, tests.body('Your order {{1}} is ready.', array['A-17'])), p_status,
        coalesce(p_meta_status, upper(nullif(p_status, 'draft'))),
        case when p_status <> 'draft' then 'meta-' || split_part(p_name, '.', 2) end,
        case when p_status <> 'draft' then private.clock() - interval '1 day' end,
        case when p_status in ('approved', 'rejected', 'disabled') then private.clock() - interval '1 day' end
    from public.whatsapp_accounts a where a.id = tests.id(split_part(p_name, '.', 1) || '.number')
    returning id
$$;

create function tests.template(p_name text)
returns public.templates
language sql stable security definer
set search_path = ''
as $$
    select t from public.templates t
    where t.org_id = tests.id(split_part(p_name, '.', 1)) and t.name = split_part(p_name, '.', 2) order by t.deleted_at nulls first limit 1
$$;

-- "status (Meta's word)".
create function tests.template_state(p_name text)
returns text
language sql stable
as $$ select (t).status || coalesce(' (' || (t).meta_status || ')', '') from tests.template(p_name) t $$;

-- What a member's change of a template is answered: null, or the code of the error.
create function tests.change_template(p_name text, p_fields jsonb, p_user text default 'acme.campaign_manager')
returns text
language sql volatile
as $$
    select tests.error_for(p_user, format('select update_template(%L, %L, %L)', (t).id, p_fields, (t).updated_at)) from tests.template(p_name) t
$$;

create function tests.on_template(p_function text, p_name text, p_user text default 'acme.campaign_manager')
returns text
language sql volatile
as $$ select tests.error_for(p_user, format('select %I(%L)', p_function, coalesce((tests.template(p_name)).id, tests.id(p_name)))) $$;

-- What is to be done for a template, claimed by a worker; null when there is nothing.
create function tests.claim_template(p_name text)
returns jsonb
language sql volatile
as $$
    select r from tests.for_worker('select * from worker.claim_template_work(100)') r where (r ->> 'template_id')::uuid = (tests.template(p_name)).id
$$;

-- What Meta answered to work that was claimed.
create function tests.answer_template(p_work jsonb, p_outcome text, p_more jsonb default '{}')
returns void
language plpgsql volatile
as $$
begin
    perform tests.login_worker();
    perform worker.record_template_work(jsonb_build_array(jsonb_build_object('template_id', p_work ->> 'template_id', 'action', p_work ->> 'action',
        'attempt', p_work -> 'attempt', 'outcome', p_outcome) || p_more));
    perform tests.logout();
end
$$;

-- A webhook about a template.
create function tests.template_event(
    p_name text, p_value jsonb, p_field text default 'message_template_status_update', p_at timestamptz default private.clock(), p_more jsonb default '{}'
) returns void
language plpgsql volatile
as $$
declare
    v_template public.templates := tests.template(p_name);
    v_waba_id text := (select '9' || a.phone_number_id from public.whatsapp_accounts a where a.id = tests.id(split_part(p_name, '.', 1) || '.number'));
begin
    perform tests.login_worker();
    perform worker.apply_template_events(jsonb_build_array(jsonb_build_object('webhook_event_id', 1, 'waba_id', v_waba_id, 'field', p_field,
        'wa_template_id', coalesce(v_template.wa_template_id, 'meta-' || split_part(p_name, '.', 2)), 'name', split_part(p_name, '.', 2),
        'language', 'en-US', 'value', p_value, 'occurred_at', p_at) || p_more));
    perform tests.logout();
end
$$;

-- A template as Meta lists it.
create function tests.listed(p_name text, p_status text default 'APPROVED', p_more jsonb default '{}')
returns jsonb
language sql immutable
as $$
    select jsonb_build_object('id', 'meta-' || p_name, 'name', p_name, 'language', 'en_US', 'status', p_status, 'category', 'UTILITY',
        'parameter_format', 'POSITIONAL', 'components', tests.body('Your order {{1}} is ready.', array['A-17']),
        'quality_score', '{"score": "GREEN"}'::jsonb, 'rejected_reason', 'NONE') || p_more
$$;

-- A list of acme's account, asked for and applied.
create function tests.apply_list(p_templates jsonb, p_is_complete boolean default true)
returns void
language plpgsql volatile
as $$
declare
    v_asked timestamptz;
begin
    perform tests.for_worker('select worker.wabas_to_sync(10)');
    select s.claimed_at into v_asked from private.template_syncs s where s.org_id = tests.id('acme') and s.waba_id = '91001';
    perform tests.login_worker();
    perform worker.apply_template_list(tests.id('acme'), '91001', p_templates, p_is_complete, v_asked);
    perform tests.logout();
end
$$;

-- What managers of campaigns were told of templates, in order, each once: "kind: data".
create function tests.told()
returns text[]
language sql stable security definer
set search_path = ''
as $$
    select coalesce(array_agg(n.kind || ': ' || (n.data - '{template_id,language}'::text[])::text order by n.id), '{}')
    from public.notifications n where n.user_id = tests.id('acme.campaign_manager') and n.kind like 'template.%'
$$;

-- Templates whose counts differ from a recount of messages.
create function tests.wrong_template_counts()
returns setof text
language sql stable security definer
set search_path = ''
as $$
    with recount as (
        select t.id, t.name, count(m.id) filter (where num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0) as sent,
            count(m.id) filter (where num_nonnulls(m.delivered_at, m.read_at) > 0) as delivered, count(m.read_at) as read
        from public.templates t left join public.messages m on m.template_id = t.id group by 1, 2
    ), waiting as (
        select d.template_id, sum(d.sent) as sent, sum(d.delivered) as delivered, sum(d.read) as read from private.template_deltas d group by 1
    ), slots as (
        select c.template_id, sum(c.sent) as sent, sum(c.delivered) as delivered, sum(c.read) as read from private.template_counts c group by 1
    )
    select r.name || ' ' || to_jsonb(r) from recount r
    join public.templates t on t.id = r.id
    left join waiting w on w.template_id = r.id
    left join slots s on s.template_id = r.id
    where (r.sent, r.delivered, r.read) <> (t.sent_count + coalesce(w.sent, 0), t.delivered_count + coalesce(w.delivered, 0), t.read_count + coalesce(w.read, 0))
        or (r.sent, r.delivered, r.read)
            <> (coalesce(s.sent, 0) + coalesce(w.sent, 0), coalesce(s.delivered, 0) + coalesce(w.delivered, 0), coalesce(s.read, 0) + coalesce(w.read, 0))
$$;

-- Rows in every table of templates, on top of tests.make_world().
create function tests.make_template_rows(p_org text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    perform tests.make_template(p_org || '.hello'), tests.make_template(p_org || '.draft', 'draft'), tests.make_template(p_org || '.refused', 'rejected');
    insert into private.template_work (template_id, org_id, action, run_after)
    select tests.make_template(p_org || '.waiting', 'pending'), tests.id(p_org), 'submit', now();
    insert into private.template_edits (template_id, org_id, edited_at) values (tests.id(p_org || '.waiting'), tests.id(p_org), now());
    insert into private.template_syncs (org_id, waba_id, claimed_at)
    select a.org_id, a.waba_id, now() from public.whatsapp_accounts a where a.id = tests.id(p_org || '.number');
    insert into private.template_counts (template_id, slot, org_id, sent, delivered, read)
    values (tests.id(p_org || '.hello'), date_bin('15 minutes', now(), '2000-01-01'), tests.id(p_org), 0, 0, 0);
    insert into private.template_deltas (org_id, template_id, slot, sent, delivered, read)
    values (tests.id(p_org), tests.id(p_org || '.hello'), date_bin('15 minutes', now(), '2000-01-01'), 0, 0, 0);
end
$$;
