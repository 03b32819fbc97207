import { expect, test } from 'vitest';
import { eachLibrary, visitor } from '../support/clients';

eachLibrary((library) => {
  const rivers = () => visitor(library).from('rivers').select('id').order('id');

  test.each<[string, () => PromiseLike<{ data: unknown; error: unknown }>, number[]]>([
    ['eq', () => rivers().eq('name', 'Rhine'), [3]],
    ['eq with spaces, a comma and parentheses', () => rivers().eq('name', 'Lost River, (dry)'), [5]],
    ['neq', () => rivers().neq('source_country', 'PE'), [2, 3, 4, 5]],
    ['gt', () => rivers().gt('length_km', 6300), [1, 2]],
    ['gte', () => rivers().gte('length_km', 6300), [1, 2, 4]],
    ['lt', () => rivers().lt('length_km', 6300), [3]],
    ['lte', () => rivers().lte('length_km', 6300), [3, 4]],
    ['like', () => rivers().like('name', '%z%'), [1, 4]],
    ['ilike', () => rivers().ilike('name', 'a%'), [1]],
    ['likeAllOf', () => rivers().likeAllOf('name', ['%a%', '%z%']), [1, 4]],
    ['likeAnyOf', () => rivers().likeAnyOf('name', ['Rh%', 'Ni%']), [2, 3]],
    ['ilikeAnyOf', () => rivers().ilikeAnyOf('name', ['rh%', 'ni%']), [2, 3]],
    ['is null', () => rivers().is('length_km', null), [5]],
    ['is true', () => rivers().is('navigable', true), [1, 2, 3]],
    ['is false', () => rivers().is('navigable', false), [5]],
    ['in', () => rivers().in('id', [1, 4, 99]), [1, 4]],
    ['in with reserved characters', () => rivers().in('name', ['Lost River, (dry)', 'Nile']), [2, 5]],
    ['in with nothing', () => rivers().in('id', []), []],
    ['not in', () => rivers().not('id', 'in', '(1,2)'), [3, 4, 5]],
    ['contains an array', () => rivers().contains('uses', ['transport', 'power']), [4]],
    ['contains json', () => rivers().contains('facts', { colour: 'brown' }), [1, 4]],
    ['containedBy', () => rivers().containedBy('uses', ['transport', 'power']), [3, 4, 5]],
    ['overlaps', () => rivers().overlaps('uses', ['fishing', 'power']), [1, 4]],
    ['rangeGt', () => rivers().rangeGt('flood_season', '[1,5)'), [4, 2].sort()],
    ['rangeGte', () => rivers().rangeGte('flood_season', '[3,7)'), [1, 2, 4]],
    ['rangeLt', () => rivers().rangeLt('flood_season', '[5,9)'), [3]],
    ['rangeLte', () => rivers().rangeLte('flood_season', '[3,7)'), [1, 3]],
    ['rangeAdjacent', () => rivers().rangeAdjacent('flood_season', '[4,6)'), [2, 3]],
    ['overlaps a range', () => rivers().overlaps('flood_season', '[1,4)'), [1, 3]],
    ['textSearch', () => rivers().textSearch('description', 'swim & ship', { config: 'english' }), [4]],
    [
      'textSearch plain',
      () => rivers().textSearch('description', 'longest river', { type: 'plain', config: 'english' }),
      [2],
    ],
    [
      'textSearch phrase',
      () => rivers().textSearch('description', 'warm water', { type: 'phrase', config: 'english' }),
      [1],
    ],
    [
      'textSearch websearch',
      () => rivers().textSearch('description', 'swim -dam', { type: 'websearch', config: 'english' }),
      [1],
    ],
    ['match', () => rivers().match({ source_country: 'PE', navigable: true }), [1]],
    ['not', () => rivers().not('name', 'like', '%e'), [1, 5]],
    ['not is null', () => rivers().not('surveyed_at', 'is', null), [1, 2, 4]],
    ['or', () => rivers().or('id.eq.1,name.eq.Rhine'), [1, 3]],
    ['or with a quoted value', () => rivers().or('name.eq."Lost River, (dry)",id.eq.2'), [2, 5]],
    ['and inside or', () => rivers().or('and(id.gt.1,id.lt.4),id.eq.5'), [2, 3, 5]],
    ['not.and inside or', () => rivers().or('not.and(id.gt.1,id.lt.4),name.eq.Nile'), [1, 2, 4, 5]],
    ['or beside another filter', () => rivers().or('id.eq.1,id.eq.3').eq('source_country', 'DE'), [3]],
    ['filter', () => rivers().filter('name', 'in', '("Nile","Rhine")'), [2, 3]],
    ['a json arrow', () => rivers().eq('facts->>colour', 'blue'), [2]],
    ['a deep json arrow', () => rivers().gt('facts->fish->count', 200), [1, 4]],
    ['a json array index', () => rivers().eq('facts->tags->>1', 'warm'), [1]],
    ['a timestamp with a zone', () => rivers().gte('surveyed_at', '2021-01-02T00:00:00+00:00'), [2, 4]],
    ['a POSIX expression', () => rivers().filter('name', 'match', '^(Am|Ni)'), [1, 2]],
    ['a POSIX expression of any case', () => rivers().filter('name', 'imatch', '^rh'), [3]],
    ['isdistinct', () => rivers().filter('navigable', 'isdistinct', 'true'), [4, 5]],
  ])('%s', async (_name, query, ids) => {
    const { data, error } = await query();
    expect(error).toBeNull();
    expect((data as { id: number }[]).map((row) => row.id)).toEqual(ids);
  });

  test('an unknown column is 42703, an unknown operator PGRST100', async () => {
    const unknown = await rivers().eq('colour', 'blue');
    expect(unknown).toMatchObject({ status: 400, error: { code: '42703' } });
    const operator = await rivers().filter('id', 'resembles', '1');
    expect(operator).toMatchObject({ status: 400, error: { code: 'PGRST100' } });
  });

  test('a value of the wrong type is 22P02', async () => {
    const answer = await rivers().eq('id', 'one');
    expect(answer).toMatchObject({
      status: 400,
      data: null,
      error: {
        code: '22P02',
        message: 'invalid input syntax for type integer: "one"',
        details: null,
        hint: null,
      },
    });
  });
});
