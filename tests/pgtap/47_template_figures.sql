-- What is known of templates: the list with its filters and order, counts that equal a recount, days, replies, previews.

begin;
\ir helpers/load.sql
select no_plan();
select tests.make_world();
select tests.make_template('acme.' || n, s, c, tests.body('Your order is ready.'))
from (values ('alpha', 'approved', 'utility'), ('beta', 'draft', 'marketing'), ('gamma', 'approved', 'marketing'), ('order_ready', 'rejected', 'utility'), ('order_late', 'pending', 'utility')) v (n, s, c);
select tests.make_template('globex.alpha');
update public.templates set language = 'ms' where id = tests.id('acme.gamma');
update public.templates set created_at = now() - length(name) * interval '1 day';

create function tests.list(p_arguments text default '', p_user text default 'acme.viewer') returns text[] language plpgsql as $$
declare
    v_names text[];
begin
    perform tests.login_as(p_user);
    execute format('select array(select t.value ->> ''name'' from jsonb_array_elements(list_templates(tests.id(''acme'')%s) -> ''templates'') with ordinality t (value, n) order by n)', ', ' || nullif(p_arguments, ''))
        into v_names;
    perform tests.logout();
    return v_names;
end
$$;
create function tests.figures(p_name text, p_user text default 'acme.viewer') returns jsonb language plpgsql as $$
declare
    v_figures jsonb;
begin
    perform tests.login_as(p_user);
    v_figures := public.template_analytics(tests.id(p_name), 3);
    perform tests.logout();
    return v_figures;
end
$$;

-- Lists.
select is(tests.list(), array['alpha', 'beta', 'gamma', 'order_late', 'order_ready'], 'by name');
select is(tests.list(a), e, a) from (values
    ($$ p_descending => true $$, array['order_ready', 'order_late', 'gamma', 'beta', 'alpha']),
    ($$ 'order' $$, array['order_late', 'order_ready']), ($$ 'ORDER L' $$, array['order_late']), ($$ '%' $$, '{}'), ($$ '_' $$, array['order_late', 'order_ready']), ($$ '' $$, array['alpha', 'beta', 'gamma', 'order_late', 'order_ready']),
    ($$ p_status => 'approved' $$, array['alpha', 'gamma']), ($$ p_category => 'marketing' $$, array['beta', 'gamma']), ($$ p_language => 'ms' $$, array['gamma']),
    ($$ p_status => 'approved', p_category => 'utility' $$, array['alpha']), ($$ p_status => 'unheard of' $$, '{}'),
    ($$ p_sort => 'created_at' $$, array['order_ready', 'order_late', 'alpha', 'gamma', 'beta']),
    ($$ p_sort => 'created_at', p_descending => true $$, array['beta', 'alpha', 'gamma', 'order_late', 'order_ready']),
    ($$ p_waba_id => '91001' $$, array['alpha', 'beta', 'gamma', 'order_late', 'order_ready']), ($$ p_waba_id => '91002' $$, '{}'),
    ($$ p_is_for_campaigns => true $$, array['alpha', 'gamma']), ($$ p_is_for_campaigns => null, p_limit => 1 $$, array['alpha']),
    ($$ p_limit => 2 $$, array['alpha', 'beta']), ($$ p_limit => 2, p_offset => 2 $$, array['gamma', 'order_late']), ($$ p_offset => 9 $$, '{}')
) v (a, e);
update public.templates set category = 'authentication' where id = tests.id('acme.alpha');
select is(tests.list($$ p_is_for_campaigns => true $$), array['gamma'], 'no campaign sends one-time codes');
update public.templates set category = 'utility' where id = tests.id('acme.alpha');
select tests.login_as('acme.viewer');
select is(list_templates(tests.id('acme'), p_limit => 1) -> 'total', '5', 'the total is of all pages');
select is(tests.error_of($$ select list_templates(tests.id('acme'), p_sort => 'colour') $$), 'TEMPLATE_004', 'there are four orders');
select tests.logout();
select is(tests.error_for(u, f), c, u || f) from (values
    ('globex.owner', 'select list_templates(tests.id(''acme''))', 'ORG_001'), ('stranger', 'select list_templates(tests.id(''acme''))', 'ORG_001'),
    ('globex.owner', 'select template_analytics(tests.id(''acme.alpha''))', 'TEMPLATE_001'), ('globex.owner', 'select preview_template(tests.id(''acme.alpha''))', 'TEMPLATE_001'),
    ('stranger', 'select template_variables(tests.id(''acme.alpha''))', 'TEMPLATE_001'), ('acme.viewer', 'select template_variables(tests.id(''acme.alpha''))', null)) v (u, f, c);

