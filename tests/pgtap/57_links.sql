-- Tracked links: tokens, who follows them, and what that leaves in the ledger (PRD §7.2).

begin;
\ir helpers/load.sql
\ir helpers/links.sql
grant execute on all functions in schema tests to public;
select no_plan();
select tests.make_world();
select tests.make_launched('acme', 'sale', interval '1 day'), tests.make_recipient('sale', 'acme.siti', 'acme.thread');
select tests.make_contact('acme', 'acme.ravi', '+60129990001'), tests.make_recipient('sale', 'acme.ravi');

-- Addresses.
select is(private.destination_problem(u), null, 'may be a destination: ' || u) from unnest(array[
    'https://shop.example.com', 'https://shop.example.com/menu?day=1&ref={token}#top', 'HTTPS://Shop.Example.COM:8443/a_b~c/%20x', 'https://a.co/[1]',
    'https://xn--bcher-kva.example', 'https://shop.xn--p1ai/', 'https://1.2.3.4.example.com', 'https://example.com/@user', 'https://example.com/?u=a@b.c',
    'https://example.com/' || repeat('a', 1980)]) u;
select isnt(private.destination_problem(u), null, 'is no destination: ' || coalesce(left(to_json(u)::text, 60), 'null')) from unnest(array[
    null, '', 'http://shop.example.com', 'ftp://shop.example.com', 'javascript:alert(1)', 'shop.example.com', '//shop.example.com', ' https://shop.example.com',
    'https://', 'https:///path', 'https:shop.example.com', 'https://user@shop.example.com', 'https://user:secret@shop.example.com', 'https://@shop.example.com',
    'https://localhost', 'https://localhost:8080/x', 'https://printer', 'https://printer.local', 'https://db.internal/x', 'https://a.lan', 'https://router.home.arpa',
    'https://127.0.0.1', 'https://10.0.0.1/', 'https://192.168.1.1:8443', 'https://169.254.169.254/latest', 'https://8.8.8.8', 'https://2130706433',
    'https://0x7f000001', 'https://0x7f.0.0.0x1', 'https://[::1]/', 'https://[fd00::1]', 'https://1.2.3', 'https://shop.example.com\@evil.com', 'https://shop.example.com\x',
    E'https://shop.example.com/\r\nSet-Cookie: a=b', 'https://shop.example.com/a b', 'https://shop.example.com/<script>', 'https://shop.example.com/"x',
    'https://bücher.example', 'https://shop.example.com/ü', 'https://shop..example.com', 'https://-shop.example.com', 'https://shop-.example.com', 'https://.example.com',
    'https://example.com.', 'https://example.com:99999999', 'https://example.com:', 'https://{token}.example.com', 'https://example.com/' || repeat('a', 1981)]) u;

select is(private.destination_problem('https://user:secret@shop.example.com'), 'The address must not carry a user name or password.', 'people are told what is wrong');

-- Tokens.
create temporary table tokens as select tests.make_token('sale', 'acme.siti') as siti, tests.make_token('sale', 'acme.ravi') as ravi;
grant select on tokens to public;
select matches((select siti from tokens), '^[A-Za-z0-9_-]{22}$', '128 bits in letters that need no escaping');
select is((select count(distinct translate(t.token, '-_', '')) from tokens, lateral (select siti as token union all select ravi) t), 2::bigint, 'everybody has their own');
select is(tests.make_token('sale', 'acme.siti'), (select siti from tokens), 'fed again, the token is the same');
select isnt(tests.make_token('sale', 'acme.siti', 1), (select siti from tokens), 'another button has another');
delete from private.links where button = 1;
update public.campaign_recipients set message_id = null where contact_id = tests.id('acme.ravi');
select is(private.make_links(jsonb_build_array(jsonb_build_object('campaign_id', tests.id('sale'), 'contact_id', tests.id('acme.ravi'), 'org_id', tests.id('acme'), 'variant', 2,
    'message_id', tests.id('a later message'), 'button', 0, 'destination', 'https://shop.example.com/other')))::text,
    format('(%s,0,%s)', tests.id('acme.ravi'), (select ravi from tokens)), 'a later message takes the token along');
select is((select row (message_id, variant, destination)::text from private.links where token = (select ravi from tokens)),
    row (tests.id('a later message'), 2, 'https://shop.example.com/other')::text, 'which now belongs to it');
select throws_ok($$ select private.make_links('[{"campaign_id": "00000000-0000-0000-0000-000000000001", "contact_id": "00000000-0000-0000-0000-000000000001",
    "org_id": "00000000-0000-0000-0000-000000000001", "variant": 1, "button": 0, "destination": "javascript:alert(1)"}]') $$, '23514', null, 'nothing but https is ever stored');
select is((select count(*) from private.make_links(jsonb_build_array(jsonb_build_object('contact_id', tests.id('acme.siti'), 'org_id', tests.id('acme'),
    'variant', 1, 'message_id', tests.id('shouted'), 'button', 2, 'destination', 'HTTPS://Shop.Example.com/x')))), 1::bigint, 'however it is written');
delete from private.links where message_id = tests.id('shouted');

