import { createHmac } from 'node:crypto';
import type { APIGatewayProxyEventV2, SQSMessageAttributes, SQSRecord } from 'aws-lambda';

/** The builders' defaults. The ids are those of Argyle's documentation. */
export const sample = {
  event: 'user_uploads.added',
  account: '01856c65-43b6-8b5d-b32a-56b8fbda5c28',
  user: '018051aa-f7a9-a0db-2f38-6cfa325e9d69',
  userUpload: '01320596-2c3d-189c-53e7-a8ce6d625b33',
  name: 'name-for-the-webhook-subscription',
  secret: 'local-secret',
  requestId: 'request-1',
  receivedAt: '2026-11-24T10:00:00.123Z',
} as const;

type BodyFacts = { event?: string; userUpload?: string; account?: string; user?: string; name?: string };

/** Returns a webhook body in Argyle's form: 2 spaces, LF, no final newline. */
export function sampleBody(facts: BodyFacts = {}): string {
  const { event, account, user, userUpload, name } = { ...sample, ...facts };
  return JSON.stringify({ event, name, data: { account, user, user_upload: userUpload } }, null, 2);
}

/** Returns a body with a valid envelope and exactly this length in UTF-8. */
export function bodyOfSize(bytes: number): string {
  return sampleBody({ name: 'n'.repeat(bytes - Buffer.byteLength(sampleBody({ name: '' }))) });
}

/** Returns the hex signature of a body. */
export function signatureOf(body: string | Uint8Array, secret: string = sample.secret): string {
  return createHmac('sha512', secret).update(body).digest('hex');
}

type RequestFacts = {
  secret?: string;
  /** Replaces the correct signature; null for a request without one. */
  signature?: string | null;
  /** Whether API Gateway passes the body as binary; default: only if it is bytes. */
  base64?: boolean;
  requestId?: string;
  timeEpoch?: number;
  headers?: Readonly<Record<string, string>>;
};

/** Returns a delivery as API Gateway passes it to ingest, with header names in lower case. */
export function signedRequest(body: string | Uint8Array, facts: RequestFacts = {}): APIGatewayProxyEventV2 {
  const { secret = sample.secret, signature = signatureOf(body, secret), base64 = typeof body !== 'string' } = facts;
  const { requestId = sample.requestId, timeEpoch = Date.parse(sample.receivedAt), headers = {} } = facts;
  const sent = {
    'Content-Type': 'application/json',
    ...(signature !== null && { 'X-Argyle-Signature': signature }),
    ...headers,
  };
  return {
    ...request('POST', '/webhooks/argyle', requestId, timeEpoch),
    headers: Object.fromEntries(Object.entries(sent).map(([name, value]) => [name.toLowerCase(), value])),
    body: Buffer.from(body).toString(base64 ? 'base64' : 'utf8'),
    isBase64Encoded: base64,
  };
}

/** Returns a health check as API Gateway passes it to ingest. */
export function healthRequest(): APIGatewayProxyEventV2 {
  return request('GET', '/healthz', sample.requestId, Date.parse(sample.receivedAt));
}

type RecordFacts = {
  messageId?: string;
  event?: string;
  receivedAt?: string;
  deliveryId?: string;
  encoding?: string;
  receiveCount?: number;
  /** When it was sent to its queue. */
  sentAt?: string;
};

/** Returns a message as SQS passes it to a worker. Its receipt handle is `handle of <messageId>`. */
export function sqsRecord(body: string, facts: RecordFacts = {}): SQSRecord {
  const { messageId = 'message-1', event = sample.event, receivedAt = sample.receivedAt, encoding } = facts;
  const { deliveryId = sample.requestId, receiveCount = 1, sentAt = sample.receivedAt } = facts;
  return {
    messageId,
    receiptHandle: `handle of ${messageId}`,
    body,
    md5OfBody: '',
    attributes: {
      ApproximateReceiveCount: String(receiveCount),
      ApproximateFirstReceiveTimestamp: '0',
      SenderId: 'ingest',
      SentTimestamp: String(Date.parse(sentAt)),
    },
    messageAttributes: stringAttributes({ event, receivedAt, deliveryId, ...(encoding !== undefined && { encoding }) }),
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:queue',
    awsRegion: 'us-east-1',
  };
}

function stringAttributes(values: Readonly<Record<string, string>>): SQSMessageAttributes {
  return Object.fromEntries(
    Object.entries(values).map(([name, stringValue]) => [name, { dataType: 'String', stringValue }]),
  );
}

function request(method: string, path: string, requestId: string, timeEpoch: number): APIGatewayProxyEventV2 {
  return {
    version: '2.0',
    routeKey: `${method} ${path}`,
    rawPath: path,
    rawQueryString: '',
    headers: {},
    isBase64Encoded: false,
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      domainName: 'api.execute-api.us-east-1.amazonaws.com',
      domainPrefix: 'api',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '34.27.251.226', userAgent: 'ReactorNetty/1.1.0' },
      requestId,
      routeKey: `${method} ${path}`,
      stage: '$default',
      time: '',
      timeEpoch,
    },
  };
}
