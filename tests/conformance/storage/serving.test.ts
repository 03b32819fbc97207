import { beforeAll, describe, expect, inject, test } from 'vitest';
import { newBucket } from '../support/buckets';
import { accessToken, eachLibrary, type Member, signedIn, visitor } from '../support/clients';
import { claimsOf, now, signed } from '../support/tokens';

eachLibrary((library) => {
  let account: Member;
  let bucket: string;
  let name: string;
  const ALPHABET = 'abcdefghijklmnopqrstuvwxyz';
  beforeAll(async () => {
    account = await signedIn(library);
    bucket = await newBucket(library);
    name = `${account.id}/alphabet.txt`;
    const { error } = await files().upload(name, ALPHABET, { contentType: 'text/plain', cacheControl: '60' });
    expect(error).toBeNull();
  });
  const files = () => account.client.storage.from(bucket);

  async function signedUrl(
    ...options: Parameters<ReturnType<typeof files>['createSignedUrl']>
  ): Promise<string> {
    const { data, error } = await files().createSignedUrl(...options);
    if (error) throw error;
    return data.signedUrl;
  }

  describe('signed URLs', () => {
    test('serve the file to whoever holds them', async () => {
      const url = await signedUrl(name, 60);
      expect(url.startsWith(`${inject('stack').url}/storage/v1/object/sign/${bucket}/`)).toBe(true);
      const response = await fetch(url);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(ALPHABET);
      expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
      expect(response.headers.get('content-length')).toBe('26');
      expect(response.headers.get('cache-control')).toBe('max-age=60');
      expect(response.headers.get('etag')).toMatch(/^".+"$/);
      const token = new URL(url).searchParams.get('token') ?? '';
      expect(claimsOf(token)).toMatchObject({ url: `${bucket}/${name}` });
      expect(Number(claimsOf(token).exp) - Number(claimsOf(token).iat)).toBe(60);
    });

    test('may ask for a download under a name', async () => {
      const plain = await fetch(await signedUrl(name, 60, { download: true }));
      expect(plain.headers.get('content-disposition')).toMatch(/^attachment/);
      const named = await fetch(await signedUrl(name, 60, { download: 'report.txt' }));
      expect(named.headers.get('content-disposition')).toBe(
        "attachment; filename=report.txt; filename*=UTF-8''report.txt;",
      );
      // By hand: the client encodes a name in a signed URL twice.
      const url = `${await signedUrl(name, 60)}&download=${encodeURIComponent('"ü"\r\nx: y')}`;
      expect((await fetch(url)).headers.get('content-disposition')).toBe(
        "attachment; filename=%22%C3%BC%22%0D%0Ax%3A%20y; filename*=UTF-8''%22%C3%BC%22%0D%0Ax%3A%20y;",
      );
    });

    test('for many files at once, with what could not be signed', async () => {
      const { data, error } = await files().createSignedUrls([name, `${account.id}/missing`], 60);
      expect(error).toBeNull();
      expect(data).toHaveLength(2);
      expect(data?.[0]).toMatchObject({ path: name, error: null });
      expect(await (await fetch(data?.[0]?.signedUrl ?? '')).text()).toBe(ALPHABET);
      expect(data?.[1]).toMatchObject({
        path: `${account.id}/missing`,
        error: 'Either the object does not exist or you do not have access to it',
      });
    });

    test('of a missing file are not made', async () => {
      expect((await files().createSignedUrl(`${account.id}/missing`, 60)).error).toMatchObject({
        statusCode: '404',
        message: 'Object not found',
      });
    });

    test('that are expired, forged or of another file are refused', async () => {
      const { url, jwtSecret } = inject('stack');
      const good = new URL(await signedUrl(name, 60));
      const claims = claimsOf(good.searchParams.get('token') ?? '');
      const with_ = (token: string) =>
        fetch(`${url}/storage/v1/object/sign/${bucket}/${name}?token=${token}`);
      expect((await with_(signed(claims, jwtSecret))).status).toBe(200);
      for (const token of [
        '',
        'nonsense',
        signed({ ...claims, exp: now() - 1 }, jwtSecret),
        signed(claims, 'some other secret of sufficient length'),
        signed({ ...claims, url: `${bucket}/${account.id}/other` }, jwtSecret),
        await accessToken(account),
      ]) {
        const response = await with_(token);
        expect(response.status, token).toBe(400);
        expect(await response.json()).toMatchObject({ statusCode: '400' });
      }
    });

    test('to upload one file without a token of one’s own, once', async () => {
      const target = `${account.id}/by-signed-url.txt`;
      const { data, error } = await files().createSignedUploadUrl(target);
      expect(error).toBeNull();
      expect(data).toMatchObject({ path: target, token: expect.any(String), signedUrl: expect.any(String) });
      const stranger = visitor(library).storage.from(bucket);
      const token = data?.token ?? '';
      const uploaded = await stranger.uploadToSignedUrl(target, token, new Blob(['handed over']));
      expect(uploaded).toMatchObject({
        data: { path: target, fullPath: `${bucket}/${target}` },
        error: null,
      });
      expect(await (await files().download(target)).data?.text()).toBe('handed over');
      expect((await stranger.uploadToSignedUrl(target, token, 'again')).error).toMatchObject({
        statusCode: '409',
      });
      expect((await stranger.uploadToSignedUrl(`${account.id}/else`, token, 'x')).error).toMatchObject({
        statusCode: '400',
      });
      const download = new URL(await signedUrl(name, 60)).searchParams.get('token') ?? '';
      expect((await stranger.uploadToSignedUrl(name, download, 'x')).error).toMatchObject({
        statusCode: '400',
      });
    });

    test('to upload are not made for folders of others', async () => {
      const { error } = await visitor(library).storage.from(bucket).createSignedUploadUrl(`${account.id}/x`);
      expect(error).toMatchObject({
        statusCode: '403',
        message: 'new row violates row-level security policy',
      });
    });
  });

  describe('parts', () => {
    const part = async (range: string, headers: Record<string, string> = {}) => {
      const response = await fetch(await signedUrl(name, 60), { headers: { range, ...headers } });
      return {
        status: response.status,
        range: response.headers.get('content-range'),
        body: response.status === 416 ? undefined : await response.text(),
      };
    };

    test.each([
      ['bytes=0-2', 'bytes 0-2/26', 'abc'],
      ['bytes=23-', 'bytes 23-25/26', 'xyz'],
      ['bytes=-2', 'bytes 24-25/26', 'yz'],
      ['bytes=20-99', 'bytes 20-25/26', 'uvwxyz'],
    ])('%s', async (range, served, body) => {
      expect(await part(range)).toEqual({ status: 206, range: served, body });
    });

    test('beyond the end are 416', async () => {
      expect(await part('bytes=26-30')).toMatchObject({ status: 416, range: 'bytes */26' });
    });

    test('of a file that has changed since are answered whole', async () => {
      expect(await part('bytes=0-2', { 'if-range': '"another"' })).toMatchObject({
        status: 200,
        body: ALPHABET,
      });
    });

    test('are announced, also to HEAD', async () => {
      const response = await fetch(await signedUrl(name, 60), { method: 'HEAD' });
      expect(response.status).toBe(200);
      expect(response.headers.get('accept-ranges')).toBe('bytes');
      expect(response.headers.get('content-length')).toBe('26');
    });

    test('a file the client already has is 304', async () => {
      const url = await signedUrl(name, 60);
      const etag = (await fetch(url)).headers.get('etag') ?? '';
      expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304);
    });
  });

  describe('public buckets', () => {
    test('are read without any key, private ones are not', async () => {
      const open = await newBucket(library, { public: true });
      await account.client.storage.from(open).upload(name, 'for all', { contentType: 'text/plain' });
      const { data } = visitor(library).storage.from(open).getPublicUrl(name);
      expect(data.publicUrl).toBe(`${inject('stack').url}/storage/v1/object/public/${open}/${name}`);
      const response = await fetch(data.publicUrl);
      expect([response.status, await response.text()]).toEqual([200, 'for all']);
      expect(await (await visitor(library).storage.from(open).download(name)).data?.text()).toBe('for all');

      const closed = visitor(library).storage.from(bucket).getPublicUrl(name);
      const refused = await fetch(closed.data.publicUrl);
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({ statusCode: '404', message: 'Bucket not found' });
    });

    test('are not written by everybody', async () => {
      const open = await newBucket(library, { public: true });
      const { error } = await visitor(library).storage.from(open).upload('x', 'x');
      expect(error).toMatchObject({ statusCode: '403' });
    });

    test('do not let a stored page run scripts on the origin of the API', async () => {
      const open = await newBucket(library, { public: true });
      const target = account.client.storage.from(open);
      await target.upload(`${account.id}/page.html`, '<script>1</script>', { contentType: 'text/html' });
      const response = await fetch(target.getPublicUrl(`${account.id}/page.html`).data.publicUrl);
      const type = response.headers.get('content-type') ?? '';
      const policy = response.headers.get('content-security-policy') ?? '';
      expect(type.startsWith('text/plain') || policy.includes('sandbox')).toBe(true);
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    });
  });
});
