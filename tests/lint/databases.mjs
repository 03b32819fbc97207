// Databases of one test on the test cluster, and the programs that look into them.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

export const root = fileURLToPath(new URL('../..', import.meta.url));

function setting(name) {
    const value = process.env[name];
    if (!value) throw new Error(`${name} is not set: eval "$(target/release/octopush-local test-env)" first, or run ./scripts/test lint`);
    return value;
}

export const octopush = path.join(setting('OCTOPUSH_BIN_DIR'), 'octopush');
/** Bootstrapped as Supabase would leave it, and with everything of ours besides. */
export const templates = { supabase: setting('OCTOPUSH_TEST_SUPABASE_TEMPLATE'), product: setting('OCTOPUSH_TEST_TEMPLATE') };

/** The address of a database, as the superuser or as `postgres`, who migrates. */
export function address(database, user) {
    const url = new URL(setting('OCTOPUSH_TEST_DATABASE_URL'));
    url.pathname = `/${database}`;
    if (user === 'postgres') {
        url.username = 'postgres';
        url.password = setting('SUPABASE_POSTGRES_PASSWORD');
    }
    return url.toString();
}

/** Runs a program; its standard output. */
export function run(program, args, options = {}) {
    return execFileSync(program, args, {
        encoding: 'utf8',
        maxBuffer: 64 * 1024 * 1024,
        // The cluster has no TLS, and standard input must not be waited for.
        env: { ...process.env, PGSSLMODE: 'disable', DO_NOT_TRACK: '1', SUPABASE_TELEMETRY_DISABLED: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
        ...options,
    });
}

/** Rows of a query, each a list of texts. */
export function query(url, sql) {
    const text = run('psql', ['-XqAt', '-F', '\u001f', '-R', '\u001e', '-v', 'ON_ERROR_STOP=1', '-c', sql, url]);
    return text.replace(/\n$/, '') === '' ? [] : text.replace(/\n$/, '').split('\u001e').map((row) => row.split('\u001f'));
}

/** A fresh database from a template, dropped when the test is over. */
export function makeDatabase(t, name, template) {
    const server = setting('OCTOPUSH_TEST_DATABASE_URL');
    const drop = `drop database if exists ${name} with (force)`;
    // As on Supabase, where `postgres` owns the database.
    const make = `create database ${name} template ${template} owner postgres`;
    run('psql', ['-Xq', '-v', 'ON_ERROR_STOP=1', '-c', drop, '-c', make, server]);
    t.after(() => run('psql', ['-Xq', '-c', drop, server]));
    return name;
}

/** The extension, which only a superuser installs. */
export function installExtension(database) {
    query(address(database), 'create schema if not exists octopush; create extension if not exists octopush schema octopush');
}

/** The schemas of sql/ as text, without what differs between machines: as scripts/schema-dump writes it. */
export function dump(database) {
    const [[major]] = query(address(database), `select current_setting('server_version_num')::integer / 10000`);
    const text = run(`/usr/lib/postgresql/${major}/bin/pg_dump`, [
        '--schema-only', '--no-owner', '--schema=public', '--schema=private', '--schema=worker', address(database),
    ]);
    const lines = text.split('\n').filter((line) => !/^(--|SET |SELECT pg_catalog\.set_config|\\(un)?restrict )/.test(line));
    return lines.filter((line, i) => line !== '' || lines[i - 1] !== '').join('\n').trim();
}
