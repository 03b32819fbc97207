-- Jobs as people and workers meet them: who may, how many, who holds one, and how it ends.

begin;
\ir helpers/load.sql
select no_plan();
select tests.make_world();

-- {org}.import waits for its mapping; {org}.export runs and belongs to a worker, {org}.worker.
create function tests.make_jobs(p_org text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into storage.objects (bucket_id, name) values
        ('imports', tests.id(p_org) || '/upload/people.csv'), ('exports', tests.id(p_org) || '/job/contacts.csv');
    insert into public.jobs (id, org_id, kind, status, input, created_by) values
        (tests.id(p_org || '.import'), tests.id(p_org), 'import', 'waiting',
            jsonb_build_object('path', tests.id(p_org) || '/upload/people.csv', 'file_name', 'people.csv'), tests.id(p_org || '.admin')),
        (tests.id(p_org || '.export'), tests.id(p_org), 'export', 'running', '{"selection": {}}', tests.id(p_org || '.admin'));
    insert into private.import_files (job_id, size, head) values
        (tests.id(p_org || '.import'), 50, convert_to(E'Telefon,Nama\n0123450001,Ali\nabc,Abu\n', 'UTF8'));
    insert into private.import_rows (job_id, line, cells, outcome, reason) values (tests.id(p_org || '.import'), 9, '{abc}', 'failed', 'No number.');
    insert into private.job_leases (job_id, holder, lock_key, lease_until) values
        (tests.id(p_org || '.export'), tests.id(p_org || '.worker'), 4711, now() + interval '1 minute');
    insert into private.job_items (job_id, position, contact_id) values (tests.id(p_org || '.export'), 1, tests.id(p_org || '.siti'));
end
$$;
select tests.make_jobs('acme'), tests.make_jobs('globex');

create function tests.as_worker(p_sql text) returns text language plpgsql as $$
declare
    v_answer text;
begin
    perform tests.login_worker();
    execute p_sql into v_answer;
    perform tests.logout();
    return v_answer;
end
$$;

-- Who.
select is(
    tests.error_for('acme.' || r, format('select create_import(%L, %L, %L)', tests.id('acme'), tests.id('acme') || '/upload/people.csv', 'p.csv')),
    'AUTH_003', r || 's import nothing'
) from unnest(array['agent', 'viewer']) r;
select is(tests.error_for('acme.' || r, format('select create_export(%L)', tests.id('acme'))), 'AUTH_003', r || 's export nothing')
from unnest(array['agent', 'viewer']) r;
select is(tests.error_for('globex.owner', format('select create_export(%L)', tests.id('acme'))), 'ORG_001', 'nor do strangers');
select is(tests.error_for('globex.owner', format('select cancel_job(%L)', tests.id('acme.export'))), 'JOB_001', 'who see no job of others');
select tests.login_as('acme.agent');
select is((select count(*) from public.jobs), 0::bigint, 'an agent sees no job: previews show contacts');
select is((select count(*) from storage.objects where bucket_id in ('imports', 'exports')), 0::bigint, 'and no file');
select tests.login_as('acme.campaign_manager');
select is((select count(*) from public.jobs), 2::bigint, 'who may import sees those of the organisation');
select is((select count(*) from storage.objects where bucket_id in ('imports', 'exports')), 2::bigint, 'and its files');
select is(
    tests.error_of(format('insert into storage.objects (bucket_id, name) values (%L, %L)', 'exports', tests.id('acme') || '/x/y.csv')),
    '42501', 'nobody writes an export but the worker'
);
select tests.logout();

-- Files.
select is(
    tests.error_for('acme.admin', format('select create_import(%L, %L, %L)', tests.id('acme'), p, 'p.csv')), 'JOB_003', coalesce(p, 'no path')
) from unnest(array[tests.id('globex') || '/upload/people.csv', tests.id('acme') || '/nothing.csv', null]) p;

-- Mappings.
select tests.login_as('acme.admin');
select is(
    tests.error_of(format('select start_import(%L, %L, %L)', tests.id('acme.import'), m, o)), c, format('%s %s is refused', m, o)
) from (values
    ('[]', '{}', 'JOB_004'), ('[{"index": 5, "field": "phone"}]', '{}', 'JOB_004'), ('[{"index": 0, "field": "wage"}]', '{}', 'JOB_004'),
    ('[{"index": 0, "field": "phone"}]', '{"duplicates": "replace"}', 'JOB_004'), ('[{"index": 0, "field": "phone"}]', '{"encoding": "ebcdic"}', 'JOB_004'),
    ('[{"index": 0, "field": "phone"}]', '{"tag_ids": ["x"]}', 'JOB_004'),
    ('[{"index": 0, "field": "phone"}]', format('{"tag_ids": ["%s"]}', tests.id('nothing')), 'TAG_001'),
    ('[{"index": 0, "field": "phone"}]', '{"consent": {"status": "keen"}}', 'CONTACT_007')
) as x (m, o, c);
select is(
    preview_import(tests.id('acme.import'), '[{"index": 0, "field": "phone"}, {"index": 1, "field": "full_name"}]'),
    '[{"line": 2, "values": {"phone": "+60123450001", "full_name": "Ali"}, "problems": []},
      {"line": 3, "values": {"full_name": "Abu"}, "problems": [{"field": "phone", "message": "“abc” is not a phone number."}]}]'::jsonb,
    'the preview shows what is understood and what is not'
);
select is((start_import(tests.id('acme.import'), '[{"index": 0, "field": "phone"}]')).status, 'queued', 'a mapped import starts');
select is(tests.error_of(format('select start_import(%L, %L)', tests.id('acme.import'), '[]')), 'JOB_002', 'once');

