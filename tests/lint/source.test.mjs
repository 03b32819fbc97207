// What the catalogue cannot tell: what the text of sql/ must say.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from './databases.mjs';

function sources(folder) {
    return readdirSync(path.join(root, folder), { recursive: true })
        .filter((name) => name.endsWith('.sql'))
        .map((name) => ({ name: `${folder}/${name}`, text: readFileSync(path.join(root, folder, name), 'utf8') }));
}
const code = sources('sql/code');
const migrations = sources('sql/migrations');

/** Each function's text up to its body. */
const headers = code.flatMap(({ name, text }) =>
    [...text.matchAll(/create or replace function ([\w.]+)[\s\S]*?\nas \$\$/g)].map((m) => ({ name: `${name} ${m[1]}`, header: m[0] })),
);

test('the functions are found', () => {
    const written = code.map(({ text }) => text.match(/create or replace function/g)?.length ?? 0).reduce((a, b) => a + b);
    assert.ok(written > 60);
    assert.equal(headers.length, written, 'a function is written as: create or replace function …, language …, set search_path, as $$');
});

test('every function states its volatility and an empty search_path', () => {
    const without = headers.filter(({ header }) => !/\nlanguage \w+ (volatile|stable|immutable)\b/.test(header) || !/\nset search_path = ''\n/.test(header));
    assert.deepEqual(without.map((h) => h.name), []);
});

test('code can be run again: it creates nothing without or replace, and drops nothing but policies', () => {
    const once = code.flatMap(({ name, text }) =>
        [...text.matchAll(/^(create (?!or replace|policy)\w+|drop \w+|alter table).*/gm)].map((m) => `${name}: ${m[0]}`),
    );
    assert.deepEqual(once, []);
});

test('migrations make no functions, policies, views or grants on ours: those are code', () => {
    const strays = migrations.flatMap(({ name, text }) =>
        [...text.matchAll(/^(create (or replace )?(function|policy|view|trigger)|grant (?!usage on schema)).*/gm)].map((m) => `${name}: ${m[0]}`),
    );
    assert.deepEqual(strays, []);
});

test('files begin by saying what they are for, and stay short', () => {
    const bad = [...code, ...migrations].filter(({ text }) => !text.startsWith('-- ') || text.split('\n').length > 400);
    assert.deepEqual(bad.map((f) => f.name), []);
});

test('Supabase owns its schemas: nothing is made in them but policies and a bucket', () => {
    const strays = [...code, ...migrations].flatMap(({ name, text }) =>
        [...text.matchAll(/^(create|alter|drop) (or replace )?(unique )?(table|function|view|index [\w]+ on|type) (auth|storage|realtime|vault|extensions)\.\w+/gm)].map(
            (m) => `${name}: ${m[0]}`,
        ),
    );
    assert.deepEqual(strays, []);
});
