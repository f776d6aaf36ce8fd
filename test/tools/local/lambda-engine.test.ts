import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../../tools/local/engine.ts';
import type { Lambda } from '../../../tools/local/lambda.ts';
import { startLambdaEngine } from '../../../tools/local/lambda-engine.ts';
import { clientConfig } from '../../support/emulators/emulators.ts';

const invoked: unknown[] = [];
const echo: Lambda = {
  name: 'echo',
  invoke: async (event) => {
    invoked.push(event);
    if ((event as { fails?: boolean }).fails) throw new Error('failed');
    return { echoed: event };
  },
  counts: () => ({ Invocations: 0, Errors: 0 }),
  pids: () => [],
  stop: () => undefined,
};
let engine: Engine;
let client: LambdaClient;
beforeAll(async () => {
  engine = await startLambdaEngine(() => new Map([['echo', echo]]));
  client = new LambdaClient({ ...clientConfig(engine.endpoint), maxAttempts: 1 });
});
afterAll(async () => {
  client.destroy();
  await engine.stop();
});

test('an invocation that waits gets the result', async () => {
  const { StatusCode, FunctionError, Payload } = await invoke({ a: 1 });
  expect([StatusCode, FunctionError, Payload?.transformToString()]).toEqual([200, undefined, '{"echoed":{"a":1}}']);
});

test('an invocation that waits is told of a failure in the answer', async () => {
  const { FunctionError, Payload } = await invoke({ fails: true });
  expect(FunctionError).toBe('Unhandled');
  expect(JSON.parse(Payload?.transformToString() ?? '')).toEqual({ errorType: 'Error', errorMessage: 'failed' });
});

test.each([{ b: 2 }, { fails: true }])('an invocation that does not wait is taken: %j', async (payload) => {
  expect((await invoke(payload, 'Event')).StatusCode).toBe(202);
  await expect.poll(() => invoked).toContainEqual(payload);
});

test('a function may be named by its ARN, and one that is unknown is not found', async () => {
  const arn = 'arn:aws:lambda:us-east-1:000000000000:function:echo';
  expect((await invoke({}, 'RequestResponse', arn)).StatusCode).toBe(200);
  await expect(invoke({}, 'RequestResponse', 'other')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

async function invoke(payload: object, InvocationType: 'Event' | 'RequestResponse' = 'RequestResponse', name = 'echo') {
  return client.send(
    new InvokeCommand({ FunctionName: name, InvocationType, Payload: Buffer.from(JSON.stringify(payload)) }),
  );
}
