// An older database is brought to the present extension without losing what rests on it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { address, installExtension, makeDatabase, query, root, templates } from './databases.mjs';

const present = /^version = "(.+)"$/m.exec(readFileSync(path.join(root, 'Cargo.toml'), 'utf8'))[1];
const earlier = readFileSync(path.join(root, 'extension/earlier-versions'), 'utf8')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'));

const functions = `select p.oid::regprocedure::text, p.provolatile, p.proisstrict, p.proparallel, p.prosrc
    from pg_depend d join pg_proc p on p.oid = d.objid
    where d.refclassid = 'pg_extension'::regclass and d.deptype = 'e'
        and d.refobjid = (select oid from pg_extension where extname = 'octopush')
    order by 1`;

test('the present version is not among the earlier ones', () => {
    assert.ok(earlier.length > 0);
    assert.ok(!earlier.includes(present));
});

for (const version of earlier) {
    test(`a database with version ${version} gets what that version lacked, and keeps its tables`, (t) => {
        const url = address(makeDatabase(t, `lint_extension_${version.replaceAll('.', '_')}`, templates.supabase));
        installExtension(new URL(url).pathname.slice(1));
        const whole = query(url, functions);
        assert.ok(whole.some(([name]) => name.includes('render_template')), 'the functions are found');
        query(
            url,
            `create table public.kept (id uuid primary key default octopush.uuid_v7(), phone text check (octopush.normalize_phone(phone, 'MY') = phone));
            insert into public.kept (phone) values ('+60123456789');
            alter extension octopush drop function octopush.render_template(jsonb, jsonb);
            drop function octopush.render_template(jsonb, jsonb);
            alter function octopush.stable_bucket(uuid, uuid) volatile;
            update pg_catalog.pg_extension set extversion = '${version}' where extname = 'octopush'`,
        );
        assert.notDeepEqual(query(url, functions), whole);
        query(url, 'alter extension octopush update');
        assert.deepEqual(query(url, functions), whole);
        assert.deepEqual(query(url, `select extversion, octopush.version() from pg_extension where extname = 'octopush'`), [[present, present]]);
        assert.deepEqual(query(url, `select octopush.render_template('{}', '{}') ->> 'cards'`), [['[]']]);
        query(url, `insert into public.kept (phone) values ('+60123456780')`);
        assert.deepEqual(query(url, 'select count(*), count(distinct id) from public.kept'), [['2', '2']]);
    });
}
