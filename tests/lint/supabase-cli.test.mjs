// What Supabase's own tools say about the schema: its advisors, and its linter of functions. No Docker, no account.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { address, makeDatabase, query, root, run, templates } from './databases.mjs';

// The program itself: its wrapper names a package for every platform, and not every registry has them all.
const cli = fileURLToPath(new URL('node_modules/@supabase/cli-linux-x64/bin/supabase', import.meta.url));
// It reads supabase/config.toml and leaves notes beside it, which belong in no checkout.
const workdir = mkdtempSync(path.join(tmpdir(), 'octopush-supabase-'));
cpSync(path.join(root, 'supabase/config.toml'), path.join(workdir, 'supabase/config.toml'));
after(() => rmSync(workdir, { recursive: true }));
const supabase = (...args) => JSON.parse(run(cli, [...args, '--workdir', workdir, '-o', 'json', '--agent', 'no']) || '[]');

test('the advisors find nothing that is not in allowed-findings.json with its reason', (t) => {
    const database = makeDatabase(t, 'lint_advisors', templates.product);
    const findings = supabase('db', 'advisors', `--remote=${address(database)}`, '--type', 'all', '--level', 'info', '--fail-on', 'none');
    // Nobody has used any index of a new database, and what the embedded stack keeps for itself is no part of a Supabase project.
    const counted = findings.filter((f) => f.name !== 'unused_index' && f.metadata?.schema !== 'supabase_embedded');
    const allowed = allowedFindings('advisors');
    const isAllowed = (finding) => allowed.some((a) => a.name === finding.name && new RegExp(a.object).test(objectOf(finding)));
    assert.deepEqual(counted.filter((f) => !isAllowed(f)).map((f) => `${f.level} ${f.name} ${objectOf(f)}: ${f.detail}`), []);
    const unused = allowed.filter((a) => !counted.some((f) => a.name === f.name && new RegExp(a.object).test(objectOf(f))));
    assert.deepEqual(unused, [], 'what no longer occurs is no longer allowed');
});

test('the advisors do find a fault', (t) => {
    const database = makeDatabase(t, 'lint_fault', templates.product);
    query(address(database), `set role postgres; create table public.deals (id int primary key); grant all on public.deals to anon;
        create view public.everything as select * from public.contacts; grant select on public.everything to authenticated`);
    const findings = supabase('db', 'advisors', `--remote=${address(database)}`, '--type', 'all', '--level', 'error', '--fail-on', 'none');
    assert.deepEqual(
        findings.map((f) => `${f.name} ${objectOf(f)}`).sort(),
        ['rls_disabled_in_public public.deals', 'security_definer_view public.everything'],
    );
});

test('db lint finds no problem in any function, and can', (t) => {
    const database = makeDatabase(t, 'lint_functions', templates.product);
    // It looks for the extension in public, and steps down to a role that may not create it.
    query(address(database), 'create extension plpgsql_check schema public');
    const lint = () => run(cli, ['db', 'lint', `--remote=${address(database)}`, '--schema', 'public,private,worker', '--level', 'warning',
        '--fail-on', 'warning', '--workdir', workdir, '--agent', 'no']);
    assert.doesNotMatch(lint(), /warning|error"/i);
    query(address(database), `create function public.faulty() returns void language plpgsql as 'begin perform no_such_table.x(); end'`);
    assert.throws(lint, (error) => error.stdout.includes('faulty') && error.stdout.includes('no_such_table'));
});

// A trigger function is checked once for every table it stands on, with that trigger's transition tables.
const PLPGSQL_CHECK = `
    with functions as (
        select p.oid, coalesce(t.tgrelid, 0) as relation, t.tgoldtable, t.tgnewtable
        from pg_proc p join pg_language l on l.oid = p.prolang left join pg_trigger t on t.tgfoid = p.oid and not t.tgisinternal
        where l.lanname = 'plpgsql' and p.pronamespace in ('public'::regnamespace, 'private'::regnamespace, 'worker'::regnamespace)
    )
    select f.oid::regprocedure, c.level, c.lineno, c.message from functions f,
        extensions.plpgsql_check_function_tb(f.oid, f.relation, fatal_errors => false, extra_warnings => true, performance_warnings => true,
            security_warnings => true, oldtable => f.tgoldtable, newtable => f.tgnewtable) c`;

test('plpgsql_check, with all its warnings, finds nothing either, and can', (t) => {
    const database = makeDatabase(t, 'lint_plpgsql', templates.product);
    query(address(database), 'create extension plpgsql_check schema extensions');
    const [[count]] = query(address(database), `select count(*) from pg_proc p join pg_language l on l.oid = p.prolang
        where l.lanname = 'plpgsql' and p.pronamespace in ('public'::regnamespace, 'private'::regnamespace, 'worker'::regnamespace)`);
    assert.ok(Number(count) > 40);
    const findings = query(address(database), PLPGSQL_CHECK).map(String);
    const allowed = allowedFindings('plpgsql_check');
    assert.deepEqual(findings.filter((finding) => !allowed.some((a) => new RegExp(a.object).test(finding))), []);
    assert.deepEqual(allowed.filter((a) => !findings.some((finding) => new RegExp(a.object).test(finding))), [], 'what no longer occurs is no longer allowed');
    query(address(database), `create function private.faulty() returns void language plpgsql as
        'begin perform no_such_column from public.contacts; end'`);
    assert.match(String(query(address(database), PLPGSQL_CHECK)), /private\.faulty\(\).*no_such_column/);
});

// Of plpgsql_check, or of the advisors; one without a reason does not count.
function allowedFindings(tool) {
    const all = JSON.parse(readFileSync(new URL('allowed-findings.json', import.meta.url), 'utf8'));
    return all.filter((a) => a.reason && (a.name === 'plpgsql_check') === (tool === 'plpgsql_check'));
}

function objectOf(finding) {
    return `${finding.metadata?.schema ?? ''}.${finding.metadata?.name ?? ''}`;
}
