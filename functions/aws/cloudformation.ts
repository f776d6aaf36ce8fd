import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { Sleep } from '../argyle/retry.ts';
import { callDeadline } from './clients.ts';

/** What CloudFormation is told about a resource of its own kind. */
export type StackAnswer = {
  readonly Status: 'SUCCESS' | 'FAILED';
  /** Why it failed, shown to whoever deploys. */
  readonly Reason?: string;
  readonly PhysicalResourceId: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
};

const answerTimeoutMs = 5_000;
const answerTries = 3;
const pauseMs = 1_000;

/** Gives the way to ask whether the stack is going back to what it was before. Throws when CloudFormation does not say. */
export function createIsRollingBack(client: CloudFormationClient) {
  return async (stackId: string, signal: AbortSignal): Promise<boolean> => {
    const command = new DescribeStacksCommand({ StackName: stackId });
    const { Stacks: [stack] = [] } = await client.send(command, { abortSignal: callDeadline(signal) });
    if (!stack?.StackStatus) throw new Error('CloudFormation does not know the stack that it asks for.');
    return stack.StackStatus.includes('ROLLBACK');
  };
}

/** Gives the way to answer CloudFormation, which waits for an upload to `responseUrl`. Throws when three tries fail. */
export function createAnswerStack(pause: Sleep) {
  return async (responseUrl: string, answer: StackAnswer): Promise<void> => {
    for (let tries = 1; ; tries += 1) {
      const problem = await upload(responseUrl, answer);
      if (!problem) return;
      if (tries === answerTries) throw problem;
      await pause(pauseMs, AbortSignal.timeout(2 * pauseMs));
    }
  };
}

// The URL is a permit to answer: no error may quote it.
async function upload(responseUrl: string, answer: StackAnswer): Promise<Error | undefined> {
  try {
    const { ok, status } = await fetch(responseUrl, {
      method: 'PUT',
      // The URL is signed for an empty content type.
      headers: { 'content-type': '' },
      body: Buffer.from(JSON.stringify(answer)),
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    return ok ? undefined : new Error(`CloudFormation did not take the answer: http_${status}`);
  } catch {
    return new Error('CloudFormation did not take the answer: no_answer');
  }
}
