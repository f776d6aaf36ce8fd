import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { callDeadline } from './clients.ts';

/** Lets a function go on in a new invocation; throws when Lambda has not taken it. */
export type InvokeSelf = (functionName: string, payload: object) => Promise<void>;

/** Invokes through the given client, without waiting for the outcome. */
export function createInvokeSelf(client: LambdaClient): InvokeSelf {
  return async (functionName, payload) => {
    const command = new InvokeCommand({
      FunctionName: functionName,
      InvocationType: 'Event',
      Payload: Buffer.from(JSON.stringify(payload)),
    });
    await client.send(command, { abortSignal: callDeadline() });
  };
}
