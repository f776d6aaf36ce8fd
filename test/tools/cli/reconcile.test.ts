import type { Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { close, listen } from '../../../tools/local/loopback.ts';
import { type ServedQueues, serveQueues } from './served-queues.ts';

const done = { status: 'done', run: 'r', counts: { checked: 7, held: 0 } };

let invocations: { readonly type: unknown; readonly payload: unknown }[];
let answer: { readonly body: object; readonly status?: number; readonly functionError?: string } | undefined;
let lambda: Server;
let it: ServedQueues;
beforeEach(async () => {
  invocations = [];
  const listening = await listen(async (request, response) => {
    invocations.push({ type: request.headers['x-amz-invocation-type'], payload: JSON.parse(await text(request)) });
    if (!answer) return request.socket.destroy();
    if (answer.functionError) response.setHeader('x-amz-function-error', answer.functionError);
    return response.writeHead(answer.status ?? 200).end(JSON.stringify(answer.body));
  }, 0);
  lambda = listening.server;
  it = await serveQueues({ LAMBDA: listening.endpoint });
});
afterEach(async () => {
  await it.close();
  await close(lambda);
});

test('reconcile waits for the result and prints its counts', async () => {
  answer = { body: done };

  const { code, out, err } = await it.run('reconcile');
  const asJson = await it.run('--json reconcile');

  expect({ code, out }).toEqual({ code: 0, out: 'Done.\nresult   count\nchecked      7\nheld         0\n' });
  expect(err).toContain('Waiting for the result, for up to 15 minutes.');
  expect(JSON.parse(asJson.out)).toEqual({ started: true, ...done });
  expect(invocations[0]).toEqual({ type: 'RequestResponse', payload: {} });
});

test('a run that needs another invocation, or that holds removals, says so', async () => {
  answer = { body: { ...done, status: 'continues', counts: { held: 21 } } };

  const { code, out } = await it.run('reconcile');

  expect(code).toBe(0);
  expect(out).toMatch(/^Not done yet\. .* tail shows what it finds\./);
  expect(out).toContain('21 removals are held for a confirmation: see removals-held in docs/runbook.md.');
});

test('removals are sent once they are confirmed', async () => {
  answer = { body: done };

  const refused = await it.run('--json reconcile --confirm-removals 3', 'n');
  expect([refused.code, JSON.parse(refused.out), invocations]).toEqual([0, { started: false }, []]);

  const confirmed = await it.run('reconcile --confirm-removals 3', 'y');
  expect(confirmed.code).toBe(0);
  expect(confirmed.err).toContain('Up to 3 records');
  expect(invocations).toEqual([{ type: 'RequestResponse', payload: { confirmRemovals: 3 } }]);
});

test('during another run, a confirmation says that it had no effect and exits with 1', async () => {
  answer = { body: { status: 'busy' } };

  const confirmed = await it.run('reconcile --confirm-removals 3 --yes');
  const plain = await it.run('--json reconcile');

  expect(confirmed).toMatchObject({ code: 1, out: expect.stringContaining('no removal was confirmed. Repeat this') });
  expect(plain.code).toBe(0);
  expect(JSON.parse(plain.out)).toEqual({ started: false, status: 'busy' });
});

test.each([
  [
    'an error of the function',
    { body: { errorMessage: 'Argyle refused the API key.' }, functionError: 'Unhandled' },
    'The reconciliation failed: Argyle refused the API key.\n',
  ],
  [
    'an error of Lambda',
    { body: { Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded', message: 'Rate Exceeded.' }, status: 429 },
    'Rate Exceeded.\n',
  ],
  ['no answer', undefined, /^The connection ended before the result: .* A reconciliation that has started continues/m],
])('%s is one sentence with exit code 1, and there is no second try', async (_, given, sentence) => {
  answer = given;

  const { code, err } = await it.run('reconcile');

  expect(code).toBe(1);
  expect(err).toMatch(sentence);
  expect(invocations).toHaveLength(1);
});
