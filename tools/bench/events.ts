import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2, SQSEvent, SQSRecord } from 'aws-lambda';
import type { EventType } from '../../functions/domain/events.ts';
import { webhookBody, webhookHeaders } from '../fake-argyle/webhook-request.ts';
import type { Role } from './variants.ts';
import { webhookSecret } from './webhook-secret.ts';

/** The event whose worker is measured. */
export const measuredEvent: EventType = 'user_uploads.added';

/** How many webhooks a call of a warm function brings. */
export const webhooksPerCall: Readonly<Record<Role, number>> = { ingest: 1, worker: 10 };

/** A signed webhook as API Gateway hands it over. */
export function signedDelivery(event: EventType = measuredEvent): APIGatewayProxyEventV2 {
  const body = newBody(event);
  const named = Object.entries({
    host: 'localhost',
    'x-forwarded-proto': 'https',
    ...webhookHeaders(body, webhookSecret),
  });
  const routeKey = 'POST /webhooks/argyle';
  const now = new Date();
  return {
    version: '2.0',
    routeKey,
    rawPath: '/webhooks/argyle',
    rawQueryString: '',
    headers: Object.fromEntries(named.map(([name, value]) => [name.toLowerCase(), value])),
    requestContext: {
      accountId: '000000000000',
      apiId: 'bench',
      domainName: 'localhost',
      domainPrefix: 'bench',
      http: { method: 'POST', path: '/webhooks/argyle', protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: '-' },
      requestId: randomUUID(),
      routeKey,
      stage: '$default',
      time: now.toUTCString(),
      timeEpoch: now.getTime(),
    },
    body,
    isBase64Encoded: false,
  };
}

/** A batch of webhooks as the event source mapping hands it over. */
export function batchOf(records: number): SQSEvent {
  return { Records: Array.from({ length: records }, newRecord) };
}

function newRecord(): SQSRecord {
  const attribute = (stringValue: string) => ({ stringValue, dataType: 'String' as const });
  return {
    messageId: randomUUID(),
    receiptHandle: randomUUID(),
    body: newBody(measuredEvent),
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: String(Date.now()),
      SenderId: 'bench',
      ApproximateFirstReceiveTimestamp: String(Date.now()),
    },
    messageAttributes: {
      event: attribute(measuredEvent),
      receivedAt: attribute(new Date().toISOString()),
      deliveryId: attribute(randomUUID()),
    },
    md5OfBody: '00000000000000000000000000000000',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:bench',
    awsRegion: 'us-east-1',
  };
}

function newBody(event: EventType): string {
  return webhookBody(event, 'bench', { userUpload: randomUUID(), account: randomUUID(), user: randomUUID() });
}

/** Events for a function: the one that it is started for, and those of the warm function. */
export function eventsOf(role: Role, count: number): { readonly first: object; readonly warm: readonly object[] } {
  const one = (records: number) => (role === 'ingest' ? signedDelivery() : batchOf(records));
  return { first: one(1), warm: Array.from({ length: count }, () => one(webhooksPerCall.worker)) };
}
