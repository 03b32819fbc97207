-- Links and opportunities with two sessions at once: what is counted is counted once, whoever comes second.

\ir helpers/sessions.sql
\ir ../pgtap/helpers/links.sql
grant execute on all functions in schema tests to public;
select no_plan();

-- Siti has the last call and a token of it; nobody followed it yet.
select tests.make_launched('acme', 'last call', interval '1 hour'), tests.make_recipient('last call', 'acme.siti', 'acme.thread');
select tests.make_recipient('last call', 'acme.ravi');
select tests.make_token('last call', 'acme.siti') as token, tests.make_token('last call', 'acme.ravi') as ravis \gset
select tests.sit('one', 'the worker'), tests.sit('two', 'the worker');
create function tests.following(p_token text, p_visitor text default 'a phone') returns text language sql as $$
    select format('select (worker.follow_link(%L, false, convert_to(%L, ''UTF8'')) is not null)', p_token, p_visitor)
$$;

select is(tests.race(tests.following(:'token'), tests.following(:'token')), 'true | true', 'a tap that arrives twice leads there twice');
select is(tests.clicks(:'token'), 1::bigint, 'and is one click');
select is(tests.race(tests.following(:'token', 'one'), tests.following(:'token', 'two')), 'true | at once | true', 'two visitors do not wait for each other');
select is(tests.clicks(:'token'), 3::bigint, 'and are two');
select is(tests.race(tests.following(:'ravis', 'one'), tests.following(:'ravis', 'two')), 'true | true', 'unless they are the first of all');
select is((select count(distinct r.clicked_at) from public.campaign_recipients r join private.links l using (campaign_id, contact_id) where l.clicked_at = r.clicked_at), 2::bigint,
    'link and ledger have the same first time');

-- The same order is reported twice at once.
create function tests.converting(p_external_id text, p_contact_token text) returns text language sql as $$
    select format('select worker.record_conversion(%L, %L)', tests.id('acme'), jsonb_build_object('token', p_contact_token, 'external_id', p_external_id))
$$;
select is(tests.race(tests.converting('twice', :'token'), tests.converting('twice', :'token')), ' | CONVERSION_002', 'a conversion told twice at once counts once');
select is(tests.race(tests.converting('twice more', :'token'), tests.converting('twice more', :'ravis')), ' | CONVERSION_002', 'for whomever');
select is((select count(*) from public.opportunities where external_id like 'twice%'), 2::bigint, 'there is one of each');

-- The last opportunity goes as another comes.
select o.id as first from public.opportunities o where o.external_id = 'twice' \gset
delete from public.opportunities where external_id <> 'twice';
select tests.sit('one', 'acme.agent');
select is(tests.race(format('select delete_opportunity(%L)', :'first'), tests.converting('another', :'token')), ' | ', 'taken back while the next is told');
select is((tests.recipient('last call', 'acme.siti')).opportunity_at, (select occurred_at from public.opportunities where external_id = 'another'), 'the ledger has the one that is there');
select o.id as second from public.opportunities o where o.external_id = 'another' \gset
select tests.sit('two', 'acme.owner');
select is(tests.race(format('select delete_opportunity(%L)', :'second'), format('select delete_opportunity(%L)', :'second')), ' | !OPPORTUNITY_001', 'taken back once');
select is((tests.recipient('last call', 'acme.siti')).opportunity_at, null, 'the ledger has none');

-- Two who turn out to be one, while the link of the one that goes is followed and reports a sale.
create function tests.merging(p_gone text) returns text language sql as $$ select format('select (merge_contacts(%L, %L)).id', tests.id('acme.siti'), tests.id(p_gone)) $$;
select tests.make_contact('acme', 'acme.mei', '+60155555555'), tests.make_conversation('acme', 'mei.thread', 'acme.number', 'acme.mei', interval '1 hour');
select tests.make_launched('acme', 'gala', interval '1 hour'), tests.make_recipient('gala', 'acme.mei', 'mei.thread');
select tests.make_token('gala', 'acme.mei') as meis \gset
select tests.sit('one', 'acme.owner'), tests.sit('two', 'the worker');
select is(tests.race(tests.merging('acme.mei'), tests.following(:'meis')), tests.id('acme.siti') || ' | true', 'a tap waits for the merge');
select is((tests.recipient('gala', 'acme.siti')).clicked_at, (select clicked_at from private.links where token = :'meis'), 'the ledger has it');
select is((select contact_id from private.links where token = :'meis' and clicked_at is not null), tests.id('acme.siti'), 'the link is hers');
select tests.make_contact('acme', 'acme.lim', '+60155555556'), tests.make_launched('acme', 'fair', interval '1 hour'), tests.make_recipient('fair', 'acme.lim');
select tests.make_token('fair', 'acme.lim') as lims \gset
select is(tests.race(tests.merging('acme.lim'), tests.converting('a sale', :'lims')), tests.id('acme.siti') || ' | ', 'so does a sale');
select is((select contact_id from public.opportunities where external_id = 'a sale'), tests.id('acme.siti'), 'which is hers');
select tests.sit('one', 'the worker'), tests.sit('two', 'acme.owner');
select tests.make_contact('acme', 'acme.tan', '+60155555557'), tests.make_launched('acme', 'tour', interval '1 hour'), tests.make_recipient('tour', 'acme.tan');
select tests.make_token('tour', 'acme.tan') as tans \gset
select is(tests.race(tests.converting('his sale', :'tans'), tests.merging('acme.tan')), ' | ' || tests.id('acme.siti'), 'a merge waits for a sale');
select is((select contact_id from public.opportunities where external_id = 'his sale'), tests.id('acme.siti'), 'and takes it along');

