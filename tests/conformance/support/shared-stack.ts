import type { TestProject } from 'vitest/node';
import { Stack, type StackAddress } from './stack';

declare module 'vitest' {
  export interface ProvidedContext {
    stack: StackAddress;
  }
}

/** One stack for all files; what each test makes in it belongs to users and teams of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await Stack.start();
  project.provide('stack', stack.address);
  return () => stack.stop();
}
