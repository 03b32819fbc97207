-- Templates in several sessions: people against people, workers and Meta, and everything at once on the same five.

\ir helpers/sessions.sql
select plan(24);
delete from private.template_work;
create function tests.update_sql(p_name text, p_fields jsonb) returns text language sql as $$
    select format('select (update_template(%L, %L, %L)).status', (t).id, p_fields, (t).updated_at) from tests.template(p_name) t
$$;
create function tests.on_sql(p_function text, p_name text) returns text language sql as $$
    select format('select %I(%L)::text', p_function, (tests.template(p_name)).id)
$$;

select tests.sit('one', 'acme.owner'), tests.sit('two', 'acme.admin');
select matches(tests.race($$ select (create_template(tests.id('acme'), '{"name": "twin"}')).name $$, $$ select (create_template(tests.id('acme'), '{"name": "twin"}')).name $$),
    '^twin \| !TEMPLATE_005$', 'two of one name');
select is(tests.race(tests.update_sql('acme.twin', '{"category": "utility"}'), tests.update_sql('acme.twin', '{"category": "authentication"}')), 'draft | !TEMPLATE_010', 'two changes of one version');
select is((tests.template('acme.twin')).category, 'utility', 'the first holds');
select tests.make_template('acme.race_' || i, 'draft') from generate_series(1, 3) i;
select matches(tests.race(tests.on_sql('submit_template', 'acme.race_1'), tests.on_sql('submit_template', 'acme.race_1')), ' \| !TEMPLATE_003$', 'submitted once');
select matches(tests.race(tests.on_sql('submit_template', 'acme.race_2'), tests.on_sql('delete_template', 'acme.race_2')), ' \| !TEMPLATE_003$', 'submitted, and then not deleted');
select matches(tests.race(tests.on_sql('delete_template', 'acme.race_3'), tests.on_sql('submit_template', 'acme.race_3')), ' \| !TEMPLATE_001$', 'deleted, and then not submitted');
select is((select count(*) from private.template_work), 2::bigint, 'two are on their way to Meta');

-- Edits within Meta's limit, counted while the other waits.
select tests.make_template('acme.once');
select is(tests.race(tests.update_sql('acme.once', jsonb_build_object('components', tests.body('One edit a day.'))),
    tests.update_sql('acme.once', jsonb_build_object('components', tests.body('Another edit a day.')))), 'pending | !TEMPLATE_003', 'one of two edits');
select is((select count(*) from private.template_edits e where e.template_id = tests.id('acme.once')), 1::bigint, 'counts');

-- Workers.
select tests.sit('one', 'the worker'), tests.sit('two', 'the worker');
select is(tests.race('select count(*) from worker.claim_template_work(10)', 'select count(*) from worker.claim_template_work(10)'), '3 | at once | 0', 'work is claimed by one worker, and the other does not wait');
select tests.sit('one', 'the worker'), tests.sit('two', 'the superuser');
select is(tests.race(format('select worker.record_template_work(%L)', jsonb_build_array(jsonb_build_object('template_id', tests.id('acme.race_1'), 'action', 'submit',
        'attempt', 1, 'outcome', 'done', 'wa_template_id', 'm1', 'status', 'PENDING'))),
    format('select tests.template_event(%L, %L, p_more => %L)', 'acme.race_1', '{"event": "APPROVED"}', '{"wa_template_id": "m1"}')), ' | ', 'the answer and the review');
select is(tests.template_state('acme.race_1'), 'approved (APPROVED)', 'in this order');
select tests.sit('one', 'the superuser');
select is(tests.race(format('select tests.template_event(%L, %L, p_more => %L)', 'acme.race_2', '{"event": "APPROVED"}', '{"wa_template_id": "m2"}'),
    format('select tests.answer_template(%L, %L, %L)', jsonb_build_object('template_id', tests.id('acme.race_2'), 'action', 'submit', 'attempt', 1), 'done',
        '{"wa_template_id": "m2", "status": "PENDING"}')), ' | ', 'or the review first');
select is(tests.template_state('acme.race_2'), 'approved (APPROVED)', 'in that');
select is((select count(*) from public.notifications n where n.kind = 'template.approved' and n.user_id = tests.id('acme.owner')), 2::bigint, 'each told once');

