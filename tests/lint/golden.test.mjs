// However a database is made, it is the same, and it is the one in tests/golden/schema.sql.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { address, dump, installExtension, makeDatabase, octopush, query, root, run, templates } from './databases.mjs';

const golden = readFileSync(path.join(root, 'tests/golden/schema.sql'), 'utf8').trim();
const generated = path.join(root, 'supabase/migrations');
const hint = 'run ./scripts/schema-dump and look at the change';

function files(folder) {
    return Object.fromEntries(readdirSync(folder).sort().map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]));
}

test('supabase/migrations is what sql/ generates', (t) => {
    const fresh = mkdtempSync(path.join(tmpdir(), 'octopush-migrations-'));
    t.after(() => rmSync(fresh, { recursive: true }));
    run(octopush, ['migrate', '--emit', fresh]);
    assert.deepEqual(files(generated), files(fresh), 'run ./scripts/gen-supabase-migrations');
});

test('octopush migrate gives the golden schema, and again changes nothing', (t) => {
    const database = makeDatabase(t, 'lint_migrated', templates.supabase);
    installExtension(database);
    const migrate = () => run(octopush, ['migrate', '--url', address(database, 'postgres')]);
    migrate();
    assert.equal(dump(database), golden, hint);
    assert.match(migrate(), /0 migrations applied/);
    assert.equal(dump(database), golden);
});

test('the code pass can be run again on what it made', (t) => {
    const database = makeDatabase(t, 'lint_again', templates.product);
    query(address(database), `update private.schema_code set hash = ''`);
    assert.match(run(octopush, ['migrate', '--url', address(database, 'postgres')]), /code applied/);
    assert.equal(dump(database), golden, hint);
});

test('supabase/migrations, applied as the Supabase CLI does, give the same schema, from which octopush migrate goes on', (t) => {
    const database = makeDatabase(t, 'lint_generated', templates.supabase);
    installExtension(database);
    for (const name of readdirSync(generated).sort()) {
        // One file, one transaction, as `postgres`.
        run('psql', ['-Xq1', '-v', 'ON_ERROR_STOP=1', '-f', path.join(generated, name), address(database, 'postgres')]);
    }
    assert.equal(dump(database), golden, hint);
    const said = run(octopush, ['migrate', '--url', address(database, 'postgres')]);
    assert.match(said, /0 migrations applied/);
    assert.doesNotMatch(said, /code applied/, 'the code pass knows that it has run');
    assert.equal(dump(database), golden);
});

test('what lies outside of our schemas is the same too', (t) => {
    const migrated = makeDatabase(t, 'lint_outside_a', templates.product);
    const pushed = makeDatabase(t, 'lint_outside_b', templates.supabase);
    installExtension(pushed);
    for (const name of readdirSync(generated).sort()) {
        run('psql', ['-Xq1', '-v', 'ON_ERROR_STOP=1', '-f', path.join(generated, name), address(pushed, 'postgres')]);
    }
    const outside = (database) => query(address(database), `
        select 'policy', schemaname, tablename, policyname, cmd, roles::text, qual, with_check from pg_policies where schemaname in ('realtime', 'storage')
        union all select 'published', pubname::text, schemaname, tablename, attnames::text, null, null, null from pg_publication_tables
        union all select 'bucket', id, name, public::text, file_size_limit::text, null, null, null from storage.buckets
        union all select 'schema', nspname::text, nspacl::text, null, null, null, null, null from pg_namespace where nspname in ('public', 'private', 'worker')
        union all select 'default', defaclrole::regrole::text, defaclnamespace::text, defaclobjtype::text, defaclacl::text, null, null, null
            from pg_default_acl where defaclrole = 'postgres'::regrole and defaclnamespace = 0
        order by 1, 2, 3, 4`);
    assert.ok(outside(migrated).length > 10);
    assert.deepEqual(outside(pushed), outside(migrated));
});
