import { beforeAll, describe, expect, inject, test } from 'vitest';
import { newBucket } from '../support/buckets';
import { accessToken, eachLibrary, type Member, service, signedIn, visitor } from '../support/clients';

eachLibrary((library) => {
  let account: Member;
  let bucket: string;
  beforeAll(async () => {
    account = await signedIn(library);
    bucket = await newBucket(library);
  });
  const files = () => account.client.storage.from(bucket);
  const path = (name: string) => `${account.id}/${name}`;

  async function stored(name: string, content: string | Uint8Array = 'content'): Promise<string> {
    const { error } = await files().upload(path(name), content, { contentType: 'text/plain' });
    expect(error).toBeNull();
    return path(name);
  }

  const text = async (name: string) => (await files().download(name)).data?.text();

  describe('upload', () => {
    test('of a blob, with its type, cache time and metadata', async () => {
      const name = path('blob.txt');
      const { data, error } = await files().upload(name, new Blob(['from a blob'], { type: 'text/plain' }), {
        cacheControl: '60',
        metadata: { takenBy: 'Ada' },
      });
      expect(error).toBeNull();
      expect(data).toEqual({ id: expect.any(String), path: name, fullPath: `${bucket}/${name}` });
      const { data: blob } = await files().download(name);
      expect(blob?.type).toMatch(/^text\/plain/);
      expect(await blob?.text()).toBe('from a blob');
      expect((await files().info(name)).data).toMatchObject({
        name,
        size: 11,
        contentType: expect.stringMatching(/^text\/plain/),
        cacheControl: 'max-age=60',
        metadata: { takenBy: 'Ada' },
        etag: expect.stringMatching(/^".+"$/),
      });
    });

    test('of bytes, a string and a form', async () => {
      const bytes = new Uint8Array([0, 255, 10, 13, 0]);
      await files().upload(path('bytes.bin'), bytes, { contentType: 'application/octet-stream' });
      const { data } = await files().download(path('bytes.bin'));
      expect(new Uint8Array((await data?.arrayBuffer()) ?? new ArrayBuffer(0))).toEqual(bytes);
      expect(data?.type).toBe('application/octet-stream');

      await files().upload(path('string.json'), '{"a":1}', { contentType: 'application/json' });
      expect(await text(path('string.json'))).toBe('{"a":1}');

      const form = new FormData();
      form.append('', new Blob(['from a form'], { type: 'text/css' }), 'ignored.css');
      expect((await files().upload(path('form.css'), form)).error).toBeNull();
      const { data: css } = await files().download(path('form.css'));
      expect([css?.type.split(';')[0], await css?.text()]).toEqual(['text/css', 'from a form']);
    });

    test('of nothing at all', async () => {
      await files().upload(path('empty'), new Uint8Array(0));
      expect((await files().download(path('empty'))).data?.size).toBe(0);
    });

    test('of several megabytes comes back whole', async () => {
      const large = new Uint8Array(6 * 1024 * 1024).map((_, index) => (index * 31 + (index >> 8)) & 255);
      expect((await files().upload(path('large.bin'), large)).error).toBeNull();
      const { data } = await files().download(path('large.bin'));
      const back = Buffer.from((await data?.arrayBuffer()) ?? new ArrayBuffer(0));
      expect(back.equals(Buffer.from(large))).toBe(true);
    });

    test('to a name that is taken needs upsert: Duplicate', async () => {
      const name = await stored('once');
      const again = await files().upload(name, 'second');
      expect(again.data).toBeNull();
      expect(again.error).toMatchObject({
        status: 400,
        statusCode: '409',
        message: 'The resource already exists',
      });
      expect(await text(name)).toBe('content');
      expect((await files().upload(name, 'second', { upsert: true })).error).toBeNull();
      expect(await text(name)).toBe('second');
    });

    test('update replaces what is there', async () => {
      const name = await stored('replaced');
      expect((await files().update(name, 'newer', { contentType: 'text/markdown' })).error).toBeNull();
      const { data } = await files().download(name);
      expect([data?.type.split(';')[0], await data?.text()]).toEqual(['text/markdown', 'newer']);
    });

    test('of two at once to one name leaves one whole file', async () => {
      const name = path('contested');
      const letters = ['a', 'b', 'c', 'd'];
      await Promise.all(
        letters.map((letter) => files().upload(name, letter.repeat(100_000), { upsert: true })),
      );
      const content = (await text(name)) ?? '';
      expect(content).toHaveLength(100_000);
      expect(new Set(content).size).toBe(1);
    });
  });

  describe('row level security', () => {
    test('keeps others out: neither write nor read, and no sign that anything is there', async () => {
      const name = await stored('private.txt');
      const stranger = await signedIn(library);
      for (const client of [stranger.client, visitor(library)]) {
        const theirs = client.storage.from(bucket);
        expect((await theirs.upload(`${account.id}/intruder`, 'x')).error).toMatchObject({
          status: 400,
          statusCode: '403',
          message: 'new row violates row-level security policy',
        });
        expect((await theirs.upload(name, 'x', { upsert: true })).error).toMatchObject({ statusCode: '403' });
        const gone = { statusCode: '404', message: 'Object not found' };
        expect((await theirs.createSignedUrl(name, 60)).error).toMatchObject(gone);
        expect((await theirs.info(name)).error).toMatchObject(gone);
        expect((await theirs.exists(name)).data).toBe(false);
        expect((await theirs.download(name)).error).not.toBeNull();
        expect((await theirs.list(account.id)).data).toEqual([]);
        expect((await theirs.remove([name])).data).toEqual([]);
        expect((await theirs.move(name, `${stranger.id}/taken`)).error).toMatchObject(gone);
        expect((await theirs.copy(name, `${stranger.id}/copied`)).error).toMatchObject(gone);
      }
      expect(await text(name)).toBe('content');
    });

    test('does not let a file be moved or copied where one may not write', async () => {
      const name = await stored('mine.txt');
      const stranger = await signedIn(library);
      expect((await files().move(name, `${stranger.id}/planted`)).error).toMatchObject({ statusCode: '403' });
      expect((await files().copy(name, `${stranger.id}/planted`)).error).toMatchObject({ statusCode: '403' });
      expect((await stranger.client.storage.from(bucket).list(stranger.id)).data).toEqual([]);
    });

    test('does not bind the server', async () => {
      const name = await stored('for-all.txt');
      const { data } = await service(library).storage.from(bucket).download(name);
      expect(await data?.text()).toBe('content');
    });

    test('a bad token is refused, not taken for a visitor', async () => {
      const { url, anonKey } = inject('stack');
      const name = await stored('token.txt');
      const response = await fetch(`${url}/storage/v1/object/${bucket}/${name}`, {
        headers: { apikey: anonKey, authorization: 'Bearer not.a.token' },
      });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ statusCode: '403', error: 'Unauthorized' });
    });
  });

  describe('names', () => {
    test('may have spaces and more, but do not climb out', async () => {
      const odd = await stored("sub folder/it's (1) + & $@=;:,?.txt");
      expect(await text(odd)).toBe('content');
      for (const bad of [
        `${account.id}/../escaped`,
        `${account.id}/./a`,
        `${account.id}/..`,
        '../../../../etc/passwd',
      ]) {
        const { url } = inject('stack');
        // Encoded, since fetch folds plain dots away before it sends.
        const encoded = bad.replaceAll('.', '%2E').replaceAll('/', '%2F');
        const response = await fetch(`${url}/storage/v1/object/${bucket}/${encoded}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${await accessToken(account)}`, 'content-type': 'text/plain' },
          body: 'x',
        });
        expect(response.status, bad).toBe(400);
        expect(await response.json(), bad).toMatchObject({ error: 'InvalidKey' });
        expect((await files().move(odd, bad)).error, bad).toMatchObject({ statusCode: '400' });
        expect((await files().copy(odd, bad)).error, bad).toMatchObject({ statusCode: '400' });
      }
    });

    test('with characters that S3 would not take are refused', async () => {
      const { url } = inject('stack');
      for (const bad of ['größe', 'a\\b', 'a\nb', 'a\0b', 'a%b', 'a#b']) {
        const response = await fetch(
          `${url}/storage/v1/object/${bucket}/${account.id}/${encodeURIComponent(bad)}`,
          {
            method: 'POST',
            headers: { authorization: `Bearer ${await accessToken(account)}` },
            body: 'x',
          },
        );
        expect([response.status, (await response.json()).error], bad).toEqual([400, 'InvalidKey']);
      }
    });
  });

  describe('limits of a bucket', () => {
    test('size: 413, and nothing is kept', async () => {
      const small = await newBucket(library, { fileSizeLimit: 1000 });
      const target = account.client.storage.from(small);
      expect((await target.upload(path('fits'), 'x'.repeat(1000))).error).toBeNull();
      const { error } = await target.upload(path('too-large'), 'x'.repeat(1001));
      expect(error).toMatchObject({
        status: 400,
        statusCode: '413',
        message: 'The object exceeded the maximum allowed size',
      });
      expect((await target.list(account.id)).data?.map(({ name }) => name)).toEqual(['fits']);
      const blob = new Blob(['x'.repeat(200_000)], { type: 'text/plain' });
      expect((await target.upload(path('blob'), blob)).error).toMatchObject({ statusCode: '413' });
    });

    test('type: 415', async () => {
      const pictures = await newBucket(library, { allowedMimeTypes: ['image/*', 'application/pdf'] });
      const target = account.client.storage.from(pictures);
      expect((await target.upload(path('a.png'), 'x', { contentType: 'image/png' })).error).toBeNull();
      expect((await target.upload(path('a.pdf'), 'x', { contentType: 'application/pdf' })).error).toBeNull();
      expect((await target.upload(path('a.html'), 'x', { contentType: 'text/html' })).error).toMatchObject({
        statusCode: '415',
        message: 'mime type text/html is not supported',
      });
    });

    test('a bucket that is missing', async () => {
      const { error } = await account.client.storage.from('no-such-bucket').upload(path('x'), 'x');
      expect(error).toMatchObject({ statusCode: '404', message: 'Bucket not found' });
    });
  });
});
