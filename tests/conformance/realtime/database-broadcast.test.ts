import { beforeAll, describe, expect, inject, test } from 'vitest';
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

interface Message {
  event: string;
  payload: Record<string, unknown>;
  meta?: { id?: string };
}

const UUID = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

eachLibrary((library) => {
  let account: Member;
  let team: string;
  beforeAll(async () => {
    account = await signedIn(library);
    team = await newTeam(account);
  });

  async function listening(config: Record<string, unknown> = { private: true }, topic = `team:${team}`) {
    const messages: Message[] = [];
    const client = closeAfterTest(visitor(library));
    await client.realtime.setAuth(await accessToken(account));
    const channel = client
      .channel(topic, { config })
      .on('broadcast', { event: '*' }, (message) => messages.push(message as unknown as Message));
    await joined(channel);
    return {
      messages,
      hears: (event: string) => received(event, messages, (message) => message.event === event),
    };
  }

  const say = (event: string, payload: object, topic = `team:${team}`, is_private = true) =>
    service(library).rpc('say', { topic, event, payload, is_private });

  describe('realtime.send', () => {
    test('reaches the members of a private topic, with an id', async () => {
      const { hears } = await listening();
      await say('greeting', { text: 'hello' });
      const message = await hears('greeting');
      expect(message).toMatchObject({
        type: 'broadcast',
        event: 'greeting',
        payload: { text: 'hello', id: UUID },
        meta: { id: UUID },
      });
    });

    test('reaches everybody on a public one', async () => {
      const topic = `public ${team}`;
      const { hears } = await listening({}, topic);
      await say('open', { text: 'all' }, topic, false);
      expect(await hears('open')).toMatchObject({ payload: { text: 'all' } });
    });

    test('does not cross between the public and the private topic of one name', async () => {
      const { messages, hears } = await listening();
      await say('public one', {}, `team:${team}`, false);
      await say('private one', {});
      await hears('private one');
      expect(messages.map(({ event }) => event)).toEqual(['private one']);
    });

    test('sends what was committed, in order, and nothing of what was not', async () => {
      const { messages, hears } = await listening();
      await withDatabase(inject('stack'), async (database) => {
        const send = (event: string) =>
          database.query(`select realtime.send('{}', $1, $2)`, [event, `team:${team}`]);
        await database.query('begin');
        await send('undone');
        await database.query('rollback');
        await database.query('begin');
        await send('first');
        await send('second');
        await database.query('commit');
        await send('last');
      });
      await hears('last');
      expect(messages.map(({ event }) => event)).toEqual(['first', 'second', 'last']);
    });

    test('never fails its caller', async () => {
      // A topic is obligatory: the row cannot be written, and the caller does not notice.
      const { error } = await service(library).rpc('say', { topic: null, event: 'lost', payload: {} });
      expect(error).toBeNull();
    });
  });

  describe('realtime.broadcast_changes', () => {
    test('tells members of each change with the rows', async () => {
      const { hears } = await listening();
      const notes = account.client.from('notes');
      const { data } = await notes
        .insert({ team_id: team, slug: 'announced', title: 'new' })
        .select()
        .single();
      expect(await hears('INSERT')).toMatchObject({
        payload: {
          id: UUID,
          schema: 'public',
          table: 'notes',
          operation: 'INSERT',
          record: { id: data.id, title: 'new', team_id: team },
          old_record: null,
        },
      });
      await notes.update({ title: 'newer' }).eq('id', data.id);
      expect(await hears('UPDATE')).toMatchObject({
        payload: { operation: 'UPDATE', record: { title: 'newer' }, old_record: { title: 'new' } },
      });
      await notes.delete().eq('id', data.id);
      expect(await hears('DELETE')).toMatchObject({
        payload: { operation: 'DELETE', record: null, old_record: { id: data.id, title: 'newer' } },
      });
    });
  });

  describe('replay', () => {
    test('brings private messages that were missed', async () => {
      const own = await newTeam(account);
      const topic = `team:${own}`;
      const since = Date.now() - 60_000;
      await say('missed', { n: 1 }, topic);
      await say('missed too', { n: 2 }, topic);
      const { hears, messages } = await listening(
        { private: true, broadcast: { replay: { since, limit: 10 } } },
        topic,
      );
      expect(await hears('missed too')).toMatchObject({ meta: { replayed: true }, payload: { n: 2 } });
      expect(messages.map(({ payload }) => payload.n)).toEqual([1, 2]);
      await say('live', { n: 3 }, topic);
      expect((await hears('live')).meta).not.toHaveProperty('replayed');
    });

    test('is refused to who may not read', async () => {
      const stranger = await signedIn(library);
      closeAfterTest(stranger.client);
      const refused = new Watched(
        stranger.client.channel(`team:${team}`, {
          config: { private: true, broadcast: { replay: { since: 0 } } },
        }),
      );
      await refused.reaches('CHANNEL_ERROR');
      expect(refused.errors[0]).toContain('Unauthorized');
    });
  });

  test('clients cannot write messages into topics by REST', async () => {
    const { error } = await account.client.schema('realtime').from('messages').insert({ topic: 'x' });
    expect(error).toMatchObject({ code: 'PGRST106' });
  });
});
