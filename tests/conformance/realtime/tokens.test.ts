import { describe, expect, inject, test } from 'vitest';
import ws from 'ws';
import { joined, received, Watched } from '../support/channels';
import {
  accessToken,
  closeAfterTest,
  eachLibrary,
  type Member,
  newTeam,
  service,
  signedIn,
  visitor,
} from '../support/clients';
import { withDatabase } from '../support/stack';
import { claimsOf, now, signed } from '../support/tokens';
import { plainTransport } from '../support/transport';
import { until } from '../support/until';

eachLibrary((library) => {
  /** A member of a team on the team's private channel. */
  async function member() {
    const account = await signedIn(library, { realtime: plainTransport });
    closeAfterTest(account.client);
    const team = await newTeam(account);
    const events: string[] = [];
    const watched = await joined(
      account.client
        .channel(`team:${team}`, { config: { private: true } })
        .on('broadcast', { event: '*' }, ({ event }) => events.push(event)),
    );
    return { ...account, team, watched, events };
  }

  const say = (team: string, event: string) =>
    service(library).rpc('say', { topic: `team:${team}`, event, payload: {} });

  /** Refreshes in another second than that of the present token: within one second tokens do not differ. */
  async function refreshed(account: Pick<Member, 'client'>) {
    const before = await accessToken(account);
    await until('the next second', () => now() > Number(claimsOf(before).iat));
    expect((await account.client.auth.refreshSession()).error).toBeNull();
    expect(await accessToken(account)).not.toBe(before);
  }

  const claimsFor = async (account: Member) => claimsOf(await accessToken(account));

  describe('an open channel', () => {
    test('lives on with a refreshed token', async () => {
      const { client, team, events, watched } = await member();
      await refreshed({ client });
      await client.realtime.setAuth();
      await say(team, 'after the refresh');
      await received('the message', events, (event) => event === 'after the refresh');
      expect(watched.statuses).toEqual(['SUBSCRIBED']);
    });

    test('closes when the user signs out, and hears nothing more', async () => {
      const { client, team, events, watched, ...account } = await member();
      const other = await signedIn(library, { realtime: plainTransport });
      closeAfterTest(other.client);
      await withDatabase(inject('stack'), (database) =>
        database.query('insert into public.team_members (team_id, user_id) values ($1, $2)', [
          team,
          other.id,
        ]),
      );
      const heard: string[] = [];
      await joined(
        other.client
          .channel(`team:${team}`, { config: { private: true } })
          .on('broadcast', { event: '*' }, ({ event }) => heard.push(event)),
      );
      expect((await client.auth.signOut()).error).toBeNull();
      await until(`the channel of ${account.email} is over`, () => watched.statuses.at(-1) !== 'SUBSCRIBED');
      await say(team, 'not for those who left');
      await received('the message elsewhere', heard, () => true);
      expect(events).toEqual([]);
    });

    test('closes with a reason when its token expires', async () => {
      const account = await signedIn(library);
      const team = await newTeam(account);
      const claims = await claimsFor(account);
      const short = signed({ ...claims, exp: now() + 2 }, inject('stack').jwtSecret);
      const client = closeAfterTest(visitor(library, { realtime: plainTransport }));
      await client.realtime.setAuth(short);
      const watched = await joined(client.channel(`team:${team}`, { config: { private: true } }));
      expect(await watched.hears('Token has expired')).toMatchObject({
        extension: 'system',
        status: 'error',
      });
      await watched.reaches('CLOSED');
    });

    test('closes when its new token may no longer read', async () => {
      const { client, team, id, watched } = await member();
      await withDatabase(inject('stack'), (database) =>
        database.query('delete from public.team_members where team_id = $1 and user_id = $2', [team, id]),
      );
      await refreshed({ client });
      await client.realtime.setAuth();
      const { message } = await watched.hears('permission');
      expect(message).toContain(`team:${team}`);
      await watched.reaches('CLOSED');
    });

    test('changes with the token whose rows it sees', async () => {
      const [first, second] = [await signedIn(library), await signedIn(library)];
      const [ofFirst, ofSecond] = [await newTeam(first), await newTeam(second)];
      const client = closeAfterTest(visitor(library, { realtime: plainTransport }));
      await client.realtime.setAuth(await accessToken(first));
      const slugs: string[] = [];
      const channel = client
        .channel('whose rows')
        .on('postgres_changes', { event: 'INSERT', schema: 'public', table: 'notes' }, ({ new: row }) =>
          slugs.push((row as { slug: string }).slug),
        );
      const watched = await joined(channel);
      await watched.hears('Subscribed to PostgreSQL');
      await first.client.from('notes').insert({ team_id: ofFirst, slug: 'first, before' });
      await received('the row of the first', slugs, (slug) => slug === 'first, before');
      await client.realtime.setAuth(await accessToken(second));
      await until('the rows of the second', async () => {
        await second.client.from('notes').insert({ team_id: ofSecond, slug: `second ${Math.random()}` });
        return slugs.some((slug) => slug.startsWith('second'));
      });
      await first.client.from('notes').insert({ team_id: ofFirst, slug: 'first, after' });
      const seen = slugs.length;
      await second.client.from('notes').insert({ team_id: ofSecond, slug: 'second, end' });
      await received('the end', slugs, (slug) => slug === 'second, end');
      expect(slugs.slice(seen)).not.toContain('first, after');
    });
  });

  describe('joining', () => {
    test('with an expired, forged or malformed token is refused with a reason', async () => {
      const account = await signedIn(library);
      const team = await newTeam(account);
      const claims = await claimsFor(account);
      const { jwtSecret } = inject('stack');
      for (const [token, reason] of [
        [signed({ ...claims, exp: now() - 10 }, jwtSecret), 'Token has expired'],
        [signed(claims, 'some other secret of sufficient length'), 'Failed to validate JWT signature'],
        [signed({ ...claims, role: undefined }, jwtSecret), 'role'],
      ] as const) {
        const client = closeAfterTest(visitor(library, { realtime: plainTransport }));
        await client.realtime.setAuth(token);
        const watched = new Watched(client.channel(`team:${team}`, { config: { private: true } }));
        await watched.reaches('CHANNEL_ERROR');
        expect(watched.errors[0]).toContain(reason);
      }
    });

    test('without a name is refused', async () => {
      const client = closeAfterTest(visitor(library, { realtime: plainTransport }));
      const watched = new Watched(client.channel(''));
      await watched.reaches('CHANNEL_ERROR');
      expect(watched.errors[0]).toContain('TopicNameRequired');
    });
  });

  test('the heartbeat is answered', async () => {
    const client = closeAfterTest(
      visitor(library, { realtime: { ...plainTransport, heartbeatIntervalMs: 100 } }),
    );
    const beats: string[] = [];
    client.realtime.onHeartbeat((status) => beats.push(status));
    const watched = await joined(client.channel('heartbeat'));
    await until('three answers', () => beats.filter((status) => status === 'ok').length >= 3);
    expect(beats).not.toContain('timeout');
    expect(watched.statuses).toEqual(['SUBSCRIBED']);
  });

  test('an opaque key opens the socket as the legacy one does', async () => {
    const { url, publishableKey } = inject('stack');
    const client = closeAfterTest(
      library.create(url, publishableKey, { auth: { persistSession: false }, realtime: plainTransport }),
    );
    await joined(client.channel('opaque'));
  });
});

describe('the handshake', () => {
  const connect = (query: string) =>
    new Promise<number | 'open'>((resolve) => {
      const socket = new ws(`${inject('stack').url.replace('http', 'ws')}/realtime/v1/websocket?${query}`);
      socket.once('open', () => {
        socket.terminate();
        resolve('open');
      });
      socket.once('unexpected-response', (_request, response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      socket.once('error', () => {});
    });

  test('needs a key', async () => {
    const { anonKey } = inject('stack');
    expect(await connect(`apikey=${anonKey}&vsn=2.0.0`)).toBe('open');
    expect(await connect(`apikey=${anonKey}`)).toBe('open');
    expect(await connect('vsn=2.0.0')).toBe(401);
    expect(await connect('apikey=nonsense&vsn=2.0.0')).toBe(401);
  });

  test('refuses a project key that this project did not sign', async () => {
    const foreign = signed({ role: 'anon', exp: now() + 60 }, 'some other secret of sufficient length');
    expect(await connect(`apikey=${foreign}&vsn=2.0.0`)).toBe(401);
  });
});