-- How many.
select is((create_export(tests.id('acme'))).status, 'queued', 'three are open') union all
select is((create_export(tests.id('acme'))).status, 'queued', 'four') union all
select is((create_export(tests.id('acme'))).status, 'queued', 'five');
select is(tests.error_of(format('select create_export(%L)', tests.id('acme'))), 'JOB_005', 'a sixth is too many');
select tests.logout();
select is(tests.error_for('globex.admin', format('select create_export(%L)', tests.id('globex'))), null, 'others are not affected');
select is(
    tests.error_for('globex.admin', format('select create_export(%L, %L)', tests.id('globex'), '{"surprise": 1}')), 'CONTACT_012', 'a selection is a selection'
);

-- What is in the trash is only for those who may open it.
update public.contacts set deleted_at = now() where id = tests.id('globex.siti');
select is(
    tests.error_for('globex.campaign_manager', format('select create_export(%L, %L)', tests.id('globex'), '{"trash": true}')), 'AUTH_003', 'the trash is not exported by everybody'
);
create function tests.exported(p_user text, p_selection jsonb) returns integer language plpgsql as $$
declare
    v_job public.jobs;
    v_total integer;
begin
    perform tests.login_as(p_user);
    v_job := create_export(tests.id('globex'), p_selection);
    perform tests.logout();
    update public.jobs set status = 'running' where id = v_job.id;
    insert into private.job_leases (job_id, holder, lock_key, lease_until) values (v_job.id, tests.id('globex.worker'), 1, now());
    perform tests.login_worker();
    select s.total into v_total from worker.start_export(v_job.id, tests.id('globex.worker')) s;
    perform tests.logout();
    delete from public.jobs where id = v_job.id;
    return v_total;
end
$$;
select is(tests.exported('globex.admin', '{"trash": true}'), 1, 'but by those who may open it');
select is(tests.exported('globex.campaign_manager', jsonb_build_object('ids', jsonb_build_array(tests.id('globex.siti')))), 0, 'and not by naming who is in it');
update public.contacts set deleted_at = null where id = tests.id('globex.siti');
select is(tests.exported('globex.campaign_manager', jsonb_build_object('ids', jsonb_build_array(tests.id('globex.siti')))), 1, 'who is out of it again is');

