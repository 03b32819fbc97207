-- Who gets a campaign and who does not, with the reason for each; and that a rehearsal is the launch.

begin;
\ir helpers/load.sql
\ir helpers/ledger.sql
select no_plan();
select tests.make_campaign_world();
select tests.make_people('Ali', 'Bea', 'Chan', 'Devi', 'Eng', 'Fatimah', 'Gopal');
update public.contacts set opt_in_status = 'opted_out' where id = tests.id('acme.bea');
update public.contacts set opt_in_status = 'pending' where id = tests.id('acme.chan');
update public.contacts set opt_in_status = 'opted_out', marketing_stopped_at = now() where id = tests.id('acme.devi');
update public.contacts set not_on_whatsapp_at = now() where id = tests.id('acme.eng');
update public.contacts set full_name = null where id = tests.id('acme.gopal');
select array_agg(c.id) as everybody from public.contacts c where c.org_id = tests.id('acme') \gset

-- Reasons.
select tests.draft('Everybody', jsonb_build_object('audience', jsonb_build_object('ids', to_jsonb(:'everybody'::uuid[])))) as plan \gset
select tests.manage('campaign_audience', :'plan')::jsonb as audience \gset
select is((:'audience'::jsonb - 'excluded' - 'problems'), '{"total": 8, "recipients": 3, "held_out": 0, "tier": {"limit": null, "used": 0, "frees_at": null}}'::jsonb, 'the size of an audience');
select is(:'audience'::jsonb -> 'excluded', '{"opted_out": 1, "not_opted_in": 1, "stopped_marketing": 1, "not_on_whatsapp": 1, "erased": 1}'::jsonb, 'and who is left out of it, by reason');
select is((select array_agg(x ->> 'full_name' || ' ' || (x ->> 'reason') order by x ->> 'full_name') from jsonb_array_elements(tests.manage('campaign_exclusions', :'plan')::jsonb) x where x ->> 'reason' <> 'erased'),
    array['Bea Bakar opted_out', 'Chan Bakar not_opted_in', 'Devi Bakar stopped_marketing', 'Eng Bakar not_on_whatsapp'], 'each with the reason');
select is(jsonb_array_length(tests.manage('campaign_exclusions', :'plan', ', ''opted_out''')::jsonb), 1, 'by reason');
select is((select count(*) from (
        select tests.manage('campaign_exclusions', :'plan', ', p_limit => 3')::jsonb as a) f, jsonb_array_elements(tests.manage('campaign_exclusions', :'plan', format(', p_limit => 3, p_after => %L',
            f.a -> 2 ->> 'contact_id'))::jsonb)), 2::bigint, 'page by page');
select is((select count(*) from public.campaign_recipients), 0::bigint, 'nothing is left of looking');

