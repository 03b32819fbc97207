import { beforeAll, describe, expect, test } from 'vitest';
import { newBucket } from '../support/buckets';
import { eachLibrary, type Member, service, signedIn } from '../support/clients';

eachLibrary((library) => {
  let account: Member;
  let bucket: string;
  beforeAll(async () => {
    account = await signedIn(library);
    bucket = await newBucket(library);
  });
  const files = (id = bucket) => account.client.storage.from(id);
  const path = (name: string) => `${account.id}/${name}`;

  async function stored(name: string, content = name): Promise<string> {
    const { error } = await files().upload(path(name), content, { contentType: 'text/plain' });
    expect(error).toBeNull();
    return path(name);
  }

  const text = async (name: string, id = bucket) => (await files(id).download(name)).data?.text();

  describe('list', () => {
    beforeAll(async () => {
      for (const name of ['list/b.txt', 'list/a.txt', 'list/c.txt', 'list/deep/d.txt']) await stored(name);
    });
    const names = async (...options: Parameters<ReturnType<typeof files>['list']>) =>
      (await files().list(...options)).data?.map(({ name }) => name);

    test('shows one level: folders without, files with their facts', async () => {
      const { data, error } = await files().list(path('list'));
      expect(error).toBeNull();
      expect(data?.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['a.txt', 'b.txt', 'c.txt', 'deep']),
      );
      expect(data).toHaveLength(4);
      expect(data?.find(({ name }) => name === 'deep')).toMatchObject({ id: null, metadata: null });
      expect(data?.find(({ name }) => name === 'a.txt')).toMatchObject({
        id: expect.any(String),
        created_at: expect.any(String),
        updated_at: expect.any(String),
        metadata: {
          size: 10,
          mimetype: expect.stringMatching(/^text\/plain/),
          eTag: expect.any(String),
          cacheControl: expect.any(String),
          contentLength: 10,
          httpStatusCode: 200,
          lastModified: expect.any(String),
        },
      });
    });

    test('sorts, pages and searches', async () => {
      const folder = path('list');
      const sortBy = (order: 'asc' | 'desc') => ({ column: 'name', order });
      expect(await names(folder, { sortBy: sortBy('asc') })).toEqual(['deep', 'a.txt', 'b.txt', 'c.txt']);
      expect(await names(folder, { limit: 2, offset: 2, sortBy: sortBy('asc') })).toEqual(['b.txt', 'c.txt']);
      expect((await names(folder, { sortBy: sortBy('desc') }))?.filter((name) => name !== 'deep')).toEqual([
        'c.txt',
        'b.txt',
        'a.txt',
      ]);
      expect(await names(folder, { search: 'b' })).toEqual(['b.txt']);
      expect(await names(path('list/deep'))).toEqual(['d.txt']);
      expect(await names(path('nowhere'))).toEqual([]);
    });

    test('takes wildcards of SQL in a name for themselves', async () => {
      await stored('wild/a_b');
      await stored('wild/axb');
      expect(await names(path('wild'), { search: 'a_b' })).toEqual(['a_b']);
    });

    test('by pages with a cursor', async () => {
      const seen: string[] = [];
      let cursor: string | undefined;
      for (;;) {
        const { data, error } = await files().listV2({
          prefix: path('list/'),
          limit: 2,
          ...(cursor && { cursor }),
        });
        if (error) throw error;
        seen.push(...data.objects.map(({ name }) => name));
        if (!data.hasNext) break;
        cursor = data.nextCursor;
      }
      expect(seen).toEqual(['a.txt', 'b.txt', 'c.txt', 'deep/d.txt'].map((name) => path(`list/${name}`)));
    });
  });

  test('info and exists', async () => {
    const name = await stored('known.txt', 'twelve bytes');
    expect((await files().info(name)).data).toMatchObject({
      id: expect.any(String),
      name,
      bucketId: bucket,
      size: 12,
      createdAt: expect.any(String),
      lastModified: expect.any(String),
      version: expect.any(String),
    });
    expect(await files().exists(name)).toMatchObject({ data: true, error: null });
    expect((await files().exists(path('unknown'))).data).toBe(false);
    expect((await files().info(path('unknown'))).error).toMatchObject({
      statusCode: '404',
      message: 'Object not found',
    });
  });

  test('move renames, also into another bucket, and refuses a taken name', async () => {
    const name = await stored('old-name', 'moved content');
    expect((await files().move(name, path('new-name'))).data).toMatchObject({
      message: 'Successfully moved',
    });
    expect((await files().exists(name)).data).toBe(false);
    expect(await text(path('new-name'))).toBe('moved content');

    const taken = await stored('taken');
    expect((await files().move(path('new-name'), taken)).error).toMatchObject({
      statusCode: '409',
      message: 'The resource already exists',
    });

    const other = await newBucket(library);
    await files().move(path('new-name'), path('elsewhere'), { destinationBucket: other });
    expect(await text(path('elsewhere'), other)).toBe('moved content');
    expect((await files().move(path('missing'), path('x'))).error).toMatchObject({ statusCode: '404' });
  });

  test('copy leaves the original, and the two live apart', async () => {
    const name = await stored('original', 'copied content');
    const { data } = await files().copy(name, path('copy'));
    expect(data).toMatchObject({ path: `${bucket}/${path('copy')}` });
    await files().update(name, 'changed');
    expect(await text(path('copy'))).toBe('copied content');
    await files().remove([name]);
    expect(await text(path('copy'))).toBe('copied content');
    expect((await files().copy(path('copy'), path('copy'))).error).toMatchObject({ statusCode: '409' });
  });

  test('remove answers what it removed', async () => {
    const names = [await stored('one'), await stored('two')];
    const { data, error } = await files().remove([...names, path('never-there')]);
    expect(error).toBeNull();
    expect(data?.map(({ name }) => name).sort()).toEqual([...names].sort());
    for (const name of names) expect((await files().exists(name)).data).toBe(false);
    expect((await files().download(names[0] ?? '')).error).not.toBeNull();
  });

  test('SQL may not delete files behind the back of Storage', async () => {
    await stored('guarded');
    const { error } = await service(library).schema('public').rpc('delete_objects_of', { bucket });
    expect(error?.message).toContain('Direct deletion');
    expect(await text(path('guarded'))).toBe('guarded');
  });
});
