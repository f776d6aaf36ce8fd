import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { callDeadline } from './clients.ts';

/** Starts another, asynchronous invocation of the running function. Throws when Lambda does not accept it. */
export type InvokeSelf = (functionName: string, payload: object) => Promise<void>;

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
