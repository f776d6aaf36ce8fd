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

// Ingest as it is commonly written: Powertools for logs, metrics, secrets and parsing, zod for shapes, middy around it.
const metrics = new Metrics();
const sqs = new SQSClient({});
const cachedSeconds = 60;
// Stages that do not exist, and until when this is remembered. Otherwise each webhook would read them again.
const absentUntilMs = new Map<string, number>();

type Request = z.infer<typeof APIGatewayProxyEventV2Schema>;

export const handler = middy()
  .use(injectLambdaContext(new Logger()))
  .use(logMetrics(metrics))
  .use(parser({ schema: APIGatewayProxyEventV2Schema }))
  .handler(async (request: Request) => {
    const startedMs = Date.now();
    const status = await receive(request);
    metrics.addMetric(status, MetricUnit.Count, 1);
    metrics.addMetric('DurationMs', MetricUnit.Milliseconds, Date.now() - startedMs);
    const headers = { 'content-type': 'application/json' };
    return { statusCode: status === 'accepted' ? 200 : 401, headers, body: JSON.stringify({ status }) };
  });

async function receive({ body: text = '', isBase64Encoded, headers, requestContext }: Request) {
  const body = Buffer.from(text, isBase64Encoded ? 'base64' : 'utf8');
  const signature = Buffer.from(headers['x-argyle-signature'] ?? '', 'hex');
  const secrets = await Promise.all(['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'].map(readSecret));
  if (!secrets.some((secret) => secret && isSigned(body, signature, secret))) return 'bad_signature';
  const { event, data } = webhookSchema.parse(JSON.parse(body.toString()));
  const { requestId, timeEpoch } = requestContext;
  const attributes = Object.entries({ event, receivedAt: new Date(timeEpoch).toISOString(), deliveryId: requestId });
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: process.env[`QUEUE_URL_${event.toUpperCase().replaceAll('.', '_')}`],
      MessageBody: body.toString(),
      MessageAttributes: Object.fromEntries(
        attributes.map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
      ),
    }),
  );
  metrics.addMetadata('userUpload', data.user_upload);
  return 'accepted';
}

function isSigned(body: Buffer, signature: Buffer, secret: string): boolean {
  const expected = createHmac('sha512', secret).update(body).digest();
  return expected.length === signature.length && timingSafeEqual(expected, signature);
}

async function readSecret(VersionStage: string): Promise<string | undefined> {
  if ((absentUntilMs.get(VersionStage) ?? 0) > Date.now()) return undefined;
  try {
    const options = { maxAge: cachedSeconds, sdkOptions: { VersionStage } };
    return String(await getSecret(process.env.WEBHOOK_SECRET_ID ?? '', options));
  } catch (error) {
    if (VersionStage === 'AWSCURRENT') throw error;
    absentUntilMs.set(VersionStage, Date.now() + cachedSeconds * 1_000);
    return undefined;
  }
}