-- A message from the inbox has links too, and no campaign: every message its own.
create temporary table single as select (m).token, (m).button from (select private.make_links(jsonb_build_array(jsonb_build_object('contact_id', tests.id('acme.siti'), 'org_id', tests.id('acme'),
    'variant', 1, 'message_id', tests.id('single' || i), 'button', 2, 'destination', 'https://shop.example.com'))) as m from generate_series(1, 2) i) x;
grant select on single to public;
select is((select count(distinct token) from single), 2::bigint, 'two messages of a template have two tokens');
select is(tests.follow((select min(token) from single)), 'https://shop.example.com', 'which are followed');
select is((select row (campaign_id, message_id is not null, clicked_at)::text from private.links where token = (select min(token) from single)), row (null, true, now())::text, 'and marked');
delete from private.link_clicks where campaign_id is null;
delete from private.links where campaign_id is null;

-- Machines first: they leave no mark.
select is(tests.follow((select siti from tokens), 'WhatsApp', true), 'https://shop.example.com/sale?ref=' || (select siti from tokens), 'a preview is led to the shop');
select is((tests.recipient('sale', 'acme.siti')).clicked_at, null, 'and is no click of hers');
select is(tests.clicks((select siti from tokens), true), 1::bigint, 'but counted as what it is');
-- A person.
select tests.set_clock(now() + interval '1 minute');
select is(tests.follow((select siti from tokens)), 'https://shop.example.com/sale?ref=' || (select siti from tokens), 'so is she; the shop learns the token');
select is((tests.recipient('sale', 'acme.siti')).clicked_at, now() + interval '1 minute', 'her row in the ledger says when');
select is((select row (message_id, clicked_at)::text from private.links where token = (select siti from tokens)), row (tests.id('saleacme.siti'), now() + interval '1 minute')::text,
    'and the link, which knows its message');
-- Again.
select tests.set_clock(now() + interval '10 minutes 59 seconds'), tests.follow((select siti from tokens));
select is(tests.clicks((select siti from tokens)), 1::bigint, 'the same visitor within ten minutes is one click');
select tests.follow((select siti from tokens), 'another phone'), tests.follow((select siti from tokens), null), tests.follow((select siti from tokens), '');
select is(tests.clicks((select siti from tokens)), 3::bigint, 'another visitor is another, and those of whom nothing is known are one');
select tests.set_clock(now() + interval '11 minutes'), tests.follow((select siti from tokens));
select is(tests.clicks((select siti from tokens)), 4::bigint, 'after ten minutes it counts again');
select tests.set_clock(now() + interval '20 minutes 59 seconds'), tests.follow((select siti from tokens));
select is(tests.clicks((select siti from tokens)), 4::bigint, 'ten minutes from the click that counted');
select is((tests.recipient('sale', 'acme.siti')).clicked_at, now() + interval '1 minute', 'the ledger keeps the first');
select is((select clicked_at from private.links where token = (select siti from tokens)), now() + interval '1 minute', 'so does the link');
select tests.set_clock(now() + interval '30 minutes'), tests.follow(tests.make_token('sale', 'acme.siti', 3));
select is((tests.recipient('sale', 'acme.siti')).clicked_at, now() + interval '1 minute', 'another button later does not move it');
delete from private.link_clicks where button = 3;
delete from private.links where button = 3;
-- Somebody asks under ever new names.
insert into private.link_clicks (token, visitor, is_bot, org_id, campaign_id, variant, button, first_at, last_at)
select (select siti from tokens), convert_to('name ' || i, 'UTF8'), false, tests.id('acme'), tests.id('sale'), 1, 9, now(), now() from generate_series(1, 995) i;
select tests.follow((select siti from tokens), 'one more'), tests.follow((select siti from tokens), 'too many'), tests.follow((select siti from tokens), 'far too many');
select is((select row (count(*), count(*) filter (where visitor = ''), sum(clicks) filter (where visitor = ''))::text from private.link_clicks where token = (select siti from tokens)), '(1001,1,1)',
    'beyond a thousand visitors of a link they count as one');
delete from private.link_clicks where button = 9 or visitor in ('', convert_to('one more', 'UTF8'));
-- Nothing there.
select is(tests.follow(t), null, 'no such token: ' || coalesce(t, 'null')) from unnest(array[null, '', 'AbCdEfGhIjKlMnOpQrStUv', repeat('x', 5000), '%', (select lower(siti) || 'x' from tokens)]) t;
select is((select count(*) from private.link_clicks where token not in (select siti from tokens)), 0::bigint, 'leaves nothing behind');
update public.organizations set deleted_at = now() where id = tests.id('acme');
select is(tests.follow((select siti from tokens)), null, 'links of an organisation that is gone lead nowhere');
update public.organizations set deleted_at = null where id = tests.id('acme');

-- Read by members.
select tests.login_as('acme.viewer');
select is(campaign_links(tests.id('sale')), jsonb_build_array(jsonb_build_object('variant', 1, 'button', 0, 'destination', 'https://shop.example.com/sale?ref={token}',
    'people', 1, 'clicks', 4, 'bots', 1)), 'a campaign''s buttons with their counts');
