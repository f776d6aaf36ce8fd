import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { secretsManagerClient, sqsClient } from '../aws/clients.ts';
import { withTimeLimit } from '../aws/deadline.ts';
import { environment, eventQueueUrl, readVariable } from '../aws/environment.ts';
import { createSendMessage, type SendMessage } from '../aws/event-queue.ts';
import { createTelemetry, type Telemetry } from '../aws/telemetry.ts';
import { readEnvelope } from '../domain/envelope.ts';
import { type EventType, eventTypes } from '../domain/events.ts';
import { durationMetric, ingestMetrics, secretUnreadableMetric } from '../domain/metric-names.ts';
import { eventNameOf, writeMessage } from '../domain/queue-message.ts';
import { ingestDeadlineMs } from '../domain/secret-cache-times.ts';
import { isSignedBy, readSignature, signatureHeader } from './signature.ts';
import { createReadStage } from './webhook-secret-reader.ts';
import { createWebhookSecrets, type WebhookSecrets } from './webhook-secrets.ts';

/** Dependencies of ingest. `deadlineMs` limits the time of one request. */
export type IngestDependencies = {
  readonly secrets: Pick<WebhookSecrets, 'verify'>;
  readonly sendMessage: SendMessage;
  readonly queueUrls: Readonly<Record<EventType, string>>;
  readonly quarantineQueueUrl: string;
  readonly telemetry: Telemetry;
  readonly nowMs: () => number;
  readonly deadlineMs: number;
};

type Outcome = {
  readonly status: keyof typeof ingestMetrics;
  readonly fields?: Readonly<Record<string, string>>;
  /** Metrics to print in addition to the one of the status. */
  readonly metrics?: Readonly<Record<string, number>>;
};

/** The maximum size of a body. A body of this size in base64, with its attributes, still fits into SQS's 1 MiB. */
export const bodyLimitBytes = 512 * 1024;

/**
 * The time limit of one request. Argyle's time-out is 10 s, API Gateway's 9 s and the function's 8 s, so this leaves over a second
 * for a cold start.
 */
export const requestDeadlineMs = ingestDeadlineMs;

const httpStatus = { accepted: 200, quarantined: 200, bad_signature: 401, too_large: 413, unavailable: 503 } as const;

/**
 * Creates the webhook receiver. It verifies the signature, queues the message, then answers: 200 once a signed message is
 * durable in SQS, 401 without a valid signature, 413 for a signed body above the limit, and 503 for our own failures. It stores
 * messages only before a 200. Argyle retries once after a 503.
 */
export function createIngest(dependencies: IngestDependencies) {
  // called by AWS, one request at a time
  return async (request: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    if (request.routeKey === 'GET /healthz') return answer(200, 'ok');
    const startedMs = dependencies.nowMs();
    const deliveryId = request.requestContext.requestId;

    const { status, fields, metrics } = await withTimeLimit(dependencies.deadlineMs, (deadline) =>
      receive(dependencies, request, deadline),
    ).catch((error): Outcome => {
      dependencies.telemetry.error('delivery_not_queued', error, { deliveryId });
      return { status: 'unavailable' };
    });

    const durationMs = dependencies.nowMs() - startedMs;
    dependencies.telemetry.measure(
      { [ingestMetrics[status]]: 1, ...metrics, [durationMetric]: durationMs },
      { deliveryId, status, ...fields },
    );
    return answer(httpStatus[status], status);
  };
}

async function receive(
  dependencies: IngestDependencies,
  request: APIGatewayProxyEventV2,
  deadline: AbortSignal,
): Promise<Outcome> {
  const signature = readSignature(headerOf(request, signatureHeader));
  if (!signature) return { status: 'bad_signature' };
  const body = Buffer.from(request.body ?? '', request.isBase64Encoded ? 'base64' : 'utf8');
  try {
    const isSigned = (secrets: readonly string[]) => isSignedBy(secrets, body, signature);
    if (!(await dependencies.secrets.verify(isSigned, deadline))) return { status: 'bad_signature' };
  } catch (error) {
    dependencies.telemetry.error('secret_unreadable', error, { deliveryId: request.requestContext.requestId });
    const metrics = { [secretUnreadableMetric]: 1 };
    return { status: 'unavailable', fields: { reason: 'secret_unreadable' }, metrics };
  }
  return body.length > bodyLimitBytes ? { status: 'too_large' } : await queue(dependencies, request, body, deadline);
}

async function queue(
  { sendMessage, queueUrls, quarantineQueueUrl }: IngestDependencies,
  { requestContext: { requestId, timeEpoch } }: APIGatewayProxyEventV2,
  body: Buffer,
  deadline: AbortSignal,
): Promise<Outcome> {
  const reading = readEnvelope(body);
  const event = eventNameOf(reading);
  const message = writeMessage({ event, receivedAtMs: timeEpoch, deliveryId: requestId, body });
  if (reading.kind !== 'envelope') {
    await sendMessage(quarantineQueueUrl, message, deadline);
    return { status: 'quarantined', fields: { reason: reading.kind } };
  }
  await sendMessage(queueUrls[reading.envelope.event], message, deadline);
  return { status: 'accepted', fields: { event, userUpload: reading.envelope.userUpload } };
}

// API Gateway converts header names to lower case, but other callers of the function may not.
function headerOf({ headers }: APIGatewayProxyEventV2, name: string): string | undefined {
  return Object.entries(headers).find(([candidate]) => candidate.toLowerCase() === name)?.[1];
}

function answer(statusCode: number, status: string): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode,
    headers: { 'content-type': 'application/json', ...(statusCode === 503 && { 'retry-after': '30' }) },
    body: JSON.stringify({ status }),
  };
}

// once per cold start
function runtimeDependencies(): IngestDependencies {
  const readStage = createReadStage(secretsManagerClient(), readVariable(environment.webhookSecretId));
  const secrets = createWebhookSecrets(readStage, Date.now);
  // During initialisation, Lambda provides a full core, and the function has no request to answer yet.
  secrets.readAhead();
  return {
    secrets,
    sendMessage: createSendMessage(sqsClient()),
    queueUrls: Object.fromEntries(eventTypes.map((event) => [event, readVariable(eventQueueUrl(event))])) as Record<
      EventType,
      string
    >,
    quarantineQueueUrl: readVariable(environment.quarantineQueueUrl),
    telemetry: createTelemetry(),
    nowMs: Date.now,
    deadlineMs: requestDeadlineMs,
  };
}

export const handler = createIngest(runtimeDependencies());
