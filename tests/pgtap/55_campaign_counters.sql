-- Counters equal a recount of the ledger, after whatever happens in whatever order (design §5, invariant 6): random operations, counted each time.

begin;
\ir helpers/load.sql
\ir helpers/ledger.sql
select no_plan();
select tests.make_campaign_world();
insert into public.contacts (org_id, phone, full_name, opt_in_status)
select tests.id('acme'), '+60188' || lpad(i::text, 6, '0'), 'Many ' || i, case when i % 9 = 0 then 'pending' else 'opted_in' end from generate_series(1, 60) i;

-- One random thing that can happen to a campaign or its people.
create function tests.happen(p_what integer, p_dice double precision) returns void language plpgsql as $$
declare
    v_campaign uuid := (select c.id from public.campaigns c where c.launched_at is not null order by md5(c.id::text || p_dice) limit 1);
    v_some uuid[] := array(select m.id from public.messages m where m.campaign_id is not null and m.accepted_at is not null order by md5(m.id::text || p_dice) limit 5);
    v_status text := (array['sent', 'delivered', 'read', 'failed'])[1 + floor(p_dice * 4)::integer];
    v_events jsonb;
begin
    case p_what
    when 0, 1 then perform tests.feed(1 + floor(p_dice * 10)::integer);
    when 2, 3 then perform tests.send_all((array['accepted', 'accepted', 'uncertain', 'failed'])[1 + floor(p_dice * 4)::integer],
        jsonb_build_object('error_code', (array['131049', '131053', '131026', '131050'])[1 + floor(p_dice * 13)::integer % 4]));
    when 4, 5 then
        select jsonb_agg(tests.status('wamid.' || x, v_status, jsonb_build_object('error_code', case when v_status = 'failed' then '131053' end))) into v_events from unnest(v_some) x;
        if v_events is not null then
            perform tests.apply_statuses(v_events);
        end if;
    when 6 then
        select jsonb_agg(tests.inbound('wamid.in.' || p_dice || m.id, jsonb_build_object('wa_id', ltrim(c.phone, '+')))) into v_events
        from public.messages m join public.contacts c on c.id = m.contact_id where m.id = any (v_some) and c.phone is not null;
        if v_events is not null then
            perform tests.apply(v_events);
        end if;
    when 7 then perform tests.advance();
    when 8 then update public.campaign_recipients r set clicked_at = now() where r.message_id = any (v_some);
    when 9 then update public.campaign_recipients r set opportunity_at = now() where r.campaign_id = v_campaign and r.position % 7 = floor(p_dice * 7)::integer;
    when 10 then perform tests.error_of(format($q$ select tests.manage(%L, %L) $q$, (array['pause_campaign', 'resume_campaign', 'retry_failed_recipients'])[1 + floor(p_dice * 3)::integer], v_campaign));
        perform tests.logout();
    when 11 then perform tests.set_clock(private.clock() + make_interval(hours => floor(p_dice * 30)::integer));
    when 12 then
        perform tests.login_as('acme.owner');
        perform tests.error_of(format('select merge_contacts(%L, %L)', min(x.id::text), max(x.id::text))) from (
            select c.id from public.contacts c where c.full_name like 'Many%' and c.deleted_at is null order by md5(c.id::text || p_dice) limit 2) x;
        perform tests.logout();
    when 13 then
        perform tests.login_as('acme.owner');
        perform tests.error_of(format($q$ select erase_contact(%L, 'ERASE') $q$, (
            select c.id from public.contacts c where c.full_name like 'Many%' and c.deleted_at is null order by md5(c.id::text || p_dice) limit 1)));
        perform tests.logout();
    end case;
end
$$;

select tests.launch('One', '{"holdout_percent": 10, "uncertain_policy": "repeat", "uncertain_hours": 5}') \g /dev/null
select tests.launch('Two', jsonb_build_object('variants', jsonb_build_array(tests.variant(), tests.variant(jsonb_build_object('template_id', tests.id('acme.other')))),
    'test', '{"percent": 50, "hours": 2, "measure": "read", "choose": "automatic"}'::jsonb, 'uncertain_hours', 5)) \g /dev/null
select is_empty($$ select tests.wrong_counts() $$, 'after the launches');
select setseed(0.42);
create function tests.storm(p_rounds integer) returns setof text language plpgsql as $$
declare
    v_what integer;
    v_wrong text;
begin
    for i in 1..p_rounds loop
        -- Merges and erasures use people up: one round in twenty.
        v_what := case when random() < 0.05 then 12 + floor(random() * 2)::integer else floor(random() * 12)::integer end;
        perform tests.happen(v_what, random());
        select string_agg(w, '; ') into v_wrong from tests.wrong_counts() w;
        if v_wrong is not null then
            return next format('round %s, operation %s: %s', i, v_what, v_wrong);
            return;
        end if;
    end loop;
end
$$;
select is_empty($$ select tests.storm(400) $$, 'and after each of four hundred operations');
select is_empty($$ select c.name from public.campaigns c where c.launched_at is not null and (select count(distinct r.status) from public.campaign_recipients r where r.campaign_id = c.id) < 3 $$,
    'which led to many states');
select is_empty($$ select s.campaign_id from private.campaign_stats s where s.total <> s.excluded + s.held_out + s.waiting + s.queued + s.sent + s.failed $$, 'of which each recipient has one');
select is_empty($$ select m.contact_id, m.campaign_id from public.messages m where m.campaign_id is not null and m.failed_at is null and m.contact_id not in (
        select l.contact_id from public.activity_log l where l.kind = 'contact.merged')
    group by m.contact_id, m.campaign_id having count(*) > 1 $$, 'and at most one message that Meta never refused');
select private.fold_campaigns(array(select c.id from public.campaigns c)) \g /dev/null
select is((select count(*) from private.campaign_deltas), 0::bigint, 'folding leaves nothing');
select is_empty($$ select tests.wrong_counts() $$, 'and loses nothing');

-- An organisation that goes takes all of it along.
delete from public.organizations where id = tests.id('acme');
select is((select count(*) from public.campaign_recipients) + (select count(*) from private.campaign_counts) + (select count(*) from public.campaigns)
    + (select count(*) from private.campaign_deltas) + (select count(*) from private.campaign_reasons) + (select count(*) from private.send_effects), 0::bigint, 'with the organisation goes the ledger');

select * from finish();
rollback;
