import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { RequestError, retryWhileUnavailable, type Sleep } from '../argyle/retry.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import { callDeadline } from './clients.ts';

/** A custom resource's response to CloudFormation. */
export type StackAnswer = {
  readonly Status: 'SUCCESS' | 'FAILED';
  /** The reason for a failure. CloudFormation shows it to the person who deploys. */
  readonly Reason?: string;
  readonly PhysicalResourceId: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
};

const uploadTimeoutMs = 5_000;
const uploads = { firstDelayMs: 1_000, maxDelayMs: 1_000, maxTries: 3 };

/** The maximum time for sending an answer to CloudFormation. */
export const maxAnswerMs = uploads.maxTries * uploadTimeoutMs + (uploads.maxTries - 1) * uploads.maxDelayMs;

/** Creates a function that returns whether a stack is rolling back. It throws when it cannot read the stack's status. */
export function createIsRollingBack(client: CloudFormationClient) {
  return async (stackId: string, signal: AbortSignal): Promise<boolean> => {
    const command = new DescribeStacksCommand({ StackName: stackId });
    const { Stacks: [stack] = [] } = await client.send(command, { abortSignal: callDeadline(signal) });
    if (!stack?.StackStatus)
      throw new LoggableError('CloudFormation returned no status for the stack that it sent the request for.');
    return stack.StackStatus.includes('ROLLBACK');
  };
}

/** Creates a function that uploads an answer to CloudFormation's `responseUrl`. It throws after three failed tries. */
export function createAnswerStack(sleep: Sleep) {
  return (responseUrl: string, answer: StackAnswer): Promise<void> =>
    retryWhileUnavailable(() => upload(responseUrl, answer), { ...uploads, sleep });
}

// The URL contains a signature: anyone who knows the URL can send the answer, so no error may contain it.
async function upload(responseUrl: string, answer: StackAnswer): Promise<void> {
  const response = await fetch(responseUrl, {
    method: 'PUT',
    // The URL is signed for an empty content type.
    headers: { 'content-type': '' },
    body: Buffer.from(JSON.stringify(answer)),
    signal: AbortSignal.timeout(uploadTimeoutMs),
  }).catch(() => undefined);
  if (response?.ok) return;
  const code = response ? `http_${response.status}` : 'no_answer';
  throw new RequestError(`CloudFormation did not accept the answer: ${code}.`, { code, isTransient: true });
}