-- Counts. p_count messages made p_ago ago, as their states are.
create function tests.sent_with(p_name text, p_count integer, p_ago interval, p_delivered integer default 0, p_read integer default 0) returns void language sql security definer set search_path = '' as $$
    insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, status, template_id, created_at, occurred_at, accepted_at, delivered_at, read_at)
    select v.org_id, v.id, v.whatsapp_account_id, v.contact_id, 'outbound', 'template', 'x',
        case when i <= p_read then 'read' when i <= p_delivered then 'delivered' else 'sent' end, tests.id(p_name), now() - p_ago, now() - p_ago, now() - p_ago,
        case when i <= p_delivered then now() - p_ago end, case when i <= p_read then now() - p_ago end
    from public.conversations v, generate_series(1, p_count) i where v.id = tests.id(split_part(p_name, '.', 1) || '.thread')
$$;
select tests.sent_with('acme.alpha', 60, interval '1 day', 50, 10), tests.sent_with('acme.gamma', 49, interval '2 days', 49, 49), tests.sent_with('acme.alpha', 20, interval '10 minutes');
select is_empty('select tests.wrong_template_counts()', 'counted as they come');
select is(tests.list($$ p_sort => 'sent_count', p_descending => true $$), array['alpha', 'gamma', 'beta', 'order_late', 'order_ready'], 'the most used, before anybody has added up');
select is(tests.list($$ p_sort => 'read_rate', p_descending => true $$), array['alpha', 'beta', 'gamma', 'order_late', 'order_ready'], 'the best read, of those sent 50 times');
select private.fold_template_counts();
select is((select count(*) from private.template_deltas), 0::bigint, 'added up');
select is_empty('select tests.wrong_template_counts()', 'it is the same');
select results_eq($$ select sent_count, delivered_count, read_count, last_used_at from tests.template('acme.alpha') $$, $$ values (80::bigint, 50::bigint, 10::bigint, now() - interval '10 minutes') $$, 'on the template');
select is(tests.list($$ p_sort => 'sent_count', p_descending => true $$), array['alpha', 'gamma', 'beta', 'order_late', 'order_ready'], 'and in the list');
select tests.login_as('acme.viewer');
select results_eq($$ select t ->> 'name', t -> 'read_rate', t -> 'sent_count' from jsonb_array_elements(list_templates(tests.id('acme'), p_status => 'approved') -> 'templates') t $$,
    $$ values ('alpha', '0.2'::jsonb, '80'::jsonb), ('gamma', 'null', '49') $$, 'a rate is of what was delivered');
select tests.logout();

-- Whatever becomes of messages.
do $$
declare
    v_ids uuid[];
begin
    perform setseed(0.4);
    for v_round in 1..60 loop
        v_ids := array(select m.id from public.messages m where m.template_id is not null order by random() limit 1 + (random() * 20)::integer);
        case v_round % 6
            when 0 then update public.messages set status = 'delivered', delivered_at = coalesce(delivered_at, now()) where id = any (v_ids);
            when 1 then update public.messages set status = 'read', read_at = coalesce(read_at, now()) where id = any (v_ids);
            when 2 then update public.messages set status = 'failed', failed_at = now() where id = any (v_ids);
            when 3 then update public.messages set status = 'pending', accepted_at = null, sent_at = null, delivered_at = null, read_at = null where id = any (v_ids);
            when 4 then delete from public.messages where id = any (v_ids[1:2]);
            else perform private.fold_template_counts();
        end case;
    end loop;
end
$$;
select is_empty('select tests.wrong_template_counts()', 'counts equal a recount after sixty changes');
select cmp_ok((select sum(sent) from private.template_counts), '>', 20::bigint, 'of which many are left');
select private.fold_template_counts();
select is_empty('select tests.wrong_template_counts()', 'and once added up');
update private.template_counts set sent = sent + 1 where template_id = tests.id('acme.alpha') and slot = (select min(slot) from private.template_counts where template_id = tests.id('acme.alpha'));
select isnt_empty('select tests.wrong_template_counts()', 'a wrong count would be seen');

-- Days of the organisation: Kuala Lumpur's midnight is 16:00 UTC.
delete from public.messages where template_id is not null;
delete from private.template_counts;
delete from private.template_deltas;
select tests.set_clock('2026-03-10 02:00+00');
create function tests.sent_at(p_at timestamptz) returns void language sql security definer set search_path = '' as $$
    insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, status, template_id, created_at, occurred_at, accepted_at)
    select v.org_id, v.id, v.whatsapp_account_id, v.contact_id, 'outbound', 'template', 'x', 'sent', tests.id('acme.alpha'), p_at, p_at, p_at
    from public.conversations v where v.id = tests.id('acme.thread')
