import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { countMessages } from '../../../tools/messages/dead-messages.ts';

/** One request of the client under test: its operation, such as `SendMessage`, and its input. */
export type Call = { readonly operation: string; readonly input: Readonly<Record<string, unknown>> };

/** What happens to a call: an error is thrown, any other object is the answer, and without either the emulator answers. */
export type Disturb = (call: Call, earlier: readonly Call[]) => Error | object | undefined;

/** Records the calls of a client, and disturbs some of them. Returns the calls so far, and a function that ends the disturbance. */
export function disturbCalls(client: SQSClient, disturb: Disturb = () => undefined) {
  const calls: Call[] = [];
  const name = `disturbance ${Math.random()}`;
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const call = {
          operation: commandName.replace(/Command$/, ''),
          input: args.input as Readonly<Record<string, unknown>>,
        };
        const result = disturb(call, calls);
        calls.push(call);
        if (result instanceof Error) throw result;
        return result ? { output: { $metadata: {}, ...result }, response: {} } : next(args);
      },
    { step: 'initialize', name },
  );
  return { calls, end: () => client.middlewareStack.remove(name) };
}

/** Returns the number of calls of an operation. */
export function countOf(calls: readonly Call[], operation: string): number {
  return calls.filter((call) => call.operation === operation).length;
}

/** Creates a queue. Returns its URL, and functions to put messages on it and to count and read them. */
export async function createQueue(sqs: SQSClient, QueueName: string) {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName }));
  return {
    url: QueueUrl,
    put: async (...bodies: readonly string[]) => {
      for (const MessageBody of bodies) await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    },
    counts: () => countMessages(sqs, QueueUrl),
    /** Receives all messages, at most ten, and returns their bodies in alphabetical order. */
    bodies: async () => {
      const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 });
      return ((await sqs.send(command)).Messages ?? []).map(({ Body = '' }) => Body).sort();
    },
  };
}
