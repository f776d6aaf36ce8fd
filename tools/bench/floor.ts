import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { APIGatewayProxyEventV2, SQSEvent, SQSRecord } from 'aws-lambda';

// The minimum that ingest and a worker cost on Node: the same calls, signed by hand, without SDK, retries and time-outs.
const { env } = process;
const agent = new Agent({ keepAlive: true });
let secrets: readonly string[] | undefined;

/** Verifies a webhook, sends it to its queue, logs one line and answers. */
export async function ingest(webhook: APIGatewayProxyEventV2) {
  const startedMs = Date.now();
  const body = Buffer.from(webhook.body ?? '', webhook.isBase64Encoded ? 'base64' : 'utf8');
  const signature = Buffer.from(webhook.headers['x-argyle-signature'] ?? '', 'hex');
  secrets ??= (await Promise.all(['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'].map(readSecret))).flat();
  const isSigned = secrets.some((secret) => {
    const expected = createHmac('sha512', secret).update(body).digest();
    return expected.length === signature.length && timingSafeEqual(expected, signature);
  });
  const statusCode = isSigned ? await sendToQueue(webhook, body.toString()) : 401;
  console.log(JSON.stringify({ service: 'floor', statusCode, DurationMs: Date.now() - startedMs }));
  return { statusCode, headers: { 'content-type': 'application/json' }, body: `{"status":${statusCode}}` };
}

/** Writes each record of a batch with one conditional write, and logs one line. */
export async function worker(batch: SQSEvent) {
  const startedMs = Date.now();
  const statuses = await Promise.all(batch.Records.map(writeRecord));
  console.log(JSON.stringify({ service: 'floor', statuses, DurationMs: Date.now() - startedMs }));
  return { batchItemFailures: [] };
}

async function readSecret(VersionStage: string): Promise<readonly string[]> {
  const input = { SecretId: env.WEBHOOK_SECRET_ID, VersionStage };
  const { answer } = await callAws('secretsmanager', 'secretsmanager.GetSecretValue', '1.1', input);
  return typeof answer.SecretString === 'string' ? [answer.SecretString] : [];
}

async function sendToQueue({ requestContext }: APIGatewayProxyEventV2, MessageBody: string): Promise<number> {
  const { event } = JSON.parse(MessageBody) as { event: string };
  const receivedAt = new Date(requestContext.timeEpoch).toISOString();
  const attributes = Object.entries({ event, receivedAt, deliveryId: requestContext.requestId });
  const named = attributes.map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]);
  const QueueUrl = env[`QUEUE_URL_${event.toUpperCase().replaceAll('.', '_')}`];
  const input = { QueueUrl, MessageBody, MessageAttributes: Object.fromEntries(named) };
  return (await callAws('sqs', 'AmazonSQS.SendMessage', '1.0', input)).status;
}

async function writeRecord({ body, messageAttributes }: SQSRecord): Promise<number> {
  const { data } = JSON.parse(body) as { data: { user_upload: string; account: string; user: string } };
  const receivedAt = { S: messageAttributes.receivedAt?.stringValue };
  const { status } = await callAws('dynamodb', 'DynamoDB_20120810.UpdateItem', '1.0', {
    TableName: env.TABLE_NAME,
    Key: { userUpload: { S: data.user_upload } },
    UpdateExpression: 'SET #slot = :receivedAt, #account = :account, #user = :user',
    ConditionExpression: '(attribute_not_exists(#slot) OR #slot > :receivedAt)',
    ExpressionAttributeNames: { '#slot': 'addedAt', '#account': 'account', '#user': 'user' },
    ExpressionAttributeValues: {
      ':receivedAt': receivedAt,
      ':account': { S: data.account },
      ':user': { S: data.user },
    },
    ReturnValues: 'ALL_NEW',
  });
  return status;
}

async function callAws(service: string, target: string, version: string, input: object) {
  const url = new URL(env.AWS_ENDPOINT_URL ?? '');
  const body = JSON.stringify(input);
  const headers = {
    'content-type': `application/x-amz-json-${version}`,
    host: url.host,
    'x-amz-date': new Date().toISOString().replaceAll(/[:-]|\.\d{3}/g, ''),
    'x-amz-security-token': env.AWS_SESSION_TOKEN ?? '',
    'x-amz-target': target,
  };
  const signed = { ...headers, authorization: authorizationOf(service, headers, body) };
  const call = request(url, { agent, method: 'POST', headers: signed }).end(body);
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  const answer = JSON.parse(await text(response)) as Readonly<Record<string, unknown>>;
  return { status: response.statusCode ?? 0, answer };
}

// Signature Version 4.
function authorizationOf(service: string, headers: { readonly 'x-amz-date': string }, body: string): string {
  const time = headers['x-amz-date'];
  const scope = [time.slice(0, 8), env.AWS_REGION ?? '', service, 'aws4_request'];
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const canonical = `POST\n/\n\n${lines.join('')}\n${names}\n${hash(body)}`;
  const key = scope.reduce<string | Buffer>(
    (previous, part) => hmac(previous, part),
    `AWS4${env.AWS_SECRET_ACCESS_KEY}`,
  );
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope.join('/')}\n${hash(canonical)}`).toString('hex');
  const credential = `${env.AWS_ACCESS_KEY_ID}/${scope.join('/')}`;
  return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
}

const hmac = (key: string | Buffer, content: string) => createHmac('sha256', key).update(content).digest();
const hash = (content: string) => createHash('sha256').update(content).digest('hex');
