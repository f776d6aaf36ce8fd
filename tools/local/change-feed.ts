import type { Engines } from './engines.ts';
import type { Lambda } from './lambda.ts';
import { type BusEvent, startPipe } from './pipe.ts';
import { startTableStream } from './table-stream.ts';
import type { LocalStack } from './template.ts';
import { resolve } from './template.ts';

/** What `GET /console/changes` tells, the latest first. */
export type PublishedChanges = { readonly isPublishing: boolean; readonly changes: readonly BusEvent[] };

/** What the stack publishes on its event bus. */
export type ChangeFeed = {
  /** Where the functions reach DynamoDB, so that what they change is seen. */
  readonly endpoint: string;
  readonly changes: () => PublishedChanges;
  readonly stop: () => Promise<void>;
};

// What the console shows. There is no bus here that would keep more, or somebody who subscribes.
const mostKept = 200;

/**
 * Emulates the template's way from the table to its event bus: a stream of our own making (see `startTableStream`), the
 * pipe, and the real function in it. Without a pipe in the template nothing stands before the engine.
 */
export async function startChangeFeed(
  stack: LocalStack,
  { endpoints, sqs }: Engines,
  functions: () => ReadonlyMap<string, Lambda>,
): Promise<ChangeFeed> {
  const events: BusEvent[] = [];
  const publish = (event: BusEvent) => {
    events.unshift(event);
    events.splice(mostKept);
  };
  const [pipe] = stack.template.ofType('AWS::Pipes::Pipe');
  const changes = () => ({ isPublishing: pipe !== undefined, changes: events });
  if (!pipe) return { endpoint: endpoints.dynamodb, changes, stop: async () => undefined };

  const running = startPipe(pipe.properties, { stack, functions, sqs, publish });
  const streamArn = resolve(pipe.properties.Source, stack.identities);
  const tableName = /:table\/([^/]+)\/stream\//.exec(streamArn)?.[1] ?? '';
  const stream = await startTableStream({ endpoint: endpoints.dynamodb, tableName, onRecord: running.put });
  return {
    endpoint: stream.endpoint,
    changes,
    stop: async () => {
      running.stop();
      await stream.stop();
    },
  };
}
