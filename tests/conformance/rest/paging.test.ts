import { describe, expect, test } from 'vitest';
import { eachLibrary, visitor } from '../support/clients';
import { knownDifference } from '../support/differences';

eachLibrary((library) => {
  const from = (table: string) => visitor(library).from(table);

  describe('order', () => {
    test('nulls come last going up and first going down, unless said otherwise', async () => {
      const ids = async (options: { ascending?: boolean; nullsFirst?: boolean }) => {
        const { data } = await from('rivers').select('id').order('length_km', options);
        return data?.map(({ id }) => id);
      };
      expect(await ids({})).toEqual([3, 4, 1, 2, 5]);
      expect(await ids({ nullsFirst: true })).toEqual([5, 3, 4, 1, 2]);
      expect(await ids({ ascending: false })).toEqual([5, 2, 1, 4, 3]);
      expect(await ids({ ascending: false, nullsFirst: false })).toEqual([2, 1, 4, 3, 5]);
    });

    test('by several columns, and by a json arrow', async () => {
      const both = await from('ports').select('id').order('river_id', { ascending: false }).order('name');
      expect(both.data?.map(({ id }) => id)).toEqual([6, 4, 5, 3, 2, 1]);
      const arrow = await from('rivers').select('id').order('facts->fish->count').limit(4);
      expect(arrow.data?.map(({ id }) => id)).toEqual([3, 2, 4, 1]);
    });
  });

  describe('range', () => {
    test('both ends are included', async () => {
      const { data, status } = await from('numbers').select('n').order('n').range(10, 12);
      expect(data).toEqual([{ n: 11 }, { n: 12 }, { n: 13 }]);
      expect(status).toBe(200);
    });

    test('limit and what lies beyond the last row', async () => {
      const limited = await from('numbers').select('n').order('n').limit(2);
      expect(limited.data).toEqual([{ n: 1 }, { n: 2 }]);
      const beyond = await from('numbers').select('n').order('n').range(5000, 5010);
      expect(beyond).toMatchObject({ data: [], error: null, status: 200 });
    });

    test('limit 0 answers nothing', async () => {
      expect(await from('numbers').select('n').limit(0)).toMatchObject({ data: [], error: null });
    });

    test('a thousand rows is the most one answer holds, and says nothing of it', async () => {
      const all = await from('numbers').select('n').order('n');
      expect(all.error).toBeNull();
      expect(all.data).toHaveLength(1000);
      const more = await from('numbers').select('n').order('n').limit(1200);
      expect(more.data).toHaveLength(1000);
      const rest = await from('numbers').select('n').order('n').range(1000, 1999);
      expect(rest.data).toHaveLength(250);
    });

    test('the cap holds for functions that return rows', async () => {
      const { data } = await visitor(library).rpc('many_rows');
      expect(data).toHaveLength(1000);
    });

    knownDifference(
      'the cap holds for functions that return a set of plain values',
      'postrust-server pages what it knows the columns of; it never sees these values as rows',
      async () => {
        const { data } = await visitor(library).rpc('many_numbers');
        expect(data).toHaveLength(1000);
      },
    );
  });

  describe('count', () => {
    test('exact counts all rows behind the filter, whatever the page', async () => {
      const page = await from('numbers').select('n', { count: 'exact' }).gt('n', 1000).range(0, 4);
      expect(page).toMatchObject({ count: 250, status: 206 });
      expect(page.data).toHaveLength(5);
      const whole = await from('numbers').select('n', { count: 'exact' }).gt('n', 1245);
      expect(whole).toMatchObject({ count: 5, status: 200 });
    });

    test('head brings the count alone', async () => {
      const answer = await from('numbers').select('*', { count: 'exact', head: true });
      expect(answer).toMatchObject({ data: null, error: null, count: 1250 });
    });

    test('planned is what the planner thinks', async () => {
      const { count, error } = await from('numbers').select('*', { count: 'planned', head: true });
      expect(error).toBeNull();
      // Analysed after the last insert, so the planner knows the table.
      expect(count).toBe(1250);
    });

    test('estimated counts up to the cap and asks the planner above it', async () => {
      const few = await from('numbers').select('*', { count: 'estimated', head: true }).gt('n', 1200);
      expect(few.count).toBe(50);
      const many = await from('numbers').select('*', { count: 'estimated', head: true });
      expect(many.count).toBe(1250);
    });

    test('a range beyond the last row with a count is 416 PGRST103', async () => {
      const { status, error } = await from('numbers').select('n', { count: 'exact' }).range(5000, 5010);
      expect(status).toBe(416);
      expect(error).toMatchObject({
        code: 'PGRST103',
        message: 'Requested range not satisfiable',
        details: 'An offset of 5000 was requested, but there are only 1250 rows.',
      });
    });

    test('no rows count as 0', async () => {
      const { count, data } = await from('numbers').select('n', { count: 'exact' }).gt('n', 9999);
      expect({ count, data }).toEqual({ count: 0, data: [] });
    });
  });

  describe('shape', () => {
    test('single gives the object', async () => {
      const { data } = await from('rivers').select('name').eq('id', 2).single();
      expect(data).toEqual({ name: 'Nile' });
    });

    test('single refuses none and many with 406 PGRST116', async () => {
      const none = await from('rivers').select('name').eq('id', 99).single();
      expect(none).toMatchObject({
        data: null,
        status: 406,
        error: {
          code: 'PGRST116',
          message: 'Cannot coerce the result to a single JSON object',
          details: 'The result contains 0 rows',
          hint: null,
        },
      });
      const many = await from('rivers').select('name').single();
      expect(many).toMatchObject({
        status: 406,
        error: { code: 'PGRST116', details: 'The result contains 5 rows' },
      });
    });

    test('maybeSingle takes none for null and refuses many', async () => {
      const none = await from('rivers').select('name').eq('id', 99).maybeSingle();
      expect(none).toMatchObject({ data: null, error: null, status: 200 });
      const one = await from('rivers').select('name').eq('id', 2).maybeSingle();
      expect(one.data).toEqual({ name: 'Nile' });
      const many = await from('rivers').select('name').maybeSingle();
      expect(many).toMatchObject({ data: null, error: { code: 'PGRST116' } });
    });

    test('csv', async () => {
      const { data, error } = await from('rivers')
        .select('id, name, length_km')
        .in('id', [3, 5])
        .order('id')
        .csv();
      expect(error).toBeNull();
      expect(data).toBe('id,name,length_km\n3,Rhine,1233\n5,"Lost River, (dry)",');
    });

    test('explain is off, as on a real project: PGRST107', async () => {
      const { status, error } = await from('rivers').select().explain();
      expect(status).toBe(406);
      expect(error).toMatchObject({ code: 'PGRST107' });
    });
  });
});
