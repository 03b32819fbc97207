-- A/B tests, the figures of campaigns, their recipients page by page and as a file, and what segments and timelines make of them.

begin;
\ir helpers/load.sql
\ir helpers/ledger.sql
select no_plan();
select tests.make_campaign_world();
insert into public.contacts (org_id, phone, full_name, opt_in_status, created_at)
select tests.id('acme'), '+60188' || lpad(i::text, 6, '0'), 'Many ' || i, 'opted_in', now() - make_interval(secs => i) from generate_series(1, 400) i;
update public.whatsapp_accounts set messages_per_second = 1000 where id = tests.id('acme.number');
create function tests.two(p_choose text, p_more jsonb default '{}') returns jsonb language sql as $$
    select jsonb_build_object('test', jsonb_build_object('percent', 50, 'hours', 2, 'measure', 'read', 'choose', p_choose),
        'variants', jsonb_build_array(tests.variant(), tests.variant(jsonb_build_object('template_id', tests.id('acme.other'))))) || p_more
$$;
create function tests.read_by(p_id uuid, p_variant integer, p_count integer) returns void language sql as $$
    select tests.apply_statuses(jsonb_agg(tests.status('wamid.' || x.message_id, x.status)))
    from (select r.message_id, s as status from public.campaign_recipients r cross join unnest(array['delivered', 'read']) s where r.campaign_id = p_id and r.variant = p_variant
        and (s = 'delivered' or r.contact_id in (select y.contact_id from public.campaign_recipients y where y.campaign_id = p_id and y.variant = p_variant order by y.contact_id limit p_count))) x
$$;

create function tests.pages(p_id uuid, p_limit integer, p_statuses text[] default null) returns setof uuid language plpgsql as $$
declare
    v_page jsonb;
    v_next text;
begin
    loop
        v_page := public.list_recipients(p_id, null, p_statuses, p_limit, v_next);
        return query select (r ->> 'contact_id')::uuid from jsonb_array_elements(v_page -> 'recipients') r;
        v_next := v_page ->> 'next';
        exit when v_next is null;
    end loop;
end
$$;