$$;
select tests.sent_at(t::timestamptz) from unnest(array['2026-03-07 15:59:59+00', '2026-03-07 16:00:00+00', '2026-03-08 15:59:59+00', '2026-03-08 16:00+00', '2026-03-09 23:00+00']) t;
select is(tests.figures('acme.alpha') -> 'days', '[{"day": "2026-03-08", "sent": 2, "delivered": 0, "read": 0, "replied": 0}, {"day": "2026-03-09", "sent": 1, "delivered": 0, "read": 0, "replied": 0},
    {"day": "2026-03-10", "sent": 1, "delivered": 0, "read": 0, "replied": 0}]', 'three days, the last one today''s');
select private.fold_template_counts();
select is(tests.figures('acme.alpha') -> 'totals', '{"sent": 4, "delivered": 0, "read": 0, "replied": 0}', 'in all');
update public.organizations set time_zone = 'Asia/Kathmandu' where id = tests.id('acme');
select tests.sent_at(t::timestamptz) from unnest(array['2026-03-08 18:14:59+00', '2026-03-08 18:15:00+00']) t;
select is(jsonb_path_query_array(tests.figures('acme.alpha') -> 'days', '$[*].sent'), '[3, 1, 1]', 'midnight there is 18:15 UTC');
delete from public.messages where created_at in ('2026-03-08 18:14:59+00', '2026-03-08 18:15:00+00');
update public.organizations set time_zone = 'Asia/Kuala_Lumpur' where id = tests.id('acme');
insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, status, occurred_at)
select v.org_id, v.id, v.whatsapp_account_id, v.contact_id, 'inbound', 'text', 'yes', 'received', '2026-03-09 12:00+00' from public.conversations v where v.id = tests.id('acme.thread');
select is(jsonb_path_query_array(tests.figures('acme.alpha') -> 'days', '$[*].replied'), '[2, 1, 0]', 'whoever wrote afterwards replied');
select is(tests.figures('acme.alpha') - '{days,totals}'::text[], '{"campaigns": [], "flows": []}', 'nobody uses it');

-- Replies to campaigns are in their ledger.
insert into public.campaigns (id, org_id, name, status) values (tests.id('spring'), tests.id('acme'), 'Spring', 'completed'), (tests.id('summer'), tests.id('acme'), 'Summer', 'completed');
insert into public.campaign_variants (campaign_id, position, org_id, template_id) values (tests.id('spring'), 1, tests.id('acme'), tests.id('acme.alpha')),
    (tests.id('spring'), 2, tests.id('acme'), tests.id('acme.gamma')), (tests.id('summer'), 1, tests.id('acme'), tests.id('acme.gamma'));
insert into public.campaign_recipients (campaign_id, contact_id, org_id, position, variant, status, queued_at, replied_at)
select tests.id(c), gen_random_uuid(), tests.id('acme'), 1, v, 'read', q::timestamptz, r::timestamptz
from (values ('spring', 1, '2026-03-09 17:00+00', '2026-03-10 01:00+00'), ('spring', 1, '2026-03-09 17:00+00', null), ('spring', 2, '2026-03-09 17:00+00', '2026-03-10 01:00+00'),
    ('summer', 1, '2026-03-09 17:00+00', '2026-03-10 01:00+00'), ('spring', 1, '2026-03-01 17:00+00', '2026-03-10 01:00+00')) x (c, v, q, r);
select is(jsonb_path_query_array(tests.figures('acme.alpha') -> 'days', '$[*].replied'), '[2, 1, 1]', 'of the variant that is this template, by the day of the message');

-- Previews.
select tests.make_template('acme.greeting', p_components => tests.body('Hello {{1}}, welcome to our shop.', array['Siti']));
select tests.login_as('acme.viewer');
select is(preview_template(tests.id('acme.greeting'), '{"body.1": "Mei"}') ->> 'body', 'Hello Mei, welcome to our shop.', 'filled in');
select alike(preview_template(tests.id('acme.greeting')) ->> 'body', '%{{1}}%', 'or with its placeholder');
select is(template_variables(tests.id('acme.greeting')) #>> '{0,key}', 'body.1', 'what is to be filled in');
select tests.logout();

select * from finish();
rollback;
