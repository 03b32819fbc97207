import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newBucket } from '../support/buckets';
import { eachLibrary, service, signedIn, visitor } from '../support/clients';

eachLibrary((library) => {
  const storage = () => service(library).storage;

  describe('buckets', () => {
    test('are made, read, changed and listed by the server', async () => {
      const id = `made-${randomBytes(4).toString('hex')}`;
      const made = await storage().createBucket(id, {
        public: true,
        fileSizeLimit: '1MB',
        allowedMimeTypes: ['image/*', 'text/plain'],
      });
      expect(made).toMatchObject({ data: { name: id }, error: null });
      expect((await storage().getBucket(id)).data).toMatchObject({
        id,
        name: id,
        public: true,
        allowed_mime_types: ['image/*', 'text/plain'],
        created_at: expect.any(String),
        updated_at: expect.any(String),
      });
      expect((await storage().updateBucket(id, { public: false })).error).toBeNull();
      const { data } = await storage().listBuckets();
      expect(data?.find((bucket) => bucket.id === id)).toMatchObject({ name: id, public: false });
    });

    test('have one name each: Duplicate', async () => {
      const id = await newBucket(library);
      const { error } = await storage().createBucket(id, { public: false });
      expect(error).toMatchObject({ statusCode: '409', message: 'The resource already exists' });
    });

    test('that are missing are said to be: 404', async () => {
      expect((await storage().getBucket('no-such-bucket')).error).toMatchObject({
        status: 400,
        statusCode: '404',
        message: 'Bucket not found',
      });
    });

    test('go only when empty', async () => {
      const id = await newBucket(library);
      await storage().from(id).upload('file', 'text');
      expect((await storage().deleteBucket(id)).error).toMatchObject({
        statusCode: '409',
        message: 'The bucket you tried to delete is not empty',
      });
      expect((await storage().emptyBucket(id)).error).toBeNull();
      expect((await storage().from(id).list()).data).toEqual([]);
      expect((await storage().deleteBucket(id)).error).toBeNull();
      expect((await storage().getBucket(id)).error).toMatchObject({ statusCode: '404' });
    });

    test('are not for users and visitors without a policy', async () => {
      const id = await newBucket(library);
      const account = await signedIn(library);
      for (const client of [account.client, visitor(library)]) {
        expect((await client.storage.createBucket(`${id}-mine`)).error).toMatchObject({
          statusCode: '403',
          message: 'new row violates row-level security policy',
        });
        expect((await client.storage.listBuckets()).data).toEqual([]);
        expect((await client.storage.getBucket(id)).error).toMatchObject({ statusCode: '404' });
        expect((await client.storage.deleteBucket(id)).error).not.toBeNull();
      }
      expect((await storage().getBucket(id)).error).toBeNull();
    });
  });
});
