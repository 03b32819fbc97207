-- Sales opportunities: recorded by people and by signed callbacks, attributed to campaigns, taken back (PRD §7.2).

begin;
\ir helpers/load.sql
\ir helpers/links.sql
grant execute on all functions in schema tests to public;
select no_plan();
select tests.make_world();
-- Siti got news eight days ago, the sale three days ago and the last call yesterday, and was held out of the gala an hour ago.
select tests.make_launched('acme', 'news', interval '8 days'), tests.make_launched('acme', 'sale', interval '3 days'), tests.make_launched('acme', 'last call', interval '1 day', 1),
    tests.make_launched('acme', 'gala', interval '1 hour'), tests.make_launched('globex', 'theirs', interval '1 hour');
select tests.make_recipient(c, 'acme.siti') from unnest(array['news', 'sale', 'last call']) c;
select tests.make_recipient('gala', 'acme.siti', p_status => 'held_out'), tests.make_recipient('theirs', 'globex.siti');
insert into public.campaigns (id, org_id, name) values (tests.id('draft'), tests.id('acme'), 'Draft');

create function tests.opportunity(p_fields jsonb, p_user text default 'acme.agent', p_contact text default 'acme.siti') returns public.opportunities language plpgsql as $$
declare
    v_row public.opportunities;
begin
    perform tests.login_as(p_user);
    select o.* into v_row from record_opportunity(tests.id(p_contact), p_fields) o;
    perform tests.logout();
    return v_row;
end
$$;
create function tests.campaigns_of(p_row public.opportunities) returns text language sql security definer as $$
    select concat_ws(' / ', (select name from public.campaigns where id = p_row.campaign_id), (select name from public.campaigns where id = p_row.held_out_campaign_id))
