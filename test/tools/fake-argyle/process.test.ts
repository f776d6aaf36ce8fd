import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, expect, test } from 'vitest';
import { createArgyleStarts, startArgyle, subscribe } from '../../support/fakes/argyle-api.ts';

const { start, stopReceivers, stopFakes } = createArgyleStarts();
afterEach(stopReceivers);
let parent: ChildProcess | undefined;
afterEach(() => parent?.kill('SIGKILL'));
afterAll(stopFakes);

test('what is logged has neither secret nor body', async () => {
  const lines: string[] = [];
  const { argyle, receiver } = await start({ onLog: (line) => lines.push(line) });
  const id = await subscribe(argyle, receiver.url, { name: 'MARKER', secret: 'MARKER' });
  const { userUpload } = await argyle.control.uploadDocument({ fileName: 'MARKER.pdf' });
  await argyle.control.settled();
  await expect.poll(() => lines).toContain(`user_uploads.added ${userUpload} to webhook ${id}: 200`);
  expect(lines).toContain('POST /v2/webhooks 201');
  expect(lines.join('\n')).not.toMatch(/MARKER|key-secret/);
});

test('a taken port is an error with its code', async () => {
  const { argyle } = await start();
  const port = Number(new URL(argyle.url).port);
  await expect(startArgyle({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('the fake ends with the one that started it', async () => {
  const path = new URL('../../../tools/fake-argyle/fake-argyle.ts', import.meta.url).href;
  const code = `const { startFakeArgyle } = await import('${path}');
    console.log((await startFakeArgyle({ port: 0, apiKeyId: 'k', apiKeySecret: 's' })).url);`;
  const spawned = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  parent = spawned;
  const [url] = await once(createInterface({ input: spawned.stdout }), 'line');
  const { port } = new URL(url);
  // A request would be logged, and would end a fake whose log nobody reads.
  const isListening = async () => {
    const socket = connect(Number(port), '127.0.0.1');
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    return connected;
  };
  expect(await isListening()).toBe(true);
  spawned.kill('SIGKILL');
  await expect.poll(isListening, { timeout: 10_000 }).toBe(false);
});
