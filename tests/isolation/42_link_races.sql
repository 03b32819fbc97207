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
select is((select count(*) from realtime.messages where topic = 'conversation:' || tests.id('acme.thread') and event = 'messages'), 1::bigint, 'the message was marked once');

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
select isnt((select clicked_at from public.messages where id = tests.id('galaacme.mei')), null, 'the message is marked');
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

select * from finish();
\ir helpers/clean.sql
