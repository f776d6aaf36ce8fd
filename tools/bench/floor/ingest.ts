import { createHmac, timingSafeEqual } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { callAws } from './aws-request.ts';

// The same calls as ingest, with nothing around them: the least that this work can cost on Node.
const { AWS_ENDPOINT_URL_SQS = '', AWS_ENDPOINT_URL_SECRETS_MANAGER = '', WEBHOOK_SECRET_ID } = process.env;
const stages = ['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'];
const freshMs = 60_000;

let secrets: readonly string[] = [];
let readAtMs = 0;

/** Called by AWS: verifies, queues, prints one line, answers. */
export async function handler(request: APIGatewayProxyEventV2) {
  const startedMs = Date.now();
  const body = Buffer.from(request.body ?? '', request.isBase64Encoded ? 'base64' : 'utf8');
  const signature = Buffer.from(request.headers['x-argyle-signature'] ?? '', 'hex');
  if (startedMs - readAtMs > freshMs) {
    secrets = await readSecrets();
    readAtMs = startedMs;
  }
  const status = isSigned(body, signature) ? await queue(request, body) : 401;
  console.log(JSON.stringify({ service: 'floor', status, DurationMs: Date.now() - startedMs }));
  return { statusCode: status, headers: { 'content-type': 'application/json' }, body: `{"status":${status}}` };
}

function isSigned(body: Buffer, signature: Buffer): boolean {
  return secrets.some((secret) => {
    const expected = createHmac('sha512', secret).update(body).digest();
    return expected.length === signature.length && timingSafeEqual(expected, signature);
  });
}

async function queue({ requestContext }: APIGatewayProxyEventV2, body: Buffer): Promise<number> {
  const text = body.toString();
  const { event } = JSON.parse(text) as { event: string };
  const values = {
    event,
    receivedAt: new Date(requestContext.timeEpoch).toISOString(),
    deliveryId: requestContext.requestId,
  };
  const { status } = await callAws('sqs', AWS_ENDPOINT_URL_SQS, 'AmazonSQS.SendMessage', '1.0', {
    QueueUrl: process.env[`QUEUE_URL_${event.toUpperCase().replaceAll('.', '_')}`],
    MessageBody: text,
    MessageAttributes: Object.fromEntries(
      Object.entries(values).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
    ),
  });
  return status;
}

async function readSecrets(): Promise<string[]> {
  const answers = await Promise.all(
    stages.map((VersionStage) =>
      callAws('secretsmanager', AWS_ENDPOINT_URL_SECRETS_MANAGER, 'secretsmanager.GetSecretValue', '1.1', {
        SecretId: WEBHOOK_SECRET_ID,
        VersionStage,
      }),
    ),
  );
  return answers.flatMap(({ body }) => (typeof body.SecretString === 'string' ? [body.SecretString] : []));
}
