-- Time that passes without a write: rolling boundaries, the organisation's midnight, clocks that go backwards, other time zones.

begin;
\ir helpers/load.sql
\ir helpers/segments.sql
select no_plan();
-- Half past eleven in the evening in Kuala Lumpur.
select tests.set_clock('2027-03-10 15:30:00+00');
select tests.make_world();
select tests.make_contact('acme', 'acme.ravi', '+60170001111'), tests.make_contact('acme', 'acme.mei', '+60170002222');
insert into public.custom_field_definitions (org_id, key, label, type) values (tests.id('acme'), 'renewal', 'Renewal', 'date');
update public.contacts set last_message_at = private.clock() - interval '23 hours', created_at = private.clock() - interval '6 days 12 hours',
    birthday = '1990-03-11', custom_fields = '{"renewal": "2027-03-12"}'
where id = tests.id('acme.siti');
update public.contacts set last_message_at = private.clock() - interval '47 hours 59 minutes', created_at = private.clock() - interval '8 days'
where id = tests.id('acme.ravi');
update public.contacts set last_message_at = null, created_at = private.clock() + interval '30 minutes' where id = tests.id('acme.mei');

select tests.make_segment('Today', tests.rule('last_message_at', 'in_last', tests.last(24, 'hours')));
select tests.make_segment('Quiet', tests.rule('last_message_at', 'not_in_last', tests.last(2, 'days')));
select tests.make_segment('New', tests.rule('created_at', 'in_last', tests.last(1, 'weeks')));
select tests.make_segment('Birthday', tests.rule('birthday', 'anniversary_is_today'));
select tests.make_segment('Renews', tests.rule('custom.renewal', 'in_next', tests.last(2, 'days')));
select tests.make_segment('Since the 10th', tests.rule('last_message_at', 'after', '"2027-03-09"'));
select tests.make_segment('Nothing of time', tests.rule('email', 'is_empty'));
select tests.make_segment('Of time through another', tests.rule('segment', 'is_in', to_jsonb((tests.segment('Today')).id)));

select is(tests.members('Today'), array['Acme.Siti'], 'at first');
select is(tests.members('Quiet'), array['Acme.Mei'], 'never is not in the last days');
select is(tests.members('New'), array['Acme.Mei', 'Acme.Siti'], 'a week');
select is(tests.members('Birthday'), '{}', 'not yet tomorrow');
select is(tests.members('Renews'), '{}', 'nor the day after');

-- A rolling boundary.
select tests.set_clock(private.clock() + interval '1 minute');
select is(tests.members('Quiet'), array['Acme.Mei'], 'at the very boundary');
select tests.set_clock(private.clock() + interval '1 second');
select is(tests.members('Quiet'), array['Acme.Mei', 'Acme.Ravi'], 'a moment after');
select is(tests.segment_events('Quiet'), array['entered Acme.Ravi (time)'], 'time did it');
select tests.set_clock(private.clock() + interval '20 minutes');
select is((select count(*) from private.contact_changes), 0::bigint, 'who waits for nothing');
select is(tests.members('Today'), array['Acme.Siti'], 'stays');

-- Midnight in Kuala Lumpur.
-- Time is looked at once a second.
select tests.set_clock('2027-03-10 15:59:59+00');
select is(tests.members('Birthday'), '{}', 'a moment before midnight');
select tests.set_clock('2027-03-10 16:00:00+00');
select is(tests.members('Birthday'), array['Acme.Siti'], 'at midnight of the organisation');
select is(tests.segment_events('Birthday'), array['entered Acme.Siti (time)'], 'time did it');
select is(tests.members('Renews'), array['Acme.Siti'], 'a custom date');
select tests.set_clock('2027-03-10 16:31:00+00');
select is(tests.members('Today'), '{}', 'a day after the message');
select is(tests.members('Of time through another'), '{}', 'and what is built on it');
select is(tests.segment_events('Of time through another'), array['left Acme.Siti (time)'], 'by time as well');

-- Days at once.
select tests.set_clock('2027-03-13 12:00:00+00');
select is(tests.members('Birthday'), '{}', 'three days of sleep');
select is(tests.members('Quiet'), array['Acme.Mei', 'Acme.Ravi', 'Acme.Siti'], 'are made up for');
select is(tests.members('New'), array['Acme.Mei'], 'in all segments');

-- Backwards.
select tests.set_clock('2027-03-10 16:10:00+00');
select is(tests.members('Birthday'), array['Acme.Siti'], 'a clock that goes back over midnight');
select is(tests.members('Today'), array['Acme.Siti'], 'and over boundaries');
select is(tests.members('Quiet'), array['Acme.Mei', 'Acme.Ravi'], 'either way');
select tests.set_clock('2027-03-10 16:31:00+00');
select is(tests.members('Today'), '{}', 'and forward');
-- Less than the second between two looks, after somebody was judged in that second.
select tests.set_clock('2027-03-10 16:31:00.9+00');
update public.contacts set last_message_at = '2027-03-09 16:31:00.5+00' where id = tests.id('acme.mei');
select is(tests.members('Today'), '{}', 'just too old');
select tests.set_clock('2027-03-10 16:31:00.4+00');
select is(tests.members('Today'), array['Acme.Mei'], 'half a second earlier it was not');
select tests.set_clock('2027-03-10 16:31:01.5+00');
select is(tests.members('Today'), '{}', 'and soon it is again');

-- Another time zone.
select is(tests.members('Since the 10th'), array['Acme.Mei', 'Acme.Siti'], 'days are those of the organisation');
select is(tests.error_for('acme.owner', $$ select update_organization(tests.id('acme'), 'Acme', 'MY', 'Pacific/Kiritimati') $$), null, 'that moves east');
select is(tests.members('Birthday'), array['Acme.Siti'], 'it is the 11th there');
select is(tests.error_for('acme.owner', $$ select update_organization(tests.id('acme'), 'Acme', 'MY', 'Pacific/Honolulu') $$), null, 'far west');
select is(tests.members('Birthday'), '{}', 'it is the 10th');
select is(tests.members('Since the 10th'), '{}', 'that has only just begun');
select is(tests.segment_events('Nothing of time'), '{}', 'what does not depend on it is left alone');
-- In one step, as after workers that were down; nothing but the date moves her.
update public.contacts set created_at = '2020-01-01', last_message_at = '2020-01-01' where id = tests.id('acme.siti');
select is(tests.members('Birthday'), '{}', 'still');
select tests.set_clock('2027-03-11 10:00:00+00');
select is(tests.members('Birthday'), array['Acme.Siti'], 'when the 11th comes a second time');

-- A segment that is the first to depend on time.
select tests.make_segment('Theirs', tests.rule('created_at', 'in_last', tests.last(1, 'hours')), 'globex');
update public.contacts set created_at = private.clock() where id = tests.id('globex.siti');
select is(tests.members('Theirs', 'globex'), array['Globex.Siti'], 'begins to watch');
select tests.set_clock(private.clock() + interval '61 minutes');
select is(tests.members('Theirs', 'globex'), '{}', 'from then on');

-- Once a second at most.
select tests.maintain();
select is(tests.worker_says('select more from worker.maintain_segments(10)'), 'false', 'within the second');
select tests.set_clock(private.clock() + interval '0.9 seconds');
select is((select count(*) from private.waiting_segment_orgs(private.clock())), 0::bigint, 'nobody waits for the clock');
select tests.set_clock(private.clock() + interval '0.2 seconds');
select is((select count(*) from private.waiting_segment_orgs(private.clock())), 2::bigint, 'after it both do');

select * from finish();
rollback;