-- Automatic.
select tests.launch('Automatic', tests.two('automatic')) as automatic \gset
select tests.feed(1000) as tested \gset
select ok(:tested between 150 and 250, 'the test share goes first');
select tests.send_all() \g /dev/null
select is(tests.feed(1000), 0, 'the rest waits');
select tests.advance() \g /dev/null
select is(tests.state(:'automatic'), 'sending test', 'for the test');
select is((tests.campaign(:'automatic')).resumes_at, private.clock() + interval '2 hours', 'and people see until when');
select tests.read_by(:'automatic', 1, 10), tests.read_by(:'automatic', 2, 60) \g /dev/null
select tests.advance() \g /dev/null
select is((tests.campaign(:'automatic')).winner, null, 'nothing is decided before the time');
select is((tests.manage('campaign_detail', :'automatic')::jsonb #>> '{comparison,winner}'), '2', 'though the comparison may already tell');
select tests.set_clock(now() + interval '2 hours 1 second');
select tests.advance() \g /dev/null
select is((tests.campaign(:'automatic')).winner, 2, 'then the better variant wins');
select is(tests.feed(1000), 400 - :tested, 'and all others get it');
select is((select array_agg(distinct m.template_id) from public.messages m where m.campaign_id = :'automatic' and m.status = 'pending' and m.accepted_at is null), array[tests.id('acme.other')], 'the winner');
select is(tests.error_of(format($$ select tests.manage('choose_winner', %L, ', 1') $$, :'automatic')), 'CAMPAIGN_005', 'nobody chooses again');
select tests.logout();
select tests.send_all(), tests.advance() \g /dev/null
select is(tests.state(:'automatic'), 'completed', 'afterwards it is completed');

-- By hand.
select tests.launch('Manual', tests.two('manual')) as manual \gset
select tests.feed(1000), tests.send_all(), tests.advance() \g /dev/null
select tests.set_clock(private.clock() + interval '3 hours');
select tests.advance(), tests.advance() \g /dev/null
select is((select row (c.status, c.waiting_for, c.resumes_at, c.winner)::text from tests.campaign(:'manual') c), '(sending,test,,)', 'a person decides, when they like');
select is((select count(distinct n.id) from public.notifications n where n.kind = 'campaign.test_ended' and n.user_id = tests.id('acme.owner')), 1::bigint, 'and is told once');
update public.campaigns set waiting_for = 'quiet_hours', resumes_at = private.clock() + interval '8 hours' where id = :'manual';
select tests.advance() \g /dev/null
select is((select row (c.waiting_for, (select count(*) from public.notifications n where n.kind = 'campaign.test_ended' and n.user_id = tests.id('acme.owner')))::text
    from tests.campaign(:'manual') c), '(quiet_hours,1)', 'also in quiet hours');
update public.campaigns set waiting_for = 'test', resumes_at = null where id = :'manual';
select is(tests.error_of(format($$ select tests.manage('choose_winner', %L, ', 3') $$, :'manual')), 'CAMPAIGN_009', 'among the variants there are');
select tests.logout();
select tests.manage('choose_winner', :'manual', ', 1') \g /dev/null
select ok(tests.feed(1000) > 100, 'the rest goes to the choice');
select tests.manage('cancel_campaign', :'manual') \g /dev/null

-- Level: the better, and the first of equals.
select tests.launch('Level', tests.two('automatic')) as level \gset
select tests.feed(1000), tests.send_all(), tests.advance() \g /dev/null
select tests.set_clock(private.clock() + interval '3 hours');
select tests.advance() \g /dev/null
select is((tests.campaign(:'level')).winner, 1, 'a test that cannot tell stops nobody');
select tests.manage('cancel_campaign', :'level') \g /dev/null

-- Detail and list.
select tests.launch('Held', '{"holdout_percent": 25}') as held \gset
select tests.feed(1000), tests.send_all() \g /dev/null
select tests.read_by(:'held', 1, 50) \g /dev/null
update public.campaign_recipients r set opportunity_at = now() where r.campaign_id = :'held' and r.contact_id in (
    select y.contact_id from public.campaign_recipients y where y.campaign_id = :'held' and y.status = 'read');
select tests.apply(jsonb_agg(tests.inbound('wamid.held.' || c.id, jsonb_build_object('wa_id', ltrim(c.phone, '+')))))
from (select c.* from public.campaign_recipients r join public.contacts c on c.id = r.contact_id where r.campaign_id = :'held' and r.status = 'held_out' order by c.id limit 3) c \g /dev/null
select tests.advance() \g /dev/null
select tests.manage('campaign_detail', :'held')::jsonb as detail \gset
select is((:'detail'::jsonb #>> '{stats,opportunities}'), '50', 'the detail has the counts');
select is((:'detail'::jsonb #>> '{lift,opportunities,is_certain}'), 'true', 'and the lift over those held out');
select is((:'detail'::jsonb #>> '{lift,replies,held_out}'), '3', 'whose answers count for nobody');
select is((:'detail'::jsonb #>> '{stats,replied}'), '0', 'and not as answers');
select matches(:'detail'::jsonb #>> '{lift,sentence}', 'Opportunities: .* more than chance would explain', 'in words');
select is(jsonb_array_length(:'detail'::jsonb -> 'by_variant'), 1, 'by variant');
select is(tests.error_for('globex.owner', format('select campaign_detail(%L)', :'held')), 'CAMPAIGN_001', 'strangers see nothing');
select is(tests.error_for('acme.viewer', format('select campaign_detail(%L)', :'held')), null, 'viewers do');
select is(private.audience_name(jsonb_populate_record(null::public.campaigns, jsonb_build_object('audience', a))), n, n) from (values
    ('{"ids": ["a"]}'::jsonb, '1 contact'), ('{"ids": ["a", "b"]}', '2 contacts'), ('{"search": "tan"}', 'Chosen contacts')) v (a, n);
select tests.login_as('acme.viewer');
select is((select array_agg(c ->> 'name') from jsonb_array_elements(list_campaigns(tests.id('acme')) -> 'campaigns') c), array['Held', 'Level', 'Manual', 'Automatic'], 'the list has the newest first');
select is((list_campaigns(tests.id('acme'), p_limit => 1, p_offset => 1) #>> '{campaigns,0,name}') || (list_campaigns(tests.id('acme'), p_limit => 1) ->> 'total'), 'Level4', 'page by page, with the total');
select is((list_campaigns(tests.id('acme'), 'LEV') ->> 'total') || (list_campaigns(tests.id('acme'), '%') ->> 'total'), '10', 'is searched');
select is((select array_agg(c ->> 'name') from jsonb_array_elements(list_campaigns(tests.id('acme'), p_statuses => array['cancelled']) -> 'campaigns') c), array['Level', 'Manual'], 'and filtered');
select is(list_campaigns(tests.id('acme')) #> '{campaigns,0,sent}', :'detail'::jsonb #> '{stats,sent}', 'with counts');
select is(list_campaigns(tests.id('acme')) #>> '{campaigns,0,audience_name}', 'All contacts', 'and names');

-- Recipients.
select results_eq(format('select tests.pages(%L, 70)', :'held'), format('select r.contact_id from public.campaign_recipients r where r.campaign_id = %L order by r.contact_id', :'held'),
    'page after page gives everybody once');
select is((select count(*) from tests.pages(:'held', 20, array['read'])), 50::bigint, 'of some states');
select is((select array_agg(r ->> 'full_name') from jsonb_array_elements(list_recipients(:'held', 'many 399') -> 'recipients') r), array['Many 399'], 'or by name');
select is((list_recipients(:'held', '+60188000399') #>> '{recipients,0,full_name}'), 'Many 399', 'or number');
select is(tests.error_of(format($$ select list_recipients(%L, p_after => 'x') $$, :'held')), 'CAMPAIGN_009', 'a page begins after another');
select is(tests.error_of(format('select export_recipients(%L)', :'held')), 'AUTH_003', 'a viewer takes no file along');
select tests.logout();
select (tests.manage('export_recipients', :'held')::public.jobs).id as job \gset
update public.jobs set status = 'running' where id = :'job';
insert into private.job_leases (job_id, holder, lock_key, lease_until) values (:'job', tests.id('holder'), 1, now() + interval '1 hour');
select is((select r ->> 'total' from tests.for_worker(format('select total from worker.start_export(%L, %L)', :'job', tests.id('holder'))) r), '400', 'a file has everybody');
select is((select count(*) from tests.for_worker(format('select * from worker.export_page(%L, %L, 0, 150)', :'job', tests.id('holder')))), 150::bigint, 'page by page');
select is((select array[r #>> '{cells,0}', r #>> '{cells,1}', r #>> '{cells,2}'] from tests.for_worker(format('select * from worker.export_page(%L, %L, 399, 150)', :'job', tests.id('holder'))) r),
    (select array[c.phone, c.full_name, r.status] from public.campaign_recipients r join public.contacts c on c.id = r.contact_id where r.campaign_id = :'held' order by r.contact_id desc limit 1),
    'with number, name and state');

-- Segments and timelines.
\ir helpers/segments.sql
select tests.make_segment('Readers', tests.rule('campaign', 'read', to_jsonb(:'held'::uuid))) \g /dev/null
select tests.maintain();
select is(cardinality(tests.members('Readers')), 50, 'a segment knows who read');
select tests.apply_statuses(jsonb_build_array(tests.status('wamid.' || r.message_id, 'read'))) from public.campaign_recipients r where r.campaign_id = :'held' and r.status = 'delivered' limit 1 \g /dev/null
select is(cardinality(tests.members('Readers')), 51, 'and follows');
select tests.manage('create_campaign', tests.id('acme'), ', ''{"name": "To readers"}''') \g /dev/null
update public.campaigns set audience = jsonb_build_object('segment_id', (tests.segment('Readers')).id), status = 'scheduled', scheduled_at = now() where name = 'To readers';
select is(tests.error_for('acme.owner', format('select delete_segment(%L)', (tests.segment('Readers')).id)), 'SEGMENT_005', 'a segment that a campaign will use stays');
select tests.login_as('acme.viewer');
select is((select e #>> '{data,campaign_name}' from jsonb_array_elements(contact_timeline((select c.id from public.contacts c where c.full_name = 'Many 7')) -> 'events') e
    where e ->> 'kind' = 'campaign.received' limit 1) is not null, true, 'a timeline tells which campaigns somebody got');
select tests.logout();
select is_empty($$ select tests.wrong_counts() $$, 'and all counters are right');

select * from finish();
rollback;