-- Two secrets at once.
select tests.sit('one', 'acme.owner');
select matches(tests.race($$ select rotate_conversion_secret(tests.id('acme')) $$, $$ select rotate_conversion_secret(tests.id('acme')) $$), '^[0-9a-f]{64} \| [0-9a-f]{64}$', 'the secret is changed twice at once');
select is((select count(*) from vault.secrets where name like 'conversions:%'), 1::bigint, 'one is left in the vault');

-- Everything at once on the same five people: nobody waits in a circle, and in the end the ledger is what links and opportunities say.
\ir helpers/rounds.sql
select tests.make_launched('acme', 'storm', interval '1 hour');
select tests.make_contact('acme', 'p' || i, '+6019000000' || i), tests.make_conversation('acme', 'c' || i, 'acme.number', 'p' || i, interval '1 day'),
    tests.make_recipient('storm', 'p' || i, 'c' || i), tests.make_token('storm', 'p' || i) from generate_series(1, 5) i;
update public.messages set wa_message_id = 'wamid.storm.' || id where campaign_id = tests.id('storm');
create function tests.any_token(p_round integer) returns text language sql security definer as $$
    select l.token from private.links l where l.campaign_id = tests.id('storm') order by l.created_at, l.token offset p_round % (select count(*) from private.links x where x.campaign_id = tests.id('storm')) limit 1
$$;
-- As somebody who makes campaigns sees them, though not who they are.
create function tests.ask_worker(p_sql text) returns void language plpgsql as $$
begin
    perform tests.login_worker();
    execute p_sql;
    perform tests.logout();
end
$$;
insert into tests.rounds values
('a visitor', $$
    perform tests.ask_worker(format('select worker.follow_link(%L, false, %L)', tests.any_token(i), '\x01'));
$$),
('another visitor', $$
    perform tests.ask_worker(format('select worker.follow_link(%L, %L, convert_to(%L, %L))', tests.any_token(i * 7), i % 3 = 0, 'phone ' || i % 4, 'UTF8'));
$$),
('a shop', $$
    perform tests.ask_worker(format('select worker.record_conversion(%L, %L)', tests.id('acme'), jsonb_build_object('token', tests.any_token(i * 3), 'external_id', 'storm ' || i / 2)));
$$),
('an agent', $$
    perform tests.call_as('acme.owner', format('select record_opportunity(%L, %L)', tests.id('p' || 1 + i % 5), '{}'));
    commit;
    perform tests.call_as('acme.owner', format('select delete_opportunity(%L)', o.id))
    from (select x.id from public.opportunities x where x.campaign_id = tests.id('storm') order by x.id offset i % 3 limit 1) o;
$$),
('an applier', $$
    perform tests.apply_statuses((select jsonb_agg(tests.status(m.wa_message_id, (array['delivered', 'read'])[1 + i % 2]) order by m.id)
        from public.messages m where m.campaign_id = tests.id('storm')));
$$),
('a feeder', $$
    perform private.make_links((select jsonb_agg(jsonb_build_object('campaign_id', r.campaign_id, 'contact_id', r.contact_id, 'org_id', r.org_id, 'variant', 1,
        'message_id', r.message_id, 'button', i % 2, 'destination', 'https://shop.example.com') order by r.contact_id)
        from public.campaign_recipients r where r.campaign_id = tests.id('storm')));
    commit;
    perform worker.purge_link_clicks(100);
$$),
('a manager', $$
    -- Every other round the same person turns up again, was sent the campaign too, and is merged.
    perform tests.make_contact('acme', 'q' || i, '+60180' || 100000 + i), tests.make_conversation('acme', 'd' || i, 'acme.number', 'q' || i, interval '1 day'),
        tests.make_recipient('storm', 'q' || i, 'd' || i), tests.make_token('storm', 'q' || i);
    commit;
    perform tests.call_as('acme.owner', format('select merge_contacts(%L, %L)', tests.id('p' || 1 + i % 5), tests.id('q' || i)));
$$);
grant execute on all functions in schema tests to public;
create temporary table players as
select s.name as session, r.name as player from (select name, row_number() over (order by name) as n from tests.sessions) s
join (select name, row_number() over (order by name) as n from tests.rounds) r using (n);
select tests.tell(session, 'reset role') from players;
select tests.begin_rounds(session, player, 60) from players;
select is(tests.end_rounds(session), null, player || ' came to the end') from players order by player;
select is((select count(*) from public.campaign_recipients where campaign_id = tests.id('storm')), 5::bigint, 'there are five people still');
select is_empty($$
    select r.contact_id from public.campaign_recipients r where r.campaign_id = tests.id('storm') and r.clicked_at is distinct from (
        select min(l.clicked_at) from private.links l where l.contact_id = r.contact_id and l.campaign_id = r.campaign_id)
$$, 'they clicked when they first followed one of their links');
select is_empty($$
    select l.token from private.links l where l.campaign_id = tests.id('storm') and (l.clicked_at is not null)
        <> exists (select from private.link_clicks k where k.token = l.token and not k.is_bot)
$$, 'links were followed whose clicks are there');
select is_empty($$
    select r.contact_id from public.campaign_recipients r where r.campaign_id = tests.id('storm') and r.opportunity_at is distinct from (
        select min(o.occurred_at) from public.opportunities o where o.contact_id = r.contact_id and o.campaign_id = r.campaign_id)
$$, 'the ledger has the first opportunity of those that are left');
select is((select count(distinct external_id) from public.opportunities where external_id like 'storm%'), (select count(external_id) from public.opportunities where external_id like 'storm%'),
    'no order counts twice');
select cmp_ok((select count(*) from private.links where campaign_id = tests.id('storm') and is_retired), '>=', 60::bigint, 'every token that was sent is there');

select * from finish();
\ir helpers/clean.sql