$$;
create function tests.at(p_ago interval) returns jsonb language sql as $$ select jsonb_build_object('occurred_at', to_char((private.clock() - p_ago) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) $$;
grant execute on all functions in schema tests to public;

-- Which campaign it came of.
select is(tests.campaigns_of(tests.opportunity(tests.at(a))), c, format('%s ago: %s', a, c)) from (values
    (interval '9 days', ''), (interval '7 days', 'News'), (interval '3 days 1 second', 'News'), (interval '3 days', 'Sale'), (interval '1 day 1 second', 'Sale'), (interval '1 day', 'Last Call'),
    (interval '2 hours', 'Last Call'), (interval '1 minute', 'Last Call / Gala')) v (a, c);
select is(tests.campaigns_of(tests.opportunity('{}')), 'Sale / Gala', 'a day is not more than a day');
select tests.set_clock(now() + interval '1 minute');
select is(tests.campaigns_of(tests.opportunity('{}')), 'Sale / Gala', 'a day after the last call its window is over');
select tests.set_clock(now());
update public.campaign_recipients set delivered_at = null, read_at = private.clock() - interval '10 minutes' where campaign_id = tests.id('news');
select is(tests.campaigns_of(tests.opportunity('{}')), 'News', 'received is what was read, whatever else was reported; who was held out of something before is no matter then');
update public.campaign_recipients set delivered_at = private.clock() - interval '8 days', read_at = null where campaign_id = tests.id('news');
select is(tests.campaigns_of(tests.opportunity(jsonb_build_object('campaign_id', tests.id('news')))), 'News / Gala', 'the one that is named wins, however old');
update public.campaign_recipients set status = 'failed', delivered_at = null where campaign_id = tests.id('last call');
select is(tests.campaigns_of(tests.opportunity('{}')), 'Sale / Gala', 'what never arrived earned nothing');

-- Ravi got the sale, was held out of the ball two days ago, got the flash for a day after that, and the last call.
select tests.make_contact('acme', 'acme.ravi', '+60129990001'), tests.make_launched('acme', 'ball', interval '2 days'), tests.make_launched('acme', 'flash', interval '30 hours', 1);
select tests.make_recipient(c, 'acme.ravi') from unnest(array['sale', 'flash', 'last call']) c;
select tests.make_recipient('ball', 'acme.ravi', p_status => 'held_out');
select is(tests.campaigns_of(tests.opportunity(tests.at('2 hours') || jsonb_build_object('campaign_id', tests.id(c)), p_contact => 'acme.ravi')), w, c || ' named')
from (values ('sale', 'Sale / Ball'), ('flash', 'Flash'), ('last call', 'Last Call')) v (c, w);

-- The ledger.
select results_eq($$ select c.name, private.clock() - r.opportunity_at from public.campaign_recipients r join public.campaigns c on c.id = r.campaign_id where r.contact_id = tests.id('acme.siti') order by 1 $$,
    $$ values ('Gala', interval '1 minute'), ('Last Call', interval '1 day'), ('News', interval '7 days'), ('Sale', interval '3 days') $$, 'each row has the first of its own');
select is((tests.recipient('theirs', 'globex.siti')).opportunity_at, null, 'others'' rows have none');
create function tests.drop_all(p_campaign text) returns void language plpgsql as $$
declare
    v_id uuid;
begin
    for v_id in select o.id from public.opportunities o where o.contact_id = tests.id('acme.siti') and (o.campaign_id = tests.id(p_campaign) or o.held_out_campaign_id = tests.id(p_campaign)) order by o.occurred_at loop
        perform tests.login_as('acme.agent');
        perform delete_opportunity(v_id);
        perform tests.logout();
        if (tests.recipient(p_campaign, 'acme.siti')).opportunity_at is distinct from
            (select min(o.occurred_at) from public.opportunities o where o.contact_id = tests.id('acme.siti') and tests.id(p_campaign) in (o.campaign_id, o.held_out_campaign_id)) then
            raise exception 'the ledger is not the first of those left';
        end if;
    end loop;
end
$$;
select lives_ok($$ select tests.drop_all('sale') $$, 'deleted one by one, the row follows');
select is((tests.recipient('sale', 'acme.siti')).opportunity_at, null, 'to none');
select isnt((tests.recipient('news', 'acme.siti')).opportunity_at, null, 'and leaves others alone');
select lives_ok($$ select tests.drop_all('gala') $$, 'held-out rows too');
select is((tests.recipient('gala', 'acme.siti')).opportunity_at, null, 'to none');

-- Its fields.
create temporary table made as select * from tests.opportunity('{"amount": 120.50, "currency": "myr", "external_id": " A-1 ", "note": " table for two ", "occurred_at": null}');
select results_eq('select source, amount, currency, external_id, note, occurred_at, created_by, contact_id from made',
    $$ values ('agent', 120.5, 'MYR', 'A-1', 'table for two', now(), tests.id('acme.agent'), tests.id('acme.siti')) $$, 'kept as given');
select is(tests.details_of(format('select tests.opportunity(%L)', f)) ->> 'field', p, f) from (values
    ('[]', '*'), ('null', '*'), ('"x"', '*'), ('{"sum": 1}', 'sum'), ('{"org_id": "x"}', 'org_id'), ('{"amount": 1}', 'currency'), ('{"currency": "MYR"}', 'amount'),
    ('{"amount": -1, "currency": "MYR"}', 'amount'), ('{"amount": 1e12, "currency": "MYR"}', 'amount'), ('{"amount": 0.00001, "currency": "MYR"}', 'amount'),
    ('{"amount": "NaN", "currency": "MYR"}', 'amount'), ('{"amount": "Infinity", "currency": "MYR"}', 'amount'), ('{"amount": "much", "currency": "MYR"}', 'amount'),
    ('{"amount": true, "currency": "MYR"}', 'amount'), ('{"amount": 1, "currency": "ringgit"}', 'currency'), ('{"amount": 1, "currency": 5}', 'currency'),
    ('{"external_id": "A-1"}', 'external_id'), ('{"external_id": {}}', 'external_id'), ('{"campaign_id": "x"}', 'campaign_id'),
    ('{"occurred_at": "yesterday"}', 'occurred_at'), ('{"occurred_at": "infinity"}', 'occurred_at'), ('{"occurred_at": "2026-11-01T10:00:00"}', 'occurred_at'),
    ('{"occurred_at": "2026-13-01T10:00:00Z"}', 'occurred_at'), ('{"occurred_at": "2006-01-01T10:00:00Z"}', 'occurred_at'), ('{"occurred_at": "2996-01-01T10:00:00+08:00"}', 'occurred_at')) v (f, p);
select is(tests.details_of(format('select tests.opportunity(%L)', f)) ->> 'field', p, p || ' too long') from (values
    (jsonb_build_object('note', repeat('x', 1001)), 'note'), (jsonb_build_object('external_id', repeat('x', 201)), 'external_id')) v (f, p);
select is(tests.details_of(format('select tests.opportunity(%L)', jsonb_build_object('campaign_id', tests.id(c)))) ->> 'field', 'campaign_id', c || ' is no campaign it could come of')
from unnest(array['draft', 'theirs', 'nowhere']) c;
select is((select row (amount, currency)::text from tests.opportunity('{"amount": "0012.3400", "currency": "IDR"}')), '(12.34,IDR)', 'an amount may be text');
select is((select count(*) from private.conversion_receipts), 1::bigint, 'what was refused has used no id up');

-- Who may.
select is(tests.error_for('acme.viewer', $$ select record_opportunity(tests.id('acme.siti'), '{}') $$), 'AUTH_003', 'a viewer records none');
select is(tests.error_for('globex.owner', $$ select record_opportunity(tests.id('acme.siti'), '{}') $$), 'CONTACT_001', 'nor do others');
select is(tests.error_for('acme.campaign_manager', $$ select record_opportunity(tests.id('acme.siti'), '{}') $$), null, 'a campaign manager does');
select is(tests.error_for('acme.viewer', format('select delete_opportunity(%L)', (select id from made))), 'AUTH_003', 'a viewer deletes none');
select is(tests.error_for('globex.owner', format('select delete_opportunity(%L)', (select id from made))), 'OPPORTUNITY_001', 'others have no such opportunity');
select is(tests.error_for('acme.owner', 'select delete_opportunity(null)'), 'OPPORTUNITY_001', 'nor is nothing one');
select is(tests.count_for('acme.viewer', 'select from public.opportunity_list where campaign_name is not null'), (select count(*) from public.opportunities where campaign_id is not null), 'all members read them, with names');
select is(tests.count_for('globex.viewer', 'select from public.opportunity_list'), 0::bigint, 'others do not');
select is(tests.error_for('acme.agent', format('select delete_opportunity(%L)', (select id from made))), null, 'an agent takes it back');
select is(tests.error_for('acme.agent', format('select delete_opportunity(%L)', (select id from made))), 'OPPORTUNITY_001', 'once');
select is((select array_agg(distinct kind order by kind) from public.activity_log where contact_id = tests.id('acme.siti')), '{opportunity.deleted,opportunity.recorded}', 'the feed tells both');
select is((select count(*) from public.activity_log where data::text like '%table for two%'), 0::bigint, 'without what the note says');

-- The secret.
select is(tests.error_for('acme.campaign_manager', $$ select rotate_conversion_secret(tests.id('acme')) $$), 'AUTH_003', 'the secret is for those who manage settings');
select is(tests.worker_says(format('select worker.conversion_secret(%L)', tests.id('acme'))), null, 'there is none yet');
create temporary table secrets (value text);
grant all on secrets to public;
select tests.login_as('acme.admin');
insert into secrets select rotate_conversion_secret(tests.id('acme')) from generate_series(1, 2);
select tests.logout();
select is((select count(distinct value) from secrets where value ~ '^[0-9a-f]{64}$'), 2::bigint, '256 random bits, others every time');
select is((select tests.worker_says(format('select worker.conversion_secret(%L)', tests.id('acme'))) = (array_agg(value order by ctid))[2] from secrets), true, 'the worker knows the last');
select is((select count(*) from vault.secrets where name like 'conversions:%'), 1::bigint, 'the one before is gone');
select is((select count(*) from public.activity_log l, secrets s where l.data::text like '%' || s.value || '%'), 0::bigint, 'the feed does not tell it');
update public.organizations set deleted_at = now() where id = tests.id('acme');
select is(tests.worker_says(format('select worker.conversion_secret(%L)', tests.id('acme'))), null, 'an organisation that is gone signs nothing');
update public.organizations set deleted_at = null where id = tests.id('acme');

-- Callbacks.
create temporary table tokens as select tests.make_token('news', 'acme.siti') as siti, tests.make_token('theirs', 'globex.siti') as theirs;
create function tests.convert(p_body jsonb, p_org text default 'acme') returns text language sql as $$
    select coalesce(tests.worker_says(format('select worker.record_conversion(%L, %L)', tests.id(p_org), p_body)), 'recorded')
$$;
create function tests.told(p_external_id text) returns public.opportunities language sql as $$ select o from public.opportunities o where o.external_id = p_external_id $$;
select is(tests.convert(jsonb_build_object('token', (select siti from tokens), 'external_id', 'order 1', 'amount', 80, 'currency', 'MYR')), 'recorded', 'by token');
select is((select row (source, amount, contact_id, campaign_id, created_by)::text from tests.told('order 1')), row ('callback', 80, tests.id('acme.siti'), tests.id('news'), null)::text,
    'it is the contact''s and the campaign''s of the link');
select is(tests.convert('{"phone": "012-345 1001", "external_id": "order 2"}'), 'recorded', 'by phone, as people write it there');
select is(tests.campaigns_of(tests.told('order 2')), 'Sale / Gala', 'attributed like any other');
select is(tests.convert(jsonb_build_object('token', (select siti from tokens), 'external_id', 'order 1')), 'CONVERSION_002', 'the same id again is a replay');
select is(tests.convert('{"phone": "+60123451001", "external_id": "order 1", "amount": 5, "currency": "MYR"}'), 'CONVERSION_002', 'whatever else it says');
select is(tests.error_for('acme.agent', format('select delete_opportunity(%L)', (tests.told('order 1')).id)), null, 'deleted');
select is(tests.convert(jsonb_build_object('token', (select siti from tokens), 'external_id', 'order 1')), 'CONVERSION_002', 'it stays counted');
select is(tests.convert('{"phone": "+60123451002", "external_id": "order 1"}', 'globex'), 'recorded', 'another organisation has ids of its own');
select is(tests.convert(b), c, b::text) from (values
    (jsonb_build_object('token', (select theirs from tokens), 'external_id', 'x'), 'LINK_001'), ('{"token": "AbCdEfGhIjKlMnOpQrStUv", "external_id": "x"}', 'LINK_001'),
    ('{"phone": "+60123451002", "external_id": "x"}', 'CONTACT_001'), ('{"phone": "none", "external_id": "x"}', 'CONTACT_001'),
    ('{"external_id": "x"}', 'OPPORTUNITY_002'), ('{"phone": "+60123451001"}', 'OPPORTUNITY_002'), ('{"phone": "+60123451001", "token": "t", "external_id": "x"}', 'OPPORTUNITY_002'),
    ('{"phone": "+60123451001", "external_id": ""}', 'OPPORTUNITY_002'), ('{"phone": 60123451001, "external_id": "x"}', 'OPPORTUNITY_002'),
    ('{"phone": "+60123451001", "external_id": "x", "campaign_id": "00000000-0000-0000-0000-000000000001"}', 'OPPORTUNITY_002'),
    ('{"phone": "+60123451001", "external_id": "x", "amount": 1}', 'OPPORTUNITY_002'), ('[]', 'OPPORTUNITY_002'), ('null', 'OPPORTUNITY_002')) v (b, c);
select is(tests.convert('{"phone": "+60123451001", "external_id": "x"}', 'nowhere'), 'ORG_001', 'no such organisation');
select is(tests.convert('{"phone": "+60123451001", "external_id": "x"}'), 'recorded', 'an id that was refused is not used up');

-- Merged and erased.
select tests.opportunity('{"note": "his", "external_id": "his 1", "amount": 3, "currency": "SGD"}', p_contact => 'acme.ravi');
create temporary table totals as select count(*) as n, sum(amount) as amount from public.opportunities where org_id = tests.id('acme');
select is(tests.error_for('acme.admin', $$ select merge_contacts(tests.id('acme.siti'), tests.id('acme.ravi')) $$), null, 'merged');
select is((tests.told('his 1')).contact_id, tests.id('acme.siti'), 'what he bought is hers');
select ok(tests.count_for('acme.admin', $$ select from jsonb_array_elements(export_contact(tests.id('acme.siti')) -> 'opportunities') $$) > 3, 'a person''s export has them');
select is(tests.error_for('acme.admin', $$ select erase_contact(tests.id('acme.siti'), 'ERASE') $$), null, 'erased');
select is((select count(*) from public.opportunities where org_id = tests.id('acme') and coalesce(note, external_id) is not null), 0::bigint, 'nothing is left that a person could be known by');
select is((select row (count(*), sum(amount))::text from public.opportunities where org_id = tests.id('acme')), (select t::text from totals t), 'counts and amounts are');
select is(tests.convert('{"phone": "+60123451001", "external_id": "his 1"}'), 'CONTACT_001', 'nobody has that number any more');
select is(tests.convert(jsonb_build_object('token', (select siti from tokens), 'external_id', 'order 9')), 'LINK_001', 'nor that link');
select is((select count(*) from public.activity_log where contact_id = tests.id('acme.siti') and (data ? 'amount' or data ? 'note')), 0::bigint, 'the feed keeps ids');

select * from finish();
rollback;
