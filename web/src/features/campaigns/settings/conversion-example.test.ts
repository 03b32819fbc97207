import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { conversionExample } from './conversion-example';

const SECRET = 'c0ffee'.repeat(10);
const ORG = '0b6f6a52-8f43-4c8e-9d7c-1f2a3b4c5d6e';

/** Runs it in a shell to which the secret is typed; gives what arrived at the address of the links, and what was shown. */
async function run() {
  const arrived: { request: IncomingMessage; body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    arrived.push({ request, body });
    response.end('{"recorded":true}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    // As somebody pastes it, and then types: what the shell has not read by then would be taken for the secret.
    const shell = spawn('bash');
    let shown = '';
    for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (part) => (shown += part));
    shell.stdin.end(`${conversionExample(`http://127.0.0.1:${port}`, ORG)}\n${SECRET}\n`);
    await new Promise((resolve, reject) => shell.on('error', reject).on('close', resolve));
    return { arrived, shown };
  } finally {
    server.close();
  }
}

it('signs its call as the links’ address checks it, and shows the answer but never the secret', async () => {
  const { arrived, shown } = await run();
  expect(arrived, shown).toHaveLength(1);
  const [{ request, body }] = arrived as [(typeof arrived)[number]];
  expect(request.method).toBe('POST');
  expect(request.url).toBe(`/conversions/${ORG}`);
  const [, time = '', signature] =
    /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(request.headers['x-octopush-signature'])) ?? [];
  expect(signature).toBe(createHmac('sha256', SECRET).update(`${time}.${body}`).digest('hex'));
  expect(Math.abs(Date.now() / 1000 - Number(time))).toBeLessThan(300);
  expect(JSON.parse(body)).toMatchObject({ phone: '+60123456789', external_id: 'order 1042' });
  expect(shown).toContain('{"recorded":true}');
  expect(shown).not.toContain(SECRET);
});
