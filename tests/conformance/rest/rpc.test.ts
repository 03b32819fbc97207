import { beforeAll, describe, expect, inject, test } from 'vitest';
import {
  type Client,
  eachLibrary,
  type Member,
  plainOptions,
  service,
  signedIn,
  visitor,
} from '../support/clients';

eachLibrary((library) => {
  let client: Client;
  let account: Member;
  beforeAll(async () => {
    client = visitor(library);
    account = await signedIn(library);
  });

  describe('answers', () => {
    test('a scalar is the bare value', async () => {
      expect(await client.rpc('add', { a: 2, b: 3 })).toMatchObject({ data: 5, error: null, status: 200 });
    });

    test('an argument with a default may be left out', async () => {
      expect((await client.rpc('add', { a: 2 })).data).toBe(12);
    });

    test('an argument that is null is SQL’s null: neither empty nor the default', async () => {
      const describe = (args: Record<string, unknown>) => client.rpc('describe_arguments', args);
      expect((await describe({ name: 'a', note: null, amount: null, extra: null })).data).toEqual({
        name: 'a',
        note: null,
        amount: null,
        'extra is null': true,
      });
      expect((await describe({ name: 'a', amount: null })).data).toEqual({
        name: 'a',
        note: 'none given',
        amount: null,
        'extra is null': false,
      });
      expect((await describe({ name: null, note: 'b' })).data).toMatchObject({ name: null, note: 'b' });
      expect((await describe({ name: 'null', note: '', extra: { a: null } })).data).toEqual({
        name: 'null',
        note: '',
        amount: 7,
        'extra is null': false,
      });
      expect((await describe({ name: 'a', unknown: null })).error?.code).toBe('PGRST202');
    });

    test('json is the bare document', async () => {
      expect((await client.rpc('greet', { who: 'you' })).data).toEqual({ greeting: 'hello you' });
    });

    test('void is 204 and nothing', async () => {
      expect(await client.rpc('do_nothing')).toMatchObject({ data: null, error: null, status: 204 });
    });

    test('a row is an object', async () => {
      const { data } = await client.rpc('longest_river');
      expect(data).toMatchObject({ id: 2, name: 'Nile' });
    });

    test('rows are filtered, ordered, cut and embedded like a table', async () => {
      const { data, error } = await client
        .rpc('rivers_longer_than', { km: 1000 })
        .select('name, ports(name)')
        .neq('id', 3)
        .order('name', { ascending: false })
        .limit(2);
      expect(error).toBeNull();
      expect(data).toEqual([
        { name: 'Yangtze', ports: [{ name: 'Wuhan' }] },
        { name: 'Nile', ports: [{ name: 'Cairo' }] },
      ]);
    });

    test('rows can be a single object', async () => {
      const { data } = await client.rpc('rivers_longer_than', { km: 6500 }).select('name').single();
      expect(data).toEqual({ name: 'Nile' });
      const many = await client.rpc('rivers_longer_than', { km: 0 }).single();
      expect(many).toMatchObject({ status: 406, error: { code: 'PGRST116' } });
    });

    test('a set of scalars is a list, a table a list of objects', async () => {
      expect((await client.rpc('river_names')).data?.slice(0, 2)).toEqual(['Amazon', 'Nile']);
      expect((await client.rpc('river_lengths')).data?.[0]).toEqual({ name: 'Amazon', km: 6400 });
    });

    test('a table that only the function knows is filtered, ordered and cut too', async () => {
      const { data, count } = await client
        .rpc('river_lengths', {}, { count: 'exact' })
        .select('km')
        .gt('km', 2000)
        .order('km')
        .limit(2);
      expect({ data, count }).toEqual({ data: [{ km: 6300 }, { km: 6400 }], count: 3 });
    });

    test('counts', async () => {
      const { count, data } = await client.rpc('rivers_longer_than', { km: 6000 }, { count: 'exact' });
      expect(count).toBe(3);
      expect(data).toHaveLength(3);
    });
  });

  describe('arguments', () => {
    test('by GET', async () => {
      expect(await client.rpc('add', { a: 2, b: 3 }, { get: true })).toMatchObject({ data: 5, status: 200 });
      expect((await client.rpc('greet', { who: 'a b+c&d' }, { get: true })).data).toEqual({
        greeting: 'hello a b+c&d',
      });
    });

    test('lists, by POST and by GET', async () => {
      expect((await client.rpc('sum_of', { numbers: [1, 2, 3] })).data).toBe(6);
      expect((await client.rpc('sum_of', { numbers: [1, 2, 3] }, { get: true })).data).toBe(6);
    });

    test('by HEAD there is only a count', async () => {
      const answer = await client.rpc('rivers_longer_than', { km: 6000 }, { head: true, count: 'exact' });
      expect(answer).toMatchObject({ data: null, error: null, count: 3 });
    });

    test('a number that is none is 22P02', async () => {
      const { status, error } = await client.rpc('add', { a: 'two' });
      expect({ status, code: error?.code }).toEqual({ status: 400, code: '22P02' });
    });
  });

  describe('who calls', () => {
    test('a visitor, a user and a server', async () => {
      expect((await client.rpc('who_am_i')).data).toMatchObject({
        uid: null,
        role: 'anon',
        database_role: 'anon',
        method: 'POST',
        path: '/rpc/who_am_i',
      });
      expect((await account.client.rpc('who_am_i', {}, { get: true })).data).toMatchObject({
        uid: account.id,
        role: 'authenticated',
        email: account.email,
        database_role: 'authenticated',
        method: 'GET',
      });
      expect((await service(library).rpc('who_am_i')).data).toMatchObject({
        uid: null,
        role: 'service_role',
        database_role: 'service_role',
      });
    });

    test('opaque keys stand for the same two', async () => {
      const { url, publishableKey, secretKey } = inject('stack');
      const opaque = (key: string) => library.create(url, key, plainOptions());
      expect((await opaque(publishableKey).rpc('who_am_i')).data).toMatchObject({ database_role: 'anon' });
      expect((await opaque(secretKey).rpc('who_am_i')).data).toMatchObject({ database_role: 'service_role' });
    });
  });

  describe('what may write', () => {
    const visits = async () =>
      (await service(library).from('visits').select('*', { count: 'exact', head: true })).count ?? Number.NaN;

    test('a VOLATILE function by POST', async () => {
      expect(await client.rpc('visit')).toMatchObject({ data: expect.any(Number), error: null, status: 200 });
    });

    test('not by GET: 405 and nothing is written', async () => {
      const before = await visits();
      const { status, error } = await client.rpc('visit', {}, { get: true });
      expect(status).toBe(405);
      expect(error).toMatchObject({
        code: '25006',
        message: 'cannot execute INSERT in a read-only transaction',
      });
      expect(await visits()).toBe(before);
    });

    test('nor a function that calls itself STABLE, even by POST', async () => {
      const before = await visits();
      const { status, error } = await client.rpc('visit_claiming_stable');
      expect(status).toBe(405);
      expect(error).toMatchObject({ code: '25006' });
      expect(await visits()).toBe(before);
    });
  });
});
