import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { createAskArgyle } from '../../../functions/argyle/argyle-api.ts';
import { createSubscriptionRegistryStore } from '../../../functions/aws/subscription-registry-store.ts';
import type { Envelope } from '../../../functions/domain/envelope.ts';
import { readMessage } from '../../../functions/domain/queue-message.ts';
import { reserveMs } from '../../../functions/domain/reconciliation-times.ts';
import { physicalIdOf, type SubscriptionRegistry } from '../../../functions/domain/subscription-registry.ts';
import { createListedIds } from '../../../functions/reconciliation/check-removals.ts';
import { createReconcile, type ReconcileAnswer } from '../../../functions/reconciliation/handler.ts';
import { createRecordReader } from '../../../functions/reconciliation/record-reader.ts';
import { createReconciliationState } from '../../../functions/reconciliation/state-store.ts';
import { createWorkspace } from '../../../functions/reconciliation/workspace.ts';
import { createEnrich } from '../../../functions/worker/enrich-record.ts';
import { createArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { type FakeArgyle, startFakeArgyle } from '../../../tools/fake-argyle/fake-argyle.ts';
import { createUploadTable } from '../emulators/emulators.ts';
import { openUploadTable } from '../emulators/upload-table.ts';
import { fakeSendMessage, fakeTelemetry } from '../fakes/fakes.ts';
import { queueUrls } from './ingest.ts';

/** Reconciliation on an emulated table and the fake Argyle, on a fake clock that only sleeping and `passHours` move. */
export type Reconciliation = Awaited<ReturnType<typeof openReconciliation>>;

const minuteMs = 60_000;

const key = { apiKeyId: 'id', apiKeySecret: 'secret' };

/** The URL and name of the stack's subscription. */
const subscription = { url: 'https://api.example.com/webhooks/argyle', name: 'argyle-uploads-sandbox' };

/** Opens a reconciliation for each test of a file, with an empty Argyle and no records. */
export function openForEachTest(onOpen: (opened: Reconciliation) => void): void {
  let argyle: FakeArgyle;
  let opened: Reconciliation;
  beforeAll(async () => {
    argyle = await startFakeArgyle({ port: 0, ...key });
  });
  beforeEach(async () => {
    opened = await openReconciliation(argyle);
    onOpen(opened);
  });
  afterEach(() => opened.close());
  afterAll(() => argyle.stop());
}

async function openReconciliation(argyle: FakeArgyle) {
  const control = createArgyleControl(argyle.controlUrl);
  await control.reset();
  const table = await openUploadTable();
  const stateTable = await createUploadTable(table.client, 'id');
  const credentials = { current: key };
  const readCredentials = async () => credentials.current;
  const askArgyle = createAskArgyle(argyle.url, readCredentials);
  const state = createReconciliationState(table.client, stateTable);
  const registry = createSubscriptionRegistryStore(table.client, stateTable);
  await registry.write({ [physicalIdOf(subscription)]: 'created' }, AbortSignal.timeout(5_000));
  // An event that the fake never fires, so that it sends nothing to this URL.
  await askArgyle('POST', '/webhooks', { body: { ...subscription, events: ['accounts.added'] } });
  let nowMs = Date.parse('2026-12-01T10:00:00.000Z');
  const sleep = async (milliseconds: number) => {
    nowMs += milliseconds;
  };
  const sending = { reached: () => {}, until: Promise.resolve() };
  const queue = fakeSendMessage(async () => {
    sending.reached();
    await sending.until;
  });
  const { telemetry, measured, errors } = fakeTelemetry();
  const continued: object[] = [];
  // Each invocation runs in a new execution environment.
  const coldStart = () =>
    createReconcile({
      ...createWorkspace({
        apiUrl: argyle.url,
        readCredentials,
        secretName: 'argyle/api-key',
        registry,
        sleep,
        nowMs: () => nowMs,
      }),
      records: createRecordReader(table.client, table.tableName, sleep),
      state,
      listedIds: createListedIds({ state }),
      sendMessage: queue.sendMessage,
      queueUrls,
      nowMs: () => nowMs,
      telemetry,
      invokeSelf: async (_, payload) => {
        continued.push(payload);
      },
    });
  const enrich = createEnrich({ askArgyle, writeDocument: table.writeDocument, nowMs: () => nowMs });
  // As a worker does.
  const applyAndFetch = async (envelope: Envelope, receivedAt: string): Promise<void> => {
    const applied = await table.applyEvent(envelope, receivedAt, { mayCreate: true });
    if ('isRemoved' in applied && !applied.isRemoved) await enrich(envelope.userUpload, AbortSignal.timeout(10_000));
  };

  /** Invokes the function once. `workMs`: the time in which it may start new work; `remainingMs`: the time until its time-out. */
  const invoke = (
    payload: unknown = {},
    options: { readonly workMs?: number; readonly remainingMs?: number; readonly awsRequestId?: string } = {},
  ) => {
    const { workMs = 14 * minuteMs, remainingMs = workMs + reserveMs, awsRequestId = randomUUID() } = options;
    const endsMs = nowMs + remainingMs;
    const invocation = { awsRequestId, functionName: 'reconcile', getRemainingTimeInMillis: () => endsMs - nowMs };
    return coldStart()(payload, invocation);
  };
  return {
    ...table,
    control,
    argyleUrl: argyle.url,
    sent: queue.sent,
    measured,
    errors,
    continued,
    credentials,
    state,
    subscription,
    /** Replaces the registry of subscriptions. */
    register: (registered: SubscriptionRegistry) => registry.write(registered, AbortSignal.timeout(5_000)),
    invoke,
    /** Invokes the function until the run ends, with one step in each invocation. */
    invokeStepByStep: async (): Promise<ReconcileAnswer[]> => {
      const answers = [await invoke({}, { workMs: 0 })];
      while (answers.at(-1)?.status === 'continues') answers.push(await invoke(continued.at(-1), { workMs: 0 }));
      return answers;
    },
    nowMs: () => nowMs,
    passHours: (hours: number) => {
      nowMs += hours * 60 * minuteMs;
    },
    /** Makes the next invocation that sends an event wait there until it is released. */
    holdSending: () => {
      const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      sending.reached = reached.resolve;
      sending.until = released.promise;
      return { reached: reached.promise, release: released.resolve };
    },
    /** Applies an event as if its webhook arrived now. */
    applyEventAndFetch: (envelope: Envelope) => applyAndFetch(envelope, new Date(nowMs).toISOString()),
    /** Applies all events that were sent since the last call, as the workers do. */
    applySent: async () => {
      for (const { message } of queue.sent.splice(0)) {
        const reading = readMessage(message);
        if (reading.kind !== 'message') throw new Error(`No worker could read ${message.body}`);
        await applyAndFetch(reading.envelope, reading.receivedAt);
      }
    },
  };
}
