import { type AttributeValue, DynamoDBClient, PutItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { environment } from '../../../functions/aws/environment.ts';
import { events } from '../../../functions/domain/events.ts';
import type { Pipeline } from '../../../tools/local/pipeline.ts';
import { valuesOf } from '../../../tools/local/wiring.ts';
import { clientConfig } from './emulators.ts';

type Item = Record<string, AttributeValue>;

// A removal is undone only if the record has exactly its time, so both become older.
const missTimes = ['firstMissedAt', 'removedAt'];
const slots = Object.values(events).map(({ slot }) => slot);

/**
 * Simulates the passing of hours for a local pipeline, whose functions use the real clock, by making the stored times older. The
 * pipeline must be idle.
 */
export function createTimeMachine(pipeline: Pipeline) {
  const client = new DynamoDBClient(clientConfig(pipeline.dynamodbEndpoint));
  const rewrite = async (TableName: string, change: (item: Item) => Item | undefined): Promise<void> => {
    const items: Item[] = [];
    for await (const { Items = [] } of paginateScan({ client }, { TableName })) items.push(...Items);
    for (const item of items) {
      const Item = change(item);
      if (Item) await client.send(new PutItemCommand({ TableName, Item }));
    }
  };
  const [uploads = ''] = valuesOf(environment.tableName, pipeline);
  const [state = ''] = valuesOf(environment.stateTableName, pipeline);
  return {
    /** Makes the records and the recorded misses of reconciliation older. */
    passHours: async (hours: number): Promise<void> => {
      await rewrite(uploads, (item) => earlier(item, slots, hours));
      await rewrite(state, (item) => (item.firstMissedAt ? earlier(item, missTimes, hours) : undefined));
    },
    close: () => client.destroy(),
  };
}

function earlier(item: Item, names: readonly string[], hours: number): Item {
  const changed = names.flatMap((name) => {
    const time = item[name]?.S;
    return time ? [[name, { S: new Date(Date.parse(time) - hours * 3_600_000).toISOString() }]] : [];
  });
  return { ...item, ...Object.fromEntries(changed) };
}