-- Who holds a job: the holder's session must live.
create function tests.claim_jobs(p_holder text, p_kinds text) returns bigint language sql as $$
    select tests.as_worker(format('select count(*) from worker.claim_jobs(%L, 4711, 20, 50, %L)', tests.id(p_holder), p_kinds))::bigint
$$;
select pg_advisory_lock(private.sender_lock_class(), 4711);
select is(tests.claim_jobs('one', '{bulk_change}'), 0::bigint, 'only kinds that the worker can do are claimed');
select is(tests.claim_jobs('one', '{import,export}'), 5::bigint, 'everything that is queued is claimed, nothing that somebody holds');
select is(tests.claim_jobs('two', '{import,export}'), 0::bigint, 'once');
select pg_advisory_unlock(private.sender_lock_class(), 4711);
select pg_advisory_lock(private.sender_lock_class(), 4712);
select is(
    tests.as_worker(format('select count(*) from worker.claim_jobs(%L, 4712, 20, 50, %L)', tests.id('two'), '{import,export}'))::bigint,
    7::bigint, 'what a dead session held is taken over at once'
);

-- A batch counts once, and only for the holder.
create function tests.import_batch(p_holder text, p_from bigint, p_to bigint) returns text language sql as $$
    select tests.as_worker(format($s$select worker.import_batch(%L, %L, %s, %s,
        '[{"line": 2, "phone": "+60123450001", "full_name": "Ali", "cells": ["0123450001"], "also": [{"line": 3, "cells": ["x"]}]},
          {"line": 4, "problem": "Bad.", "cells": ["y"]}]', 10)$s$, tests.id('acme.import'), tests.id(p_holder), p_from, p_to))
$$;
select is(tests.import_batch('one', 0, 4), null, 'a worker that lost the job changes nothing');
select is(tests.import_batch('two', 0, 4), '4', 'the holder does');
select is(tests.import_batch('two', 0, 4), '4', 'the same batch again');
select is(
    (select array[f.created, f.skipped, f.failed] from private.import_files f where f.job_id = tests.id('acme.import')), array[1, 1, 1], 'counts once'
);
select is((select full_name from public.contacts where phone = '+60123450001'), 'Ali', 'the contact is there');
select is((select source from public.contacts where phone = '+60123450001'), 'import', 'with its source');

-- The end.
select is(tests.error_for('acme.admin', format('select cancel_job(%L)', tests.id('acme.import'))), null, 'a running job is cancelled');
select is(tests.import_batch('two', 4, 8), null, 'and its worker told at the next batch');
select is(
    (select j.result ->> 'created' from public.jobs j where j.id = tests.id('acme.import')), '1', 'the result says what was done'
);
select is(tests.error_for('acme.admin', format('select cancel_job(%L)', tests.id('acme.import'))), 'JOB_002', 'it cannot be cancelled twice');
select is((select octet_length(f.head) from private.import_files f where f.job_id = tests.id('acme.import')), 0, 'what was kept of its file to show is gone');
update public.jobs set done_count = 5001 where id = tests.id('acme.export');
select tests.as_worker(format('select worker.finish_export(%L, %L, %L, 5001)', tests.id('acme.export'), tests.id('two'), 'path'));
select results_eq(
    'select user_id, kind from public.notifications',
    $$ values (tests.id('acme.admin'), 'job.finished') $$, 'whoever started more than 5,000 rows is told'
);

-- Afterwards.
select tests.set_clock(now() + interval '8 days');
select tests.as_worker('select worker.purge_jobs(1000)');
select is_empty(
    $$ select id from public.jobs where status in ('done', 'failed', 'cancelled') and finished_at < private.clock() - interval '7 days' $$, 'old jobs are gone'
);
select is_empty('select job_id from private.import_rows where job_id = tests.id(''acme.import'')', 'with their rows');
select is(
    tests.as_worker('select count(*) from worker.expired_files(100)')::bigint, 4::bigint, 'their files are to be removed'
);

select * from finish();
rollback;
