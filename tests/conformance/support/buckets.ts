import { randomBytes } from 'node:crypto';
import type { Library } from './clients';
import { service } from './clients';

interface BucketOptions {
  public?: boolean;
  fileSizeLimit?: number | string;
  allowedMimeTypes?: string[];
}

/** A bucket of its own for a test file. */
export async function newBucket(library: Library, options: BucketOptions = {}): Promise<string> {
  const id = `bucket-${randomBytes(6).toString('hex')}`;
  const { error } = await service(library).storage.createBucket(id, { public: false, ...options });
  if (error) throw error;
  return id;
}
