import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { following, joined, received, type Watched } from '../support/channels';
import {
  closeAfterTest,
  eachLibrary,
  type Member,
  newTeam,
  service,
  signedIn,
  visitor,
} from '../support/clients';
import { Stack } from '../support/stack';
import { claimsOf } from '../support/tokens';
import { plainTransport } from '../support/transport';
import { until } from '../support/until';

/** What is killed here may not be shared. */
let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(() => stack?.stop());

eachLibrary((library) => {
  interface Connected extends Member {
    team: string;
    broadcasts: string[];
    slugs: string[];
    topic: Watched;
    changes: Watched;
  }

  /** A member with an open private topic and an open feed of changes. */
  async function connected(): Promise<Connected> {
    // The client's own first pause is a second; a test need not wait for it.
    const realtime = { ...plainTransport, reconnectAfterMs: () => 200 };
    const account = await signedIn(library, { realtime }, stack.address);
    closeAfterTest(account.client);
    const team = await newTeam(account);
    const broadcasts: string[] = [];
    const slugs: string[] = [];
    const topic = await joined(
      account.client
        .channel(`team:${team}`, { config: { private: true, broadcast: { replication_ready: true } } })
        .on('broadcast', { event: '*' }, ({ event }) => broadcasts.push(event)),
    );
    const filter = {
      event: 'INSERT',
      schema: 'public',
      table: 'notes',
      filter: `team_id=eq.${team}`,
    } as const;
    const changes = await following(
      account.client
        .channel('changes')
        .on('postgres_changes', filter, ({ new: row }) => slugs.push((row as { slug: string }).slug)),
    );
    await topic.hears('Replication connection established');
    return { ...account, team, broadcasts, slugs, topic, changes };
  }

  const ready = ({ system }: Watched, text: string) =>
    system.filter(({ message }) => message.includes(text)).length;

  /** Proves that reading, writing, both feeds and the session of before work. */
  async function worksAgain(account: Connected, slug: string) {
    await until('writing works', async () => {
      const { error } = await account.client
        .from('notes')
        .upsert({ team_id: account.team, slug: `probe of ${slug}` }, { onConflict: 'team_id,slug' });
      return error === null;
    });
    await until(
      'both feeds are followed again',
      () =>
        ready(account.topic, 'Replication connection established') > 1 &&
        ready(account.changes, 'Subscribed to PostgreSQL') > 1,
    );
    expect((await account.client.from('notes').insert({ team_id: account.team, slug })).error).toBeNull();
    await received(`the change ${slug}`, account.slugs, (seen) => seen === slug);
    const said = await service(library, {}, stack.address).rpc('say', {
      topic: `team:${account.team}`,
      event: slug,
      payload: {},
    });
    expect(said.error).toBeNull();
    await received(`the broadcast ${slug}`, account.broadcasts, (event) => event === slug);
    expect((await account.client.auth.getUser()).data.user?.id).toBe(account.id);
    expect((await account.client.auth.refreshSession()).error).toBeNull();
  }

  const sessionOf = async ({ client }: Member) => {
    const { data } = await client.auth.getSession();
    return claimsOf(data.session?.access_token ?? '').session_id;
  };

  describe('a killed server', () => {
    test('is found again by the client, which kept its session', async () => {
      const account = await connected();
      const before = await sessionOf(account);
      await stack.killServer();
      try {
        const user = await account.client.auth.getUser();
        expect(user.error).toMatchObject({ name: 'AuthRetryableFetchError' });
        expect(await sessionOf(account)).toBe(before);
        // A POST is not tried again by the client, so the failure shows at once.
        const call = await account.client.rpc('add', { a: 1 });
        expect(call).toMatchObject({ data: null, status: 0 });
        await until('the topic is known to be lost', () => account.topic.statuses.at(-1) !== 'SUBSCRIBED');
      } finally {
        await stack.serve();
      }
      await worksAgain(account, 'after the server');
      expect(await sessionOf(account)).toBe(before);
    });
  });

  describe('a killed Postgres', () => {
    test('is found again by server and client, which kept the session', async () => {
      const account = await connected();
      const before = await sessionOf(account);
      const { url, anonKey } = stack.address;
      await stack.cluster.kill();
      let refresh: ReturnType<typeof account.client.auth.refreshSession>;
      try {
        const call = await until('REST says that the database is gone', async () => {
          const answer = await account.client.rpc('visit');
          return answer.status === 503 && answer;
        });
        expect(call.error?.code).toMatch(/^(PGRST00[0-2]|57P0[1-3])$/);
        expect((await fetch(`${url}/health`)).status).toBe(503);
        const user = await account.client.auth.getUser();
        expect(user.error).toMatchObject({ name: 'AuthRetryableFetchError', status: 503 });
        const { email } = account;
        const signIn = await visitor(library, {}, stack.address).auth.signInWithPassword({
          email,
          password: 'any',
        });
        expect(signIn.error).toMatchObject({ name: 'AuthRetryableFetchError' });
        const stored = await fetch(`${url}/storage/v1/bucket`, {
          headers: { apikey: anonKey, authorization: `Bearer ${anonKey}` },
        });
        expect(stored.status).toBeGreaterThanOrEqual(429);
        expect(await sessionOf(account)).toBe(before);
        // Tried again by the client until the database is back.
        refresh = account.client.auth.refreshSession();
      } finally {
        await stack.cluster.start();
      }
      expect((await refresh).error).toBeNull();
      expect(await sessionOf(account)).toBe(before);
      await worksAgain(account, 'after Postgres');
    });

    test('loses nothing that was answered before', async () => {
      const account = await signedIn(library, {}, stack.address);
      const team = await newTeam(account);
      const slugs = Array.from({ length: 20 }, (_, n) => `kept ${n}`);
      for (const slug of slugs) {
        expect((await account.client.from('notes').insert({ team_id: team, slug })).error).toBeNull();
      }
      await stack.cluster.kill();
      await stack.cluster.start();
      const found = await until('reading works', async () => {
        const { data, error } = await account.client
          .from('notes')
          .select('slug')
          .eq('team_id', team)
          .order('id');
        return error === null && data;
      });
      expect(found.map(({ slug }) => slug)).toEqual(slugs);
    });
  });
});
