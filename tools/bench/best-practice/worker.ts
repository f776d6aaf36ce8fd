import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { JSONStringified } from '@aws-lambda-powertools/parser/helpers';
import { SqsRecordSchema } from '@aws-lambda-powertools/parser/schemas/sqs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { webhookSchema } from './webhook-schema.ts';

// A worker as it is commonly written: Powertools for logs, metrics, batches, parsing and idempotency, middy around it.
const metrics = new Metrics();
const documents = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const processor = new BatchProcessor(EventType.SQS);
const persistenceStore = new DynamoDBPersistenceLayer({ tableName: 'idempotency' });
const config = new IdempotencyConfig({ eventKeyJmesPath: 'messageId' });
const recordSchema = SqsRecordSchema.extend({ body: JSONStringified(webhookSchema) });
const applyOnce = makeIdempotent(apply, { persistenceStore, config });

export const handler = middy()
  .use(injectLambdaContext(new Logger()))
  .use(logMetrics(metrics))
  .handler(async (batch: SQSEvent, context: Context) => {
    const startedMs = Date.now();
    config.registerLambdaContext(context);
    const response = await processPartialResponse(batch, applyOnce, processor, { context });
    metrics.addMetric('Applied', MetricUnit.Count, batch.Records.length - response.batchItemFailures.length);
    metrics.addMetric('DurationMs', MetricUnit.Milliseconds, Date.now() - startedMs);
    return response;
  });

async function apply(record: SQSRecord): Promise<void> {
  const { body, messageAttributes } = recordSchema.parse(record);
  const { account, user, user_upload: userUpload } = body.data;
  const receivedAt = messageAttributes.receivedAt?.stringValue;
  await documents.send(
    new UpdateCommand({
      TableName: process.env.TABLE_NAME,
      Key: { userUpload },
      UpdateExpression: 'SET #slot = :receivedAt, #account = :account, #user = :user',
      ConditionExpression: '(attribute_not_exists(#slot) OR #slot > :receivedAt)',
      ExpressionAttributeNames: { '#slot': 'addedAt', '#account': 'account', '#user': 'user' },
      ExpressionAttributeValues: { ':receivedAt': receivedAt, ':account': account, ':user': user },
      ReturnValues: 'ALL_NEW',
    }),
  );
}