select is((select jsonb_path_query_array(contact_timeline(tests.id('acme.siti')), '$.events[*] ? (@.kind == "link.clicked").data')),
    jsonb_build_array(jsonb_build_object('campaign_id', tests.id('sale'), 'campaign_name', 'Sale', 'button', 0, 'destination', 'https://shop.example.com/sale?ref={token}')),
    'the timeline tells of the link once');
select tests.logout();
select is(tests.error_for('globex.owner', $$ select campaign_links(tests.id('sale')) $$), 'CAMPAIGN_001', 'others have no such campaign');

-- Retention.
create temporary table totals as select sum(clicks) as clicks, min(first_at) as first_at, max(last_at) as last_at from private.link_clicks;
select tests.set_clock(now() + interval '91 days');
select tests.follow((select siti from tokens), 'today''s phone');
select is(tests.worker_says('select worker.purge_link_clicks(2)'), '2', 'visitors of long ago are forgotten, a few at a time');
select is(tests.worker_says('select worker.purge_link_clicks(100)')::integer + 2, 4, 'until all are');
select is(tests.worker_says('select worker.purge_link_clicks(100)'), '0', 'once');
select results_eq($$ select is_bot, visitor, clicks from private.link_clicks order by is_bot, visitor $$,
    $$ values (false, ''::bytea, 4), (false, convert_to('today''s phone', 'UTF8'), 1), (true, '', 1) $$, 'counts stay, and who is there today');
select is((select row (sum(clicks), min(first_at), max(last_at))::text from private.link_clicks where visitor = ''), (select t::text from totals t), 'with their times');
insert into private.link_clicks (token, visitor, is_bot, org_id, campaign_id, variant, button, clicks, first_at, last_at)
select token, 'x', false, org_id, campaign_id, 1, 0, 3, now(), now() from private.links where contact_id = tests.id('acme.siti');
select tests.worker_says('select worker.purge_link_clicks(100)');
select is(tests.clicks((select siti from tokens)), 8::bigint, 'later ones are added to them');
select tests.set_clock(now());

-- Two contacts that are one: both have a token of the same button.
select tests.make_launched('acme', 'news', interval '2 days'), tests.make_recipient('news', 'acme.ravi');
create temporary table news as select tests.make_token('news', 'acme.ravi') as ravi;
grant select on news to public;
select tests.set_clock(now() - interval '1 hour'), tests.follow((select ravi from tokens), 'his phone'), tests.set_clock(now());
update public.campaign_recipients set status = 'read', read_at = now() where contact_id = tests.id('acme.siti');
update public.campaign_recipients set replied_at = now() - interval '2 hours' where contact_id = tests.id('acme.ravi') and campaign_id = tests.id('sale');
select tests.error_for('acme.agent', $$ select record_opportunity(tests.id('acme.ravi'), jsonb_build_object('campaign_id', tests.id('sale'))) $$);
select is(tests.error_for('acme.admin', $$ select merge_contacts(tests.id('acme.siti'), tests.id('acme.ravi')) $$), null, 'merged');
select is((select array_agg(row (r.status, r.replied_at, r.clicked_at, r.opportunity_at)::text) from public.campaign_recipients r where r.campaign_id = tests.id('sale')),
    array[row ('read', now() - interval '2 hours', now() - interval '1 hour', now())::text], 'the row that is left has what either did');
select is((select count(*) from private.links where contact_id = tests.id('acme.siti')), 3::bigint, 'her links are all of them');
select is(tests.make_token('sale', 'acme.siti'), (select siti from tokens), 'of two for one button her own is the one handed out');
select is(tests.follow((select ravi from tokens)), 'https://shop.example.com/other', 'the other leads where it did');
select tests.make_recipient('news', 'acme.siti') where (tests.recipient('news', 'acme.siti')).campaign_id is null;
select tests.follow((select ravi from news), 'a third phone');
select is((tests.recipient('news', 'acme.siti')).clicked_at, now(), 'and is her click');

-- A person who is erased.
insert into private.link_clicks (token, visitor, is_bot, org_id, campaign_id, variant, button, first_at, last_at)
select token, 'her phone', false, org_id, campaign_id, 1, 0, now(), now() from private.links where token = (select siti from tokens);
create temporary table clicks_before as select sum(clicks) as n from private.link_clicks;
select is(tests.error_for('acme.admin', $$ select erase_contact(tests.id('acme.siti'), 'ERASE') $$), null, 'erased');
select is((select count(*) from private.links where contact_id is not null), 0::bigint, 'no link is hers');
select is((select array_agg(distinct visitor) from private.link_clicks), array[''::bytea], 'no visitor is known');
select is((select sum(clicks) from private.link_clicks), (select n from clicks_before), 'counts stay');
select is(tests.follow((select siti from tokens), 'her phone'), 'https://shop.example.com/sale?ref=' || (select siti from tokens), 'what she was sent still leads somewhere');
select is((select sum(clicks) from private.link_clicks), (select n from clicks_before), 'and nothing is recorded');

select * from finish();
rollback;
