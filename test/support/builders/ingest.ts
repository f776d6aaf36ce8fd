import type { Telemetry } from '../../../functions/aws/telemetry.ts';
import { type EventType, eventTypes } from '../../../functions/domain/events.ts';
import { createIngest } from '../../../functions/ingest/handler.ts';
import { fakeSecrets, fakeSendMessage, fakeTelemetry } from '../fakes/fakes.ts';

/** The queue of each event in these tests. */
export const queueUrls = Object.fromEntries(eventTypes.map((event) => [event, `queue of ${event}`])) as Record<
  EventType,
  string
>;

type Setup = {
  secrets?: ReturnType<typeof fakeSecrets>;
  queue?: ReturnType<typeof fakeSendMessage>;
  telemetry?: Telemetry;
  deadlineMs?: number;
  nowMs?: () => number;
};

/** Creates ingest with fakes. Returns it together with what the fakes recorded. */
export function setUpIngest({ secrets = fakeSecrets(), queue = fakeSendMessage(), ...setup }: Setup = {}) {
  const { telemetry, measured, errors } = fakeTelemetry();
  const ingest = createIngest({
    secrets: secrets.secrets,
    sendMessage: queue.sendMessage,
    queueUrls,
    quarantineQueueUrl: 'quarantine queue',
    telemetry,
    nowMs: () => 0,
    deadlineMs: 5_000,
    ...setup,
  });
  return { ingest, sent: queue.sent, calls: secrets.calls, measured, errors };
}

/** A response of ingest. */
export function json(statusCode: number, status: string, headers: Readonly<Record<string, string>> = {}) {
  return { statusCode, headers: { 'content-type': 'application/json', ...headers }, body: `{"status":"${status}"}` };
}
