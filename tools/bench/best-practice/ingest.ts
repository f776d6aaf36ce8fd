import { createHmac, timingSafeEqual } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { getSecret } from '@aws-lambda-powertools/parameters/secrets';
import { parser } from '@aws-lambda-powertools/parser/middleware';
import { APIGatewayProxyEventV2Schema } from '@aws-lambda-powertools/parser/schemas/api-gatewayv2';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import type { z } from 'zod';
import { webhookSchema } from './webhook-schema.ts';

// Ingest as it is usually written: Powertools for logs, metrics, secrets and parsing, zod for shapes, middy around it.
const logger = new Logger();
const metrics = new Metrics();
const sqs = new SQSClient({});
const stages = ['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'];

type Request = z.infer<typeof APIGatewayProxyEventV2Schema>;

/** Called by AWS. */
export const handler = middy()
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
  .use(parser({ schema: APIGatewayProxyEventV2Schema }))
  .handler(async (request: Request) => {
    const startedMs = Date.now();
    const status = await receive(request);
    metrics.addMetric(status, MetricUnit.Count, 1);
    metrics.addMetric('DurationMs', MetricUnit.Milliseconds, Date.now() - startedMs);
    return {
      statusCode: status === 'accepted' ? 200 : 401,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ status }),
    };
  });

async function receive(request: Request): Promise<'accepted' | 'bad_signature'> {
  const body = Buffer.from(request.body ?? '', request.isBase64Encoded ? 'base64' : 'utf8');
  const signature = Buffer.from(request.headers['x-argyle-signature'] ?? '', 'hex');
  if (!(await isSigned(body, signature))) return 'bad_signature';
  const { event, data } = webhookSchema.parse(JSON.parse(body.toString()));
  const { requestId, timeEpoch } = request.requestContext;
  const values = { event, receivedAt: new Date(timeEpoch).toISOString(), deliveryId: requestId };
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: process.env[`QUEUE_URL_${event.toUpperCase().replaceAll('.', '_')}`],
      MessageBody: body.toString(),
      MessageAttributes: Object.fromEntries(
        Object.entries(values).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
      ),
    }),
  );
  metrics.addMetadata('userUpload', data.user_upload);
  return 'accepted';
}

async function isSigned(body: Buffer, signature: Buffer): Promise<boolean> {
  const secrets = await Promise.all(stages.map(readSecret));
  return secrets.some((secret) => {
    if (!secret) return false;
    const expected = createHmac('sha512', secret).update(body).digest();
    return expected.length === signature.length && timingSafeEqual(expected, signature);
  });
}

// A stage that does not exist is remembered too: otherwise each webhook would ask for it again.
const absent = new Map<string, number>();

async function readSecret(VersionStage: string): Promise<string | undefined> {
  if ((absent.get(VersionStage) ?? 0) > Date.now()) return undefined;
  try {
    const options = { maxAge: 60, sdkOptions: { VersionStage } };
    return String(await getSecret(process.env.WEBHOOK_SECRET_ID ?? '', options));
  } catch (error) {
    if (VersionStage === 'AWSCURRENT') throw error;
    absent.set(VersionStage, Date.now() + 60_000);
    return undefined;
  }
}
