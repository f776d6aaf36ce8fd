import { type AttributeValue, DynamoDBClient, PutItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { environment } from '../../../functions/aws/environment.ts';
import { events } from '../../../functions/domain/events.ts';
import type { Pipeline } from '../../../tools/local/pipeline.ts';
import { valuesOf } from '../../../tools/local/wiring.ts';
import { clientConfig } from './emulators.ts';

type Item = Record<string, AttributeValue>;

const slots = Object.values(events).map(({ slot }) => slot);

/**
 * Lets hours pass for a running local pipeline, whose functions go by the real clock: it makes what is written older. That
 * is the same as long as nothing is under way.
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
    /** Records are so much older afterwards, and so are the misses of reconciliation. */
    passHours: async (hours: number): Promise<void> => {
      await rewrite(uploads, (item) => earlier(item, slots, hours));
      await rewrite(state, (item) => (item.firstMissedAt ? earlier(item, ['firstMissedAt'], hours) : undefined));
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