-- Everything at once.
\ir helpers/rounds.sql
delete from private.template_work;
select tests.make_template('acme.t' || i, 'approved', 'utility', tests.body('Your order is ready.')) from generate_series(1, 5) i;
insert into tests.rounds values
('an applier of events', $$
    perform tests.login_worker();
    perform worker.apply_template_events((
        select jsonb_agg(jsonb_build_object('webhook_event_id', i, 'waba_id', '91001', 'field', 'message_template_status_update', 'wa_template_id', 'meta-t' || p,
            'name', 't' || p, 'language', 'en_US', 'value', jsonb_build_object('event', (array['APPROVED', 'PAUSED', 'APPROVED', 'REJECTED'])[1 + (i + p) % 4]),
            'occurred_at', clock_timestamp())) from generate_series(1, 5) p));
    perform tests.logout();
$$),
('another applier of events', $$
    perform tests.login_worker();
    perform worker.apply_template_events((
        select jsonb_agg(jsonb_build_object('webhook_event_id', i, 'waba_id', '91001', 'field', 'message_template_quality_update', 'wa_template_id', 'meta-t' || p,
            'name', 't' || p, 'language', 'en_US', 'value', jsonb_build_object('new_quality_score', (array['GREEN', 'RED'])[1 + (i + p) % 2]),
            'occurred_at', clock_timestamp() - (p || ' s')::interval)) from generate_series(1, 5) p));
    perform tests.logout();
$$),
('a keeper of lists', $$
    perform tests.login_worker();
    perform worker.wabas_to_sync(10);
    perform tests.logout();
    commit;
    perform tests.login_worker();
    perform worker.apply_template_list(tests.id('acme'), '91001', (
        select jsonb_agg(tests.listed('t' || p, 'APPROVED', jsonb_build_object('components', tests.body('Your order is ready, number ' || i || '.'))) order by random())
        from generate_series(1 + i % 2, 5) p), true, clock_timestamp() - i % 3 * interval '200 milliseconds');
    perform tests.logout();
$$),
('a worker', $$
    perform tests.login_worker();
    perform set_config('tests.work', (select coalesce(jsonb_agg(to_jsonb(w)), '[]') from worker.claim_template_work(5) w)::text, false);
    perform tests.logout();
    commit;
    perform tests.login_worker();
    perform worker.record_template_work((select jsonb_agg(w.value || jsonb_build_object(
        'outcome', (array['done', 'failed', 'retry'])[1 + i % 3], 'retry_seconds', 0, 'error_message', 'no') order by random())
        from jsonb_array_elements(current_setting('tests.work')::jsonb) w));
    perform tests.logout();
$$),
('a manager', $$
    perform tests.call_as('acme.owner', tests.update_sql('acme.t' || 1 + i % 5, jsonb_build_object('components', tests.body('Words of round ' || i || '.'))));
    commit;
    perform tests.call_as('acme.owner', format('select submit_template(%L)', tests.id('acme.t' || 1 + (i + 2) % 5)));
    commit;
    perform tests.call_as('acme.owner', format('select list_templates(%L)', tests.id('acme')));
    delete from private.template_edits;
$$),
('a sender', $$
    insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, status, template_id, accepted_at)
    select v.org_id, v.id, v.whatsapp_account_id, v.contact_id, 'outbound', 'template', 'x', 'sent', tests.id('acme.t' || p), clock_timestamp()
    from public.conversations v, generate_series(1, 5) p where v.id = tests.id('acme.thread');
$$),
('a reader', $$
    update public.messages set status = 'read', read_at = clock_timestamp()
    where id in (select m.id from public.messages m where m.template_id is not null and m.status = 'sent' order by random() limit 3 for update skip locked);
    commit;
    perform private.fold_template_counts();
$$);
grant execute on all functions in schema tests to public;
create temporary table players as
select s.name as session, r.name as player from (select name, row_number() over (order by name) as n from tests.sessions) s
join (select name, row_number() over (order by name) as n from tests.rounds) r using (n);
select tests.tell(session, 'reset role') from players;
select tests.begin_rounds(session, player, 100) from players;
select is(tests.end_rounds(session), null, player || ' came to the end') from players order by player;
select is_empty('select tests.wrong_template_counts()', 'counts are recounts');
select is((select count(*) from public.messages m join public.templates t on t.id = m.template_id where t.name like 't_'), 500::bigint, 'of five hundred messages');

select * from finish();
\ir helpers/clean.sql
