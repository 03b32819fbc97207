import { randomBytes } from 'node:crypto';
import { describe, expect, inject, test } from 'vitest';
import { joined, received, Watched } from '../support/channels';
import {
  type Client,
  closeAfterTest,
  eachLibrary,
  type Member,
  newTeam,
  service,
  signedIn,
  visitor,
} from '../support/clients';
import { plainTransport } from '../support/transport';

interface Message {
  event: string;
  payload: Record<string, unknown>;
  meta?: { id?: string };
}

const freshTopic = () => `room ${randomBytes(6).toString('hex')}`;

/** A channel that collects what is broadcast on it. */
function room(client: Client, topic: string, config: Record<string, unknown> = {}) {
  const messages: Message[] = [];
  const channel = client
    .channel(topic, { config })
    .on('broadcast', { event: '*' }, (message) => messages.push(message as unknown as Message));
  return {
    channel,
    messages,
    hears: (n: unknown) => received(`message ${n}`, messages, (m) => m.payload.n === n),
  };
}

eachLibrary((library) => {
  describe.each(['1.0.0', '2.0.0'])('protocol %s', (vsn) => {
    const open = () => closeAfterTest(visitor(library, { realtime: { ...plainTransport, vsn } }));
    const member = async (): Promise<Member> => {
      const account = await signedIn(library, { realtime: { ...plainTransport, vsn } });
      closeAfterTest(account.client);
      return account;
    };

    test('reaches all others on a topic, in order, but not the sender', async () => {
      const topic = freshTopic();
      const [speaker, listener] = [room(open(), topic), room(open(), topic)];
      await Promise.all([joined(speaker.channel), joined(listener.channel)]);
      for (let n = 1; n <= 20; n++) {
        expect(await speaker.channel.send({ type: 'broadcast', event: 'count', payload: { n } })).toBe('ok');
      }
      await listener.hears(20);
      expect(listener.messages.map(({ payload }) => payload.n)).toEqual(
        Array.from({ length: 20 }, (_, i) => i + 1),
      );
      expect(listener.messages[0]).toMatchObject({ type: 'broadcast', event: 'count', payload: { n: 1 } });
      await listener.channel.send({ type: 'broadcast', event: 'count', payload: { n: 'end' } });
      await speaker.hears('end');
      expect(speaker.messages).toHaveLength(1);
    });

    test('reaches the sender too when asked, and is acknowledged when asked', async () => {
      const { channel, hears } = room(open(), freshTopic(), { broadcast: { self: true, ack: true } });
      await joined(channel);
      expect(await channel.send({ type: 'broadcast', event: 'echo', payload: { n: 1 } })).toBe('ok');
      expect(await hears(1)).toMatchObject({ event: 'echo' });
    });

    test('keeps text of every kind and nested payloads', async () => {
      const { channel, messages } = room(open(), freshTopic(), { broadcast: { self: true } });
      await joined(channel);
      const payload = {
        text: 'größe "quoted" \u2028 😀\n',
        list: [1, [2, { three: null }]],
        yes: true,
        number: 1.5,
      };
      await channel.send({ type: 'broadcast', event: 'an event', payload });
      const message = await received('the message', messages, () => true);
      expect(message).toMatchObject({ event: 'an event', payload });
    });

    test('only reaches handlers of the event', async () => {
      const client = open();
      const seen: string[] = [];
      const channel = client
        .channel(freshTopic(), { config: { broadcast: { self: true } } })
        .on('broadcast', { event: 'wanted' }, ({ event }) => seen.push(event))
        .on('broadcast', { event: 'end' }, ({ event }) => seen.push(event));
      await joined(channel);
      for (const event of ['other', 'wanted', 'end']) {
        await channel.send({ type: 'broadcast', event, payload: {} });
      }
      await received('the end', seen, (event) => event === 'end');
      expect(seen).toEqual(['wanted', 'end']);
    });

    test('on a private topic is for members only', async () => {
      const [speaker, listener] = [await member(), await member()];
      const team = await newTeam(speaker);
      await speaker.client.from('team_members').insert({ team_id: team, user_id: listener.id });
      const topic = `team:${team}`;
      const rooms = [speaker, listener].map(({ client }) => room(client, topic, { private: true }));
      await Promise.all(rooms.map(({ channel }) => joined(channel)));
      await rooms[0]?.channel.send({ type: 'broadcast', event: 'hello', payload: { n: 1 } });
      expect(await rooms[1]?.hears(1)).toMatchObject({ event: 'hello', payload: { n: 1 } });

      const stranger = await member();
      const refused = new Watched(stranger.client.channel(topic, { config: { private: true } }));
      await refused.reaches('CHANNEL_ERROR');
      expect(refused.errors[0]).toContain(
        `Unauthorized: You do not have permissions to read from this Channel topic: ${topic}`,
      );
      const nobody = new Watched(open().channel(topic, { config: { private: true } }));
      await nobody.reaches('CHANNEL_ERROR');
    });

    test('by who may only listen is dropped without a word', async () => {
      const account = await member();
      const listener = room(account.client, 'announcements', { private: true });
      await joined(listener.channel);
      const other = await member();
      const intruder = room(other.client, 'announcements', { private: true });
      await joined(intruder.channel);
      const n = randomBytes(4).toString('hex');
      await intruder.channel.send({ type: 'broadcast', event: 'fake', payload: { n } });
      const { error } = await service(library).rpc('say', {
        topic: 'announcements',
        event: 'real',
        payload: { n: `after ${n}` },
      });
      expect(error).toBeNull();
      await listener.hears(`after ${n}`);
      expect(listener.messages.map(({ payload }) => payload.n)).not.toContain(n);
    });

    test('on a private topic is not heard on the public one of the same name', async () => {
      const account = await member();
      const topic = `team:${await newTeam(account)}`;
      const inside = room(account.client, topic, { private: true, broadcast: { self: true } });
      const outside = room(open(), topic);
      const speaker = room(open(), topic);
      await Promise.all([inside, outside, speaker].map(({ channel }) => joined(channel)));
      await inside.channel.send({ type: 'broadcast', event: 'secret', payload: { n: 1 } });
      await inside.hears(1);
      await speaker.channel.send({ type: 'broadcast', event: 'open', payload: { n: 2 } });
      await outside.hears(2);
      expect(outside.messages.map(({ payload }) => payload.n)).toEqual([2]);
      expect(inside.messages.map(({ payload }) => payload.n)).toEqual([1]);
    });

    test('over HTTP from a channel that was not joined', async () => {
      const topic = freshTopic();
      const { channel, hears } = room(open(), topic);
      await joined(channel);
      const sender = open().channel(topic);
      expect(await sender.httpSend('by-http', { n: 1 })).toEqual({ success: true });
      expect(await hears(1)).toMatchObject({ event: 'by-http' });
      expect(await sender.send({ type: 'broadcast', event: 'by-fallback', payload: { n: 2 } })).toBe('ok');
      expect(await hears(2)).toMatchObject({ event: 'by-fallback' });
    });

    test('over HTTP to a private topic asks the policies', async () => {
      const account = await member();
      const stranger = await member();
      const topic = `team:${await newTeam(account)}`;
      const { channel, hears, messages } = room(account.client, topic, { private: true });
      await joined(channel);
      const from = (client: Client) => client.channel(topic, { config: { private: true } });
      await stranger.client.realtime.setAuth();
      await from(stranger.client).httpSend('intruder', { n: 'bad' });
      const own = await signedIn(library);
      await account.client.from('team_members').insert({ team_id: topic.slice(5), user_id: own.id });
      await own.client.realtime.setAuth();
      await from(own.client).httpSend('welcome', { n: 'good' });
      await hears('good');
      expect(messages.map(({ payload }) => payload.n)).toEqual(['good']);
    });
  });

  test('bytes travel as bytes', async () => {
    const topic = freshTopic();
    const open = () => closeAfterTest(visitor(library, { realtime: plainTransport }));
    const payloads: unknown[] = [];
    const listener = open()
      .channel(topic)
      .on('broadcast', { event: 'bytes' }, ({ payload }) => payloads.push(payload));
    const speaker = open().channel(topic);
    await Promise.all([joined(listener), joined(speaker)]);
    const bytes = new Uint8Array([0, 1, 254, 255]);
    await speaker.send({ type: 'broadcast', event: 'bytes', payload: bytes.buffer as never });
    await received('the bytes', payloads, () => true);
    expect(new Uint8Array(payloads[0] as ArrayBuffer)).toEqual(bytes);
    await speaker.httpSend('bytes', bytes.buffer);
    await received('the second message', payloads, () => payloads.length === 2);
    expect(new Uint8Array(payloads[1] as ArrayBuffer)).toEqual(bytes);
  });

  test('crosses the versions of the protocol', async () => {
    const topic = freshTopic();
    const rooms = ['1.0.0', '2.0.0'].map((vsn) =>
      room(closeAfterTest(visitor(library, { realtime: { ...plainTransport, vsn } })), topic),
    );
    await Promise.all(rooms.map(({ channel }) => joined(channel)));
    await rooms[0]?.channel.send({ type: 'broadcast', event: 'from 1', payload: { n: 1 } });
    await rooms[1]?.channel.send({ type: 'broadcast', event: 'from 2', payload: { n: 2 } });
    expect(await rooms[1]?.hears(1)).toMatchObject({ event: 'from 1', payload: { n: 1 } });
    expect(await rooms[0]?.hears(2)).toMatchObject({ event: 'from 2', payload: { n: 2 } });
  });

  test('a left channel hears nothing more', async () => {
    const client = closeAfterTest(visitor(library, { realtime: plainTransport }));
    const topic = freshTopic();
    const left = room(client, topic);
    const watched = await joined(left.channel);
    expect(await client.removeChannel(left.channel)).toBe('ok');
    expect(watched.statuses).toContain('CLOSED');
    const again = room(client, topic, { broadcast: { self: true } });
    await joined(again.channel);
    await again.channel.send({ type: 'broadcast', event: 'x', payload: { n: 1 } });
    await again.hears(1);
    expect(left.messages).toEqual([]);
  });
});

test('a batch over HTTP is checked: 422, and 401 without a token', async () => {
  const { url, anonKey } = inject('stack');
  const post = (body: unknown, headers: Record<string, string> = { apikey: anonKey }) =>
    fetch(`${url}/realtime/v1/api/broadcast`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const good = { topic: 'any', event: 'e', payload: {} };
  expect((await post({ messages: [good, good] })).status).toBe(202);
  expect((await post({ messages: [{ ...good, topic: undefined }] })).status).toBe(422);
  expect((await post({ messages: [{ ...good, payload: 'text' }] })).status).toBe(422);
  expect((await post({})).status).toBe(422);
  expect((await post({ messages: [good] }, {})).status).toBe(401);
});
