import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createAnswerStack, createIsRollingBack, maxAnswerMs } from '../../../functions/aws/cloudformation.ts';
import { type CloudFormation, startCloudFormation } from '../../../tools/local/cloudformation.ts';
import { startHttpEmulator } from '../../../tools/local/loopback.ts';
import { clientConfig } from '../../support/emulators/emulators.ts';

const answer = {
  Status: 'SUCCESS',
  PhysicalResourceId: 'url#name',
  StackId: 'stack',
  RequestId: 'request',
  LogicalResourceId: 'Subscription',
} as const;

let cloudformation: CloudFormation;
beforeEach(async () => {
  cloudformation = await startCloudFormation();
});
afterEach(() => cloudformation.stop());

test.each([
  ['UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS', true],
  ['UPDATE_ROLLBACK_IN_PROGRESS', true],
  ['ROLLBACK_IN_PROGRESS', true],
  ['DELETE_IN_PROGRESS', false],
  ['UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', false],
])('a stack in %s is rolling back: %s', async (status, isExpected) => {
  const client = new CloudFormationClient(clientConfig(cloudformation.endpoint));
  cloudformation.setStackStatus(status);

  expect(await createIsRollingBack(client)('stack', new AbortController().signal)).toBe(isExpected);
});

test('an answer is uploaded with the empty content type that its URL is signed for', async () => {
  const received = await cloudformation.change(
    async (event) => createAnswerStack(async () => undefined)((event as { ResponseURL: string }).ResponseURL, answer),
    { RequestType: 'Create', LogicalResourceId: 'Subscription', ResourceType: 'Custom::X', ResourceProperties: {} },
  );

  expect(received).toEqual(answer);
});

test.each([
  [1, 'SUCCESS'],
  [2, 'SUCCESS'],
  [3, 'http_503'],
])('an answer that is refused %i times in a row ends in %s', async (refusals, outcome) => {
  let requests = 0;
  const unavailable = await startHttpEmulator((_, response) => {
    requests += 1;
    response.writeHead(requests <= refusals ? 503 : 200).end();
  });
  const url = `${unavailable.endpoint}/?Signature=canary`;

  const result = await createAnswerStack(async () => undefined)(url, answer).then(
    () => 'SUCCESS',
    (error: Error) => error.message,
  );

  expect(result).toContain(outcome);
  expect(result).not.toContain('canary');
  expect(requests).toBe(Math.min(3, refusals + 1));
  await unavailable.stop();
});

test('an answer is sent three times within 17 s: 5 s each, and 1 s between them', async () => {
  const timeout = vi.spyOn(AbortSignal, 'timeout');
  const delaysMs: number[] = [];
  const silent = await startHttpEmulator((request) => request.socket.destroy());

  await createAnswerStack(async (ms) => delaysMs.push(ms))(silent.endpoint, answer).catch(() => undefined);

  expect(timeout.mock.calls).toEqual([[5_000], [5_000], [5_000]]);
  expect(delaysMs).toEqual([1_000, 1_000]);
  expect(maxAnswerMs).toBe(17_000);
  timeout.mockRestore();
  await silent.stop();
});

test('the error for an endpoint that does not answer does not contain the URL', async () => {
  const silent = await startHttpEmulator((request) => request.socket.destroy());

  const failing = createAnswerStack(async () => undefined)(`${silent.endpoint}/?Signature=canary`, answer);

  await expect(failing).rejects.toThrow(/^CloudFormation did not accept the answer: no_answer\.$/);
  await silent.stop();
});
