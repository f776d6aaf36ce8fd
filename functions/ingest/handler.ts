import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { callDeadline, secretsManagerClient, sqsClient } from '../aws/clients.ts';
import { within } from '../aws/deadline.ts';
import { environment, eventQueueUrl, readVariable } from '../aws/environment.ts';
import { createSendMessage, type SendMessage } from '../aws/event-queue.ts';
import { createTelemetry, type Telemetry } from '../aws/telemetry.ts';
import { readEnvelope } from '../domain/envelope.ts';
import { type EventType, eventTypes } from '../domain/events.ts';
import { durationMetric, ingestMetrics, secretUnreadableMetric } from '../domain/metric-names.ts';
import { eventNameOf, writeMessage } from '../domain/queue-message.ts';
import { ingestDeadlineMs } from '../domain/secret-cache-times.ts';
import { isSignedBy, readSignature, signatureHeader } from './signature.ts';
import { createWebhookSecrets, type WebhookSecrets } from './webhook-secret-reader.ts';

/** What ingest needs from outside; `deadlineMs` bounds the whole of one request. */
export type IngestDependencies = {
  readonly secrets: WebhookSecrets;
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
  /** Counted beside the status. */
  readonly metrics?: Readonly<Record<string, number>>;
};

/** The largest body that is queued. In base64, with its attributes, it still fits SQS's 1 MiB. */
export const bodyLimitBytes = 512 * 1024;

/** Argyle waits 10 s, API Gateway 9 s, the function 8 s: this leaves over a second for a cold start. */
export const requestDeadlineMs = ingestDeadlineMs;

const secretUnreadable: Outcome = {
  status: 'unavailable',
  fields: { reason: 'secret_unreadable' },
  metrics: { [secretUnreadableMetric]: 1 },
};

const httpStatus = { accepted: 200, quarantined: 200, bad_signature: 401, too_large: 413, unavailable: 503 } as const;

/**
 * The webhook receiver: verifies, queues, then answers. What is signed is durable in SQS before 200 is sent; what
 * is not signed is answered 401 and leaves nothing; our own trouble is 503, which Argyle tries once more.
 */
export function createIngest(dependencies: IngestDependencies) {
  // called by AWS, one request at a time
  return async (request: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    if (request.routeKey === 'GET /healthz') return answer(200, 'ok');
    const startedMs = dependencies.nowMs();
    const deliveryId = request.requestContext.requestId;

    const { status, fields, metrics } = await within(dependencies.deadlineMs, (deadline) =>
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
  const genuine = await isGenuine(dependencies.secrets, body, signature, deadline).catch((error: unknown) => {
    dependencies.telemetry.error('secret_unreadable', error, { deliveryId: request.requestContext.requestId });
    return secretUnreadable;
  });
  if (genuine === secretUnreadable) return secretUnreadable;
  if (!genuine) return { status: 'bad_signature' };
  if (body.length > bodyLimitBytes) return { status: 'too_large' };

  const reading = readEnvelope(body);
  const message = writeMessage({
    event: eventNameOf(reading),
    receivedAtMs: request.requestContext.timeEpoch,
    deliveryId: request.requestContext.requestId,
    body,
  });
  if (reading.kind !== 'envelope') {
    await dependencies.sendMessage(dependencies.quarantineQueueUrl, message, deadline);
    return { status: 'quarantined', fields: { reason: reading.kind } };
  }
  const { event, userUpload } = reading.envelope;
  await dependencies.sendMessage(dependencies.queueUrls[event], message, deadline);
  return { status: 'accepted', fields: { event, userUpload } };
}

// API Gateway lower-cases header names; whoever invokes the function otherwise may not.
function headerOf({ headers }: APIGatewayProxyEventV2, name: string): string | undefined {
  return headers[name] ?? Object.entries(headers).find(([candidate]) => candidate.toLowerCase() === name)?.[1];
}

async function isGenuine(
  secrets: WebhookSecrets,
  body: Buffer,
  signature: Buffer,
  deadline: AbortSignal,
): Promise<boolean> {
  if (isSignedBy(await secrets.valid(deadline), body, signature)) return true;
  const reread = await secrets.reread(deadline);
  return reread !== undefined && isSignedBy(reread, body, signature);
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
  const secrets = createWebhookSecrets(secretsManagerClient(), readVariable(environment.webhookSecretId), Date.now);
  // While Lambda still gives the whole of a core, and the function waits for its first delivery.
  secrets.readAhead(callDeadline());
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
