import { describe, expect, inject, test } from 'vitest';
import { following, joined, received, Watched } from '../support/channels';
import { closeAfterTest, eachLibrary, type Member, newTeam, service, signedIn } from '../support/clients';
import { withDatabase } from '../support/stack';
import { plainTransport } from '../support/transport';

interface Change {
  schema: string;
  table: string;
  commit_timestamp: string;
  eventType: 'INSERT' | 'UPDATE' | 'DELETE';
  new: Record<string, unknown>;
  old: Record<string, unknown>;
  errors: string[] | null;
}

type Filter = {
  event: '*' | 'INSERT' | 'UPDATE' | 'DELETE';
  schema: string;
  table?: string;
  filter?: string;
};

eachLibrary((library) => {
  describe.each(['1.0.0', '2.0.0'])('protocol %s', (vsn) => {
    async function member(): Promise<Member> {
      const account = await signedIn(library, { realtime: { ...plainTransport, vsn } });
      closeAfterTest(account.client);
      return account;
    }

    async function follow({ client }: Member, ...filters: Filter[]) {
      const changes: Change[] = [];
      let channel = client.channel(`changes ${Math.random()}`);
      for (const filter of filters) {
        channel = channel.on('postgres_changes', filter as never, (change: unknown) => {
          changes.push(change as Change);
        });
      }
      const watched = await following(channel);
      return {
        changes,
        watched,
        sees: (fits: (change: Change) => boolean) => received('a change', changes, fits),
      };
    }

    const notes = (table: Partial<Filter> = {}): Filter => ({
      event: '*',
      schema: 'public',
      table: 'notes',
      ...table,
    });

    test('says when it follows', async () => {
      const account = await member();
      const { watched } = await follow(account, notes());
      expect(watched.system).toContainEqual(
        expect.objectContaining({
          extension: 'postgres_changes',
          status: 'ok',
          message: 'Subscribed to PostgreSQL',
          channel: expect.stringMatching(/^changes /),
        }),
      );
    });

    test('tells of inserts, updates and deletes', async () => {
      const account = await member();
      const team = await newTeam(account);
      const { sees } = await follow(account, notes());
      const row = {
        team_id: team,
        slug: 'followed',
        title: 'first',
        stars: 3,
        tags: ['a', 'b,"c'],
        data: { k: [1] },
      };
      const { data } = await account.client.from('notes').insert(row).select().single();
      const inserted = await sees(({ eventType }) => eventType === 'INSERT');
      expect(inserted).toMatchObject({
        schema: 'public',
        table: 'notes',
        commit_timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/),
        new: { ...row, id: data.id },
        old: {},
        errors: null,
      });
      expect(new Date(inserted.new.written_at as string)).toEqual(new Date(data.written_at));

      await account.client.from('notes').update({ title: 'second' }).eq('id', data.id);
      const updated = await sees(({ eventType }) => eventType === 'UPDATE');
      expect(updated).toMatchObject({ new: { ...row, title: 'second', id: data.id }, old: { id: data.id } });
      expect(Object.keys(updated.old)).toEqual(['id']);

      await account.client.from('notes').delete().eq('id', data.id);
      // Not the first deletion: the keys of all rows that others delete come by here too.
      const deleted = await sees((change) => change.eventType === 'DELETE' && change.old.id === data.id);
      expect(deleted).toMatchObject({ new: {}, old: { id: data.id }, errors: null });
      expect(Object.keys(deleted.old)).toEqual(['id']);
    });

    test('under row level security: no rows of others, but the keys of all that is deleted', async () => {
      const [account, stranger] = [await member(), await member()];
      const [team, theirs] = [await newTeam(account), await newTeam(stranger)];
      const { sees, changes } = await follow(stranger, notes());
      const hidden = await account.client
        .from('notes')
        .insert({ team_id: team, slug: 'hidden' })
        .select()
        .single();
      await account.client.from('notes').update({ title: 'still hidden' }).eq('id', hidden.data.id);
      await account.client.from('notes').delete().eq('id', hidden.data.id);
      await stranger.client.from('notes').insert({ team_id: theirs, slug: 'shown' });
      await sees((change) => change.new.slug === 'shown');
      const ofHidden = changes.filter((change) => [change.new.id, change.old.id].includes(hidden.data.id));
      expect(ofHidden).toEqual([
        expect.objectContaining({ eventType: 'DELETE', old: { id: hidden.data.id } }),
      ]);
    });

    test('filtered by event, table and value', async () => {
      const account = await member();
      const [team, other] = [await newTeam(account), await newTeam(account)];
      const inTeam = await follow(account, notes({ event: 'INSERT', filter: `team_id=eq.${team}` }));
      const rated = await follow(account, notes({ filter: 'stars=gte.4' }));
      const some = await follow(account, notes({ filter: 'slug=in.(one,three)' }));
      const updates = await follow(account, notes({ event: 'UPDATE' }));
      const insert = (team_id: string, slug: string, stars: number) =>
        account.client.from('notes').insert({ team_id, slug, stars });
      await insert(other, 'one', 5);
      await insert(team, 'two', 1);
      await insert(team, 'three', 4);
      await account.client.from('notes').update({ stars: 2 }).eq('slug', 'three').eq('team_id', team);
      await insert(team, 'end', 5);
      await account.client.from('notes').update({ stars: 4 }).eq('slug', 'end').eq('team_id', team);
      await insert(team, 'one', 0);

      await inTeam.sees((change) => change.new.slug === 'one');
      expect(inTeam.changes.map((change) => change.new.slug)).toEqual(['two', 'three', 'end', 'one']);
      await rated.sees(({ eventType }) => eventType === 'UPDATE');
      expect(rated.changes.map((change) => change.new.slug)).toEqual(['one', 'three', 'end', 'end']);
      await some.sees((change) => change.new.slug === 'one' && change.new.team_id === team);
      expect(some.changes.map((change) => [change.eventType, change.new.slug])).toEqual([
        ['INSERT', 'one'],
        ['INSERT', 'three'],
        ['UPDATE', 'three'],
        ['INSERT', 'one'],
      ]);
      await updates.sees((change) => change.new.slug === 'end');
      expect(updates.changes.map((change) => change.new.slug)).toEqual(['three', 'end']);
    });

    test('several on one channel each get their own', async () => {
      const account = await member();
      const team = await newTeam(account);
      const counts = { notes: 0, ledger: 0, inserts: 0 };
      const on = (filter: Filter, name: keyof typeof counts) =>
        [
          filter as never,
          () => {
            counts[name] += 1;
          },
        ] as const;
      const channel = account.client
        .channel(`several ${team}`)
        .on('postgres_changes', ...on(notes({ filter: `team_id=eq.${team}` }), 'notes'))
        .on(
          'postgres_changes',
          ...on({ event: '*', schema: 'public', table: 'ledger', filter: `team_id=eq.${team}` }, 'ledger'),
        )
        .on('postgres_changes', ...on(notes({ event: 'INSERT', filter: `team_id=eq.${team}` }), 'inserts'));
      await following(channel);
      await account.client.from('notes').insert({ team_id: team, slug: 'x' });
      await account.client.from('notes').update({ stars: 1 }).eq('team_id', team);
      await account.client.from('ledger').insert({ team_id: team, amount: 1 });
      await received('all', [counts], () => counts.ledger === 1 && counts.notes === 2);
      expect(counts).toMatchObject({ notes: 2, ledger: 1, inserts: 1 });
    });

    test('shows no column the role may not read', async () => {
      const account = await member();
      const team = await newTeam(account);
      const { sees } = await follow(account, {
        event: 'INSERT',
        schema: 'public',
        table: 'ledger',
        filter: `team_id=eq.${team}`,
      });
      const row = { team_id: team, amount: 7, internal_remark: 'secret' };
      expect((await account.client.from('ledger').insert(row)).error).toBeNull();
      const change = await sees(() => true);
      expect(change.new).toEqual({ id: expect.any(Number), team_id: team, amount: 7 });
    });

    test('a row that left the filter or the sight of the caller is told no more', async () => {
      const account = await member();
      const stranger = await signedIn(library);
      const team = await newTeam(account);
      const theirs = await newTeam(stranger);
      const { sees, changes } = await follow(account, notes());
      const { data } = await account.client
        .from('notes')
        .insert({ team_id: team, slug: 'moved away' })
        .select()
        .single();
      await sees((change) => change.new.id === data.id);
      await service(library).from('notes').update({ team_id: theirs }).eq('id', data.id);
      await account.client.from('notes').insert({ team_id: team, slug: 'after' });
      await sees((change) => change.new.slug === 'after');
      const shown = changes.filter(({ eventType }) => eventType !== 'DELETE');
      expect(shown.map((change) => change.new.slug)).toEqual(['moved away', 'after']);
    });

    test('a transaction is told whole, in order, and one that was undone is not', async () => {
      const account = await member();
      const team = await newTeam(account);
      const { sees, changes } = await follow(account, notes({ filter: `team_id=eq.${team}` }));
      await withDatabase(inject('stack'), async (database) => {
        const insert = (slug: string) =>
          database.query('insert into public.notes (team_id, slug) values ($1, $2)', [team, slug]);
        await database.query('begin');
        await insert('undone');
        await database.query('rollback');
        await database.query('begin');
        for (const slug of ['a', 'b', 'c']) await insert(slug);
        await database.query('commit');
        await insert('d');
      });
      await sees((change) => change.new.slug === 'd');
      expect(changes.map((change) => change.new.slug)).toEqual(['a', 'b', 'c', 'd']);
    });

    test('reaches the service role past row level security', async () => {
      const account = await signedIn(library);
      const team = await newTeam(account);
      const client = closeAfterTest(service(library, { realtime: { ...plainTransport, vsn } }));
      const { sees } = await follow({ client } as Member, notes({ filter: `team_id=eq.${team}` }));
      await account.client.from('notes').insert({ team_id: team, slug: 'seen by the server' });
      await sees((change) => change.new.slug === 'seen by the server');
    });
  });

  test('a filter on a column that is not there is refused with a reason', async () => {
    const account = await signedIn(library);
    closeAfterTest(account.client);
    const watched = new Watched(
      account.client
        .channel('bad filter')
        .on(
          'postgres_changes',
          { event: '*', schema: 'public', table: 'notes', filter: 'colour=eq.red' },
          () => {},
        ),
    );
    const message = await watched.hears('Unable to subscribe to changes with given parameters');
    expect(message).toMatchObject({ extension: 'postgres_changes', status: 'error' });
  });

  test('a table outside the publication is joined in vain', async () => {
    const account = await signedIn(library);
    closeAfterTest(account.client);
    const watched = await joined(
      account.client
        .channel('unpublished')
        .on('postgres_changes', { event: '*', schema: 'public', table: 'teams' }, () => {}),
    );
    const message = await watched.hears('Unable to subscribe to changes with given parameters');
    expect(message.status).toBe('error');
  });
});
