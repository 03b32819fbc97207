import { randomBytes } from 'node:crypto';
import { expect, inject, onTestFinished, test } from 'vitest';
import { eachLibrary, visitor } from '../support/clients';
import { withDatabase } from '../support/stack';
import { until } from '../support/until';

eachLibrary((library) => {
  test('new tables, columns and functions are served without a restart, and dropped ones are not', async () => {
    const client = visitor(library);
    const name = `late_${randomBytes(6).toString('hex')}`;
    const sql = (text: string) => withDatabase(inject('stack'), (database) => database.query(text));
    onTestFinished(async () => {
      await sql(`drop table if exists public.${name} cascade`);
    });

    expect(await client.from(name).select()).toMatchObject({ error: { code: 'PGRST205' } });

    await sql(`
      create table public.${name} (id integer primary key);
      grant select, insert on public.${name} to anon;
      insert into public.${name} values (1)`);
    const first = await until('the new table is served', async () => {
      const answer = await client.from(name).select();
      return answer.error === null && answer.data;
    });
    expect(first).toEqual([{ id: 1 }]);

    await sql(`alter table public.${name} add column note text not null default 'n'`);
    await until('the new column is written and read', async () => {
      const { data } = await client.from(name).insert({ id: 2, note: 'x' }).select('note').single();
      return data?.note === 'x';
    });

    await sql(`
      create function public.${name}() returns integer language sql stable set search_path = '' as 'select 7';
      revoke all on function public.${name}() from public;
      grant execute on function public.${name}() to anon`);
    await until('the new function is served', async () => (await client.rpc(name)).data === 7);

    await sql(`drop function public.${name}(); drop table public.${name}`);
    await until('the dropped table is gone', async () => {
      const { error } = await client.from(name).select();
      return error?.code === 'PGRST205';
    });
  });

  test('NOTIFY pgrst reloads by hand', async () => {
    const { data } = await visitor(library).rpc('add', { a: 1 });
    expect(data).toBe(11);
    await withDatabase(inject('stack'), (database) => database.query("notify pgrst, 'reload schema'"));
    const answer = await visitor(library).rpc('add', { a: 1 });
    expect(answer).toMatchObject({ data: 11, error: null });
  });
});