-- A rehearsal is the launch.
select tests.manage('rehearse_campaign', :'plan')::jsonb as rehearsal \gset
select is((select array_agg(m #>> '{rendered,body}' order by m #>> '{rendered,body}') from jsonb_array_elements(:'rehearsal'::jsonb -> 'messages') m),
    array['Hello Ali, see what is new.', 'Hello Fatimah, see what is new.', 'Hello there, see what is new.'], 'a rehearsal shows the messages');
select is(tests.state(:'plan'), 'draft', 'and leaves a draft');
select is((select count(*) from public.campaign_recipients), 0::bigint, 'and no ledger');
select is((select count(*) from private.campaign_deltas) + (select count(*) from private.campaign_counts), 0::bigint, 'and no counts');
select tests.manage('launch_campaign', :'plan') \g /dev/null
select is(jsonb_build_object('recipients', s.waiting, 'held_out', s.held_out, 'excluded', s.excluded),
    jsonb_build_object('recipients', :'rehearsal'::jsonb -> 'recipients', 'held_out', :'rehearsal'::jsonb -> 'held_out', 'excluded', (
        select sum(v.value::integer) from jsonb_each_text(:'rehearsal'::jsonb -> 'excluded') v)), 'the launch has the recipients of the rehearsal')
from private.campaign_stats s where s.campaign_id = :'plan';
select tests.feed() \g /dev/null
select bag_eq(format($$ select m.contact_id, m.body from public.messages m where m.campaign_id = %L $$, :'plan'),
    format($$ select (m ->> 'contact_id')::uuid, m #>> '{rendered,body}' from jsonb_array_elements(%L::jsonb -> 'messages') m $$, :'rehearsal'), 'and its texts');
select is(tests.manage('campaign_audience', :'plan')::jsonb -> 'excluded', :'audience'::jsonb -> 'excluded', 'afterwards the reasons come from the ledger');

-- Whatever the category, only who opted in is a target of a campaign (PRD §5.6).
select tests.make_template('acme.ready', 'approved', 'utility');
select tests.launch('Ready', jsonb_build_object('variants', jsonb_build_array(tests.variant(jsonb_build_object('template_id', tests.id('acme.ready')))))) as useful \gset
select is(tests.ledger(:'useful'), array['Ali Bakar waiting', 'Bea Bakar excluded opted_out', 'Chan Bakar excluded not_opted_in', 'Devi Bakar excluded stopped_marketing', 'Eng Bakar excluded not_on_whatsapp',
    'Fatimah Bakar waiting', 'waiting'], 'a utility template asks for consent, too');

-- Values Meta would refuse.
select tests.make_template('acme.long', 'approved', 'marketing', jsonb_build_array(jsonb_build_object('type', 'BODY', 'text', repeat('word ', 170) || '{{1}} and {{2}} end.',
    'example', '{"body_text": [["Mei", "x"]]}'::jsonb)));
update public.contacts set full_name = repeat('N', 200) where id = tests.id('acme.ali');
select tests.launch('Long', jsonb_build_object('variants', jsonb_build_array(tests.variant(jsonb_build_object('template_id', tests.id('acme.long'),
    'variables', '{"body.1": {"source": "contact", "field": "full_name", "default": "x"}, "body.2": {"source": "static", "value": "y"}}'::jsonb))))) as long \gset
select is((tests.recipient(:'long', 'acme.ali')).exclusion_reason, 'missing_value', 'a text that gets too long is left out');
select is((tests.recipient(:'long', 'acme.fatimah')).status, 'waiting', 'one that fits is not');
update public.contacts set full_name = 'Ali Bakar' where id = tests.id('acme.ali');

-- Frequency cap.
select tests.login_as('acme.owner');
select set_campaign_settings(tests.id('acme'), '{"marketing_cap": {"messages": 1, "days": 7}}') \g /dev/null
select tests.logout();
select tests.send_all() \g /dev/null
select tests.draft('Capped') as capped \gset
select is(tests.manage('rehearse_campaign', :'capped')::jsonb #> '{conflicts}' @> '[{"kind": "frequency_cap", "contacts": 3}]', true, 'a rehearsal says whom the cap leaves out');
select is(tests.error_of(format($$ select tests.manage('launch_campaign', %L) $$, :'capped')), 'CAMPAIGN_002', 'and the launch leaves them out');
select tests.logout();
select tests.set_clock(now() + interval '8 days');
select tests.manage('launch_campaign', :'capped') \g /dev/null
select is(tests.ledger(:'capped'), array['Ali Bakar waiting', 'Bea Bakar excluded opted_out', 'Chan Bakar excluded not_opted_in', 'Devi Bakar excluded stopped_marketing',
    'Eng Bakar excluded not_on_whatsapp', 'Fatimah Bakar waiting', 'waiting'], 'until its days are over');
select tests.launch('Same moment') as same \gset
select is(tests.feed(), 6, 'two campaigns launched at the same moment');
select is((select array_agg(s order by s) from (select (tests.recipient(c, 'acme.ali')).status as s from unnest(array[:'capped', :'same', :'long']::uuid[]) c) x),
    array['excluded', 'excluded', 'queued'], 'write to nobody twice all the same');

-- Hold-out and variants fall by a stable hash, in their shares.
update public.campaigns set status = 'cancelled' where status = 'sending';
update public.campaign_settings set marketing_cap = null;
insert into public.contacts (org_id, phone, full_name, opt_in_status) select tests.id('acme'), '+60188' || lpad(i::text, 6, '0'), 'Many ' || i, 'opted_in' from generate_series(1, 3000) i;
select tests.draft('Split', jsonb_build_object('audience', '{"search": "many"}'::jsonb, 'holdout_percent', 10, 'test', '{"percent": 20, "hours": 2, "measure": "read", "choose": "manual"}'::jsonb,
    'variants', jsonb_build_array(tests.variant(), tests.variant(jsonb_build_object('template_id', tests.id('acme.other'), 'share', 3))))) as split \gset
select tests.manage('rehearse_campaign', :'split', ', 200')::jsonb as rehearsal \gset
select tests.manage('launch_campaign', :'split') \g /dev/null
select ok(abs(s.held_out - 300) < 80, 'about a tenth is held out: ' || s.held_out) from private.campaign_stats s where s.campaign_id = :'split';
select ok(abs(v.count - 135) < 60, 'about a quarter of the test share gets the first variant: ' || v.count) from (select count(*) from public.campaign_recipients where campaign_id = :'split' and variant = 1) v;
select ok(abs(v.count - 405) < 90, 'three quarters the second: ' || v.count) from (select count(*) from public.campaign_recipients where campaign_id = :'split' and variant = 2) v;
select is_empty(format($$
    select r.contact_id from public.campaign_recipients r, lateral (select octopush.stable_bucket(r.campaign_id, r.contact_id) as b) x
    where r.campaign_id = %L and (r.status, r.variant) is distinct from (case when x.b < 1000 then 'held_out' else 'waiting' end,
        case when x.b >= 1000 and x.b < 1450 then 1 when x.b >= 1450 and x.b < 2800 then 2 end::smallint) $$, :'split'), 'by the hash alone');
select is_empty(format($$ select m ->> 'contact_id', (m ->> 'variant')::integer from jsonb_array_elements(%L::jsonb -> 'messages') m
    except select r.contact_id::text, r.variant::integer from public.campaign_recipients r where r.campaign_id = %L $$, :'rehearsal', :'split'), 'the rehearsal had put each into the same');
select is(jsonb_array_length(:'rehearsal'::jsonb -> 'messages'), 200, 'as many as were asked for');

-- Prices.
select tests.login_as('acme.owner');
select set_campaign_settings(tests.id('acme'), '{"message_prices": {"currency": "MYR", "default": {"marketing": 1}, "countries": {"MY": {"marketing": 0.25}, "SG": {"marketing": 9}}}}') \g /dev/null
select tests.logout();
update public.contacts set phone = '+6591234567' where id = tests.id('acme.ali');
update public.contacts set phone = '+447911123456' where id = tests.id('acme.fatimah');
select is(tests.manage('rehearse_campaign', tests.draft('Priced'))::jsonb -> 'cost', jsonb_build_object('currency', 'MYR', 'messages', 3003, 'amount', 9 + 1 + 3001 * 0.25),
    'what it costs goes by the country of the number');

select * from finish();
rollback;
