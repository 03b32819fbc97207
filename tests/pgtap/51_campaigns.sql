-- Drafts of campaigns and their life cycle: what may be written, who may, and which state follows which (docs/state-machines.md).

begin;
\ir helpers/load.sql
\ir helpers/ledger.sql
select no_plan();
select tests.make_campaign_world(), tests.make_people('Ravi', 'Siti2');

-- Drafts.
select tests.draft('First', '{"variants": []}') as draft \gset
select is(tests.state(:'draft'), 'draft', 'a campaign begins as a draft');
select is((tests.campaign(:'draft')).whatsapp_account_id, tests.id('acme.number'), 'of the one number there is');
select tests.login_as('acme.campaign_manager');
select is(tests.error_of($$ select create_campaign(tests.id('acme'), '{}') $$), 'CAMPAIGN_009', 'which needs a name');
select is(tests.details_of(format($$ select create_campaign(tests.id('acme'), '{"name": "x", %s}') $$, f.field)) #>> '{problems,0,field}', f.wrong, f.field)
from (values
    ('"color": 1', 'color'), ('"uncertain_policy": "hope"', 'uncertain_policy'), ('"uncertain_hours": 0', 'uncertain_hours'),
    ('"uncertain_hours": "x"', null), ('"holdout_percent": 51', 'holdout_percent'), ('"attribution_days": 0', 'attribution_days'),
    ('"time_zone": "Mars/Olympus"', 'time_zone'), ('"time_zone": "UTC+8"', 'time_zone'), ('"quiet_hours": {"from": "25:00", "to": "09:00"}', 'quiet_hours'),
    ('"quiet_hours": {"from": "09:00", "to": "09:00"}', 'quiet_hours'), ('"quiet_hours": {"from": "21:00"}', 'quiet_hours'),
    ('"test": {"percent": 100, "hours": 2, "measure": "read", "choose": "manual"}', 'test'),
    ('"test": {"percent": 20, "hours": 2, "measure": "clicks", "choose": "manual"}', 'test'),
    ('"audience": {"segment_id": "00000000-0000-0000-0000-000000000000"}', 'audience'), ('"audience": {"trash": true}', 'audience'),
    ('"audience": {"rules": {"all": [{"field": "shoe"}]}}', 'audience'), ('"whatsapp_account_id": "00000000-0000-0000-0000-000000000000"', 'whatsapp_account_id'),
    ('"variants": [{}, {}, {}, {}]', 'variants'), ('"variants": [{"text": "x"}]', 'variants.0.variants'), ('"variants": [{"share": 0}]', 'variants.0.share'),
    ('"variants": [{"template_id": "00000000-0000-0000-0000-000000000000"}]', 'variants.0.template_id'),
    ('"variants": [{"links": {"0": "http://shop.example.com"}}]', 'variants.0.links'), ('"variants": [{"variables": []}]', 'variants.0.variables')
) f (field, wrong);
select is(tests.error_of($$ select create_campaign(tests.id('acme'), '{"name": "x", "audience": {"pets": true}}') $$), 'CONTACT_012', 'an audience is a selection');
select is((select count(*) from public.campaigns), 1::bigint, 'nothing was made of what was refused');

select (tests.campaign(:'draft')).updated_at as seen \gset
select is((update_campaign(:'draft', '{"description": " New ", "quiet_hours": {"from": "21:00", "to": "09:00"}}', :'seen')).description, 'New', 'a draft is edited field by field');
select is((tests.campaign(:'draft')).name, 'First', 'and keeps what is not named');
select is((tests.outcome(format($$ select update_campaign(%L, '{"name": "Second"}', %L) $$, :'draft', :'seen')) ->> 'details')::jsonb #>> '{campaign,description}', 'New',
    'an edit of what somebody else has changed is refused with what there is now');
select is((update_campaign(:'draft', '{"quiet_hours": null}', (tests.campaign(:'draft')).updated_at)).quiet_hours, null, 'null clears');

-- Completeness.
select is(tests.error_of(format('select launch_campaign(%L)', :'draft')), 'CAMPAIGN_004', 'a campaign needs a template');
select is(tests.error_of(format('select schedule_campaign(%L, now() + interval ''1 day'')', :'draft')), 'CAMPAIGN_004', 'also at a later time');
select update_campaign(:'draft', jsonb_build_object('variants', jsonb_build_array(tests.variant('{"variables": {}}'))), (tests.campaign(:'draft')).updated_at) \g /dev/null
select is(tests.details_of(format('select launch_campaign(%L)', :'draft')) #>> '{problems,0,field}', 'variants.0.variables.body.1', 'and a value for each variable');
select update_campaign(:'draft', jsonb_build_object('audience', null, 'variants', jsonb_build_array(tests.variant('{"variables": {"body.1": {"source": "contact", "field": "first_name"}}}'))),
    (tests.campaign(:'draft')).updated_at) \g /dev/null
select is((select array_agg(p ->> 'field' order by p ->> 'field') from jsonb_array_elements(tests.details_of(format('select launch_campaign(%L)', :'draft')) -> 'problems') p),
    array['audience', 'variants.0.variables.body.1'], 'with a default, and an audience');
select update_campaign(:'draft', jsonb_build_object('audience', '{}'::jsonb, 'variants', jsonb_build_array(tests.variant())), (tests.campaign(:'draft')).updated_at) \g /dev/null
select tests.logout();
update public.templates set status = 'disabled' where id = tests.id('acme.news');
select is(tests.details_of(format($$ select tests.manage('launch_campaign', %L) $$, :'draft')) #>> '{problems,0,code}', 'WA_002', 'only approved templates are sent');
update public.templates set status = 'approved', category = 'authentication' where id = tests.id('acme.news');
select is(tests.details_of(format($$ select tests.manage('launch_campaign', %L) $$, :'draft')) #>> '{problems,0,code}', 'one_time_code', 'that are not one-time codes');
update public.templates set category = 'marketing' where id = tests.id('acme.news');
update public.whatsapp_accounts set quality_rating = 'RED' where id = tests.id('acme.number');
select is(tests.details_of(format($$ select tests.manage('launch_campaign', %L) $$, :'draft')) #>> '{problems,0,code}', 'WA_007', 'of a number in good standing');
update public.whatsapp_accounts set quality_rating = 'GREEN', status = 'error' where id = tests.id('acme.number');
select is(tests.details_of(format($$ select tests.manage('launch_campaign', %L) $$, :'draft')) #>> '{problems,0,code}', 'WA_006', 'that is connected');
update public.whatsapp_accounts set status = 'connected' where id = tests.id('acme.number');

-- Scheduling.
select is(tests.error_of(format($$ select tests.manage('schedule_campaign', %L, ', now() - interval ''1 second''') $$, :'draft')), 'CAMPAIGN_008', 'not in the past');
select is(tests.error_of(format($$ select tests.manage(%L, %L, ', %s') $$, f, :'draft', 'p_expected_updated_at => now() - interval ''''1 day''''' || more)), 'CAMPAIGN_007',
    'nor another version than was looked at: ' || f)
from (values ('launch_campaign', ''), ('schedule_campaign', ', p_at => now() + interval ''''1 day''''')) v (f, more);
select tests.manage('schedule_campaign', :'draft', ', now() + interval ''1 day''') \g /dev/null
select is(tests.state(:'draft'), 'scheduled', 'draft → scheduled');
select is(tests.error_of(format($$ select tests.manage('delete_campaign', %L) $$, :'draft')), 'CAMPAIGN_005', 'a scheduled one is not deleted');
select tests.login_as('acme.campaign_manager');
select is(tests.error_of(format($$ select update_campaign(%L, '{"variants": []}', (tests.campaign(%1$L)).updated_at) $$, :'draft')), 'CAMPAIGN_004', 'nor made incomplete');
select is(tests.error_of(format($$ select update_campaign(%L, '{"scheduled_at": "2001-01-01"}', (tests.campaign(%1$L)).updated_at) $$, :'draft')), 'CAMPAIGN_008', 'nor moved into the past');
select is((update_campaign(:'draft', '{"name": "Third"}', (tests.campaign(:'draft')).updated_at)).name, 'Third', 'but edited');
select tests.logout();
select tests.manage('unschedule_campaign', :'draft') \g /dev/null
select is(tests.state(:'draft'), 'draft', 'scheduled → draft');
select is(tests.worker_says('select worker.start_due_campaigns()'), '0', 'a draft is never due');
select tests.manage('schedule_campaign', :'draft', ', now() + interval ''1 day''') \g /dev/null
select is(tests.worker_says('select worker.start_due_campaigns()'), '0', 'one before its time neither');
select tests.set_clock(now() + interval '25 hours');
select is(tests.worker_says('select worker.start_due_campaigns()'), '1', 'at its time it starts');
select is(tests.state(:'draft'), 'sending', 'scheduled → sending');
select is(tests.worker_says('select worker.start_due_campaigns()'), '0', 'once');
select is(tests.ledger(:'draft'), array['Ravi Bakar waiting', 'Siti2 Bakar waiting'], 'with its audience');

-- Sent ones are not edited.
select tests.login_as('acme.campaign_manager');
select is(tests.error_of(format($$ select update_campaign(%L, '{"name": "Late"}', (tests.campaign(%1$L)).updated_at) $$, :'draft')), 'CAMPAIGN_003', 'what was sent does not change');
select throws_ok(format($$ update public.campaigns set name = 'x' where id = %L $$, :'draft'), '42501', null, 'not even directly');
select throws_ok($$ insert into public.campaign_recipients (campaign_id, contact_id, org_id, position, status) values (gen_random_uuid(), gen_random_uuid(), tests.id('acme'), 1, 'sent') $$,
    '42501', null, 'nor the ledger');
select tests.logout();

-- Every function in every state: what is allowed, and nothing else.
create function tests.allowed(p_status text) returns text[] language plpgsql as $$
declare
    v_id uuid;
    v_call record;
    v_result text[] := '{}';
begin
    for v_call in select * from (values ('launch_campaign', ''), ('schedule_campaign', ', now() + interval ''2 days'''), ('unschedule_campaign', ''), ('pause_campaign', ''),
        ('resume_campaign', ''), ('cancel_campaign', ''), ('retry_failed_recipients', ''), ('delete_campaign', ''), ('rehearse_campaign', ''), ('duplicate_campaign', '')) c (name, more)
    loop
        v_id := tests.draft('In state ' || p_status);
        update public.campaigns set status = p_status, launched_at = case when p_status not in ('draft', 'scheduled') then now() end where id = v_id;
        if tests.error_of(format('select tests.manage(%L, %L, %L)', v_call.name, v_id, v_call.more)) is null then
            v_result := v_result || v_call.name;
        end if;
        perform tests.logout();
    end loop;
    return v_result;
end
$$;
select is(tests.allowed(s.status), s.allowed, s.status) from (values
    ('draft', array['launch_campaign', 'schedule_campaign', 'delete_campaign', 'rehearse_campaign', 'duplicate_campaign']),
    ('scheduled', array['launch_campaign', 'schedule_campaign', 'unschedule_campaign', 'cancel_campaign', 'rehearse_campaign', 'duplicate_campaign']),
    ('sending', array['pause_campaign', 'cancel_campaign', 'retry_failed_recipients', 'duplicate_campaign']),
    ('paused', array['resume_campaign', 'cancel_campaign', 'retry_failed_recipients', 'duplicate_campaign']),
    ('completed', array['retry_failed_recipients', 'duplicate_campaign']),
    ('cancelled', array['duplicate_campaign']),
    ('failed', array['duplicate_campaign'])) s (status, allowed);

-- A scheduled one that cannot start says why.
select tests.draft('Hopeless', jsonb_build_object('audience', '{"search": "nobody at all"}'::jsonb)) as hopeless \gset
select is(tests.error_of(format($$ select tests.manage('launch_campaign', %L) $$, :'hopeless')), 'CAMPAIGN_002', 'a campaign to nobody is not launched');
select is(tests.state(:'hopeless'), 'draft', 'and stays a draft');
select is((select count(*) from public.campaign_recipients where campaign_id = :'hopeless'), 0::bigint, 'without a ledger');
select tests.manage('schedule_campaign', :'hopeless', format(', %L', private.clock() + interval '1 hour')) \g /dev/null
update public.campaigns set status = 'cancelled' where status = 'scheduled' and id <> :'hopeless';
select tests.set_clock(private.clock() + interval '2 hours');
select is(tests.worker_says('select worker.start_due_campaigns()'), '1', 'the scheduler takes it');
select is(tests.state(:'hopeless'), 'failed CAMPAIGN_002', 'and it is failed with its reason');
select ok(exists (select from public.notifications n where n.kind = 'campaign.failed' and n.user_id = tests.id('acme.campaign_manager')), 'which managers are told');

-- Copies.
select tests.manage('duplicate_campaign', :'draft') \g /dev/null
select results_eq($$ select c.name, c.status, (select count(*) from public.campaign_variants v where v.campaign_id = c.id) from public.campaigns c where c.name like 'Third (%' $$,
    $$ values ('Third (copy)'::text, 'draft'::text, 1::bigint) $$, 'a copy is a draft with the same content');
select tests.draft('To delete') as gone \gset
select tests.manage('delete_campaign', :'gone') \g /dev/null
select is((select count(*) from public.campaigns where id = :'gone'), 0::bigint, 'a draft is deleted');

-- Settings.
select is(tests.error_for('acme.campaign_manager', $$ select set_campaign_settings(tests.id('acme'), '{}') $$), 'AUTH_003', 'settings are for admins');
select tests.login_as('acme.admin');
select is(tests.error_of(format($$ select set_campaign_settings(tests.id('acme'), '%s') $$, s)), 'CAMPAIGN_009', s) from unnest(array[
    '{"marketing_cap": {"messages": 0, "days": 7}}', '{"marketing_cap": {"messages": 1}}', '{"message_prices": {"currency": "RM"}}', '{"cap": 1}',
    '{"message_prices": {"currency": "MYR", "countries": {"XX": {"marketing": 1}}}}', '{"message_prices": {"currency": "MYR", "default": {"marketing": -1}}}']) s;
select set_campaign_settings(tests.id('acme'), '{"marketing_cap": {"messages": 2, "days": 7}}') \g /dev/null
select is((set_campaign_settings(tests.id('acme'), '{"message_prices": {"currency": "MYR", "default": {"marketing": 0.5}}}')).marketing_cap ->> 'messages', '2', 'settings not named stay');
select tests.logout();

select * from finish();
rollback;
