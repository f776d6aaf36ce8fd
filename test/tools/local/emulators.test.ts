import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLambdaEmulator } from '../../../tools/local/emulators.ts';
import type { Emulator } from '../../../tools/local/loopback.ts';
import { clientConfig } from '../../support/emulators/emulators.ts';
import { fakeLambda } from '../../support/fakes/fake-lambda.ts';

const invoked: unknown[] = [];
const echo = fakeLambda('echo', async (event) => {
  invoked.push(event);
  if ((event as { fails?: boolean }).fails) throw new Error('failed');
  return { echoed: event };
});
let emulator: Emulator;
let client: LambdaClient;
beforeAll(async () => {
  emulator = await startLambdaEmulator(new Map([['echo', echo]]));
  client = new LambdaClient({ ...clientConfig(emulator.endpoint), maxAttempts: 1 });
});
afterAll(async () => {
  client.destroy();
  await emulator.stop();
});

test('a synchronous invocation returns the result', async () => {
  const { StatusCode, FunctionError, Payload } = await invoke({ a: 1 });
  expect([StatusCode, FunctionError, Payload?.transformToString()]).toEqual([200, undefined, '{"echoed":{"a":1}}']);
});

test('a synchronous invocation that fails returns the error', async () => {
  const { FunctionError, Payload } = await invoke({ fails: true });
  expect(FunctionError).toBe('Unhandled');
  expect(JSON.parse(Payload?.transformToString() ?? '')).toEqual({ errorType: 'Error', errorMessage: 'failed' });
});

test.each([{ b: 2 }, { fails: true }])('an asynchronous invocation is accepted: %j', async (payload) => {
  expect((await invoke(payload, 'Event')).StatusCode).toBe(202);
  await expect.poll(() => invoked).toContainEqual(payload);
});

test('a function is found by its ARN, and an unknown function is not found', async () => {
  const arn = 'arn:aws:lambda:us-east-1:000000000000:function:echo';
  expect((await invoke({}, 'RequestResponse', arn)).StatusCode).toBe(200);
  await expect(invoke({}, 'RequestResponse', 'other')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

async function invoke(payload: object, InvocationType: 'Event' | 'RequestResponse' = 'RequestResponse', name = 'echo') {
  return client.send(
    new InvokeCommand({ FunctionName: name, InvocationType, Payload: Buffer.from(JSON.stringify(payload)) }),
  );
}
