import { setTimeout } from 'node:timers/promises';
import { environment } from '../../functions/aws/environment.ts';
import { type EventType, events, eventTypes } from '../../functions/domain/events.ts';
import { removalSlot } from '../../functions/domain/upload-record.ts';
import { createArgyleControl } from '../fake-argyle/control.ts';
import { startFakeArgyle } from '../fake-argyle/fake-argyle.ts';
import { idFrom } from '../fake-argyle/ids.ts';
import { type Pipeline, startPipeline } from '../local/pipeline.ts';
import { readTemplate } from '../local/template.ts';
import { postSigned, sampleBody } from '../messages/sample.ts';
import { batchOf } from './batch-of.ts';
import { itemBytes } from './item-size.ts';
import { type Printed, readPrinted } from './printed.ts';
import { variablesOf } from './stack-facts.ts';

/** What the deployed code really prints and stores, seen by running it. */
export type Measured = {
  /** Bytes that ingest prints for an accepted webhook. */
  readonly ingestBytes: number;
  /** Bytes that a worker prints for a batch: for its first record, and for each further one. */
  readonly workerBytes: { readonly first: number; readonly further: number };
  /** The custom metrics of webhooks that meet no trouble, each by namespace, dimensions and name. */
  readonly metrics: readonly string[];
  /** Bytes of a record with all that happens to a document. */
  readonly recordBytes: number;
};

const secret = 'secret-of-the-measurement';
const fullBatch = 10;
const credentials = { apiKeyId: 'id', apiKeySecret: 'secret' };

/** Runs the bundles of a cloud assembly on the embedded engines, sends a webhook of each event, and looks. */
export async function measure(assembly: string): Promise<Measured> {
  const asksArgyle = readTemplate(assembly)
    .ofType('AWS::Lambda::Function')
    .some((lambda) => environment.argyleCredentialsId in variablesOf(lambda));
  const fake = asksArgyle ? await startFakeArgyle({ port: 0, ...credentials }) : undefined;
  const lines: string[] = [];
  try {
    const pipeline = await startPipeline({
      assembly,
      ports: { gateway: 0, dynamodb: 0, sqs: 0 },
      webhookSecret: secret,
      ...(fake && { argyle: { ...fake, credentials } }),
      onLog: (_, line) => lines.push(line),
      onWarning: () => undefined,
    });
    try {
      const recordBytes = await liveThrough(pipeline, fake?.controlUrl);
      await workOnFullBatches(pipeline);
      return { ...(await averages(lines)), recordBytes };
    } finally {
      await pipeline.stop();
    }
  } finally {
    await fake?.stop();
  }
}

// Everything happens to one document. The removal would take away what Argyle's API said of it: so it comes last.
async function liveThrough(pipeline: Pipeline, controlUrl: string | undefined): Promise<number> {
  const upload = idFrom('the document that is measured');
  if (controlUrl) await createArgyleControl(controlUrl).uploadDocument({ userUpload: upload });
  let record: Record<string, unknown> = {};
  for (const [index, event] of [...eventTypes].sort(removalLast).entries()) {
    await postSigned(pipeline.webhookUrl, secret, sampleBody(event, upload));
    const next = await until(async () => {
      const { status: _, ...found } = await readRecord(pipeline, upload);
      const slots = Object.keys(found).filter((name) => name.endsWith('At') && name !== 'expiresAt').length;
      return slots > index ? found : undefined;
    });
    if (itemBytes(next) > itemBytes(record)) record = next;
  }
  return itemBytes(record);
}

// By its slot, as the domain tells a removal.
function removalLast(one: EventType, other: EventType): number {
  return Number(events[one].slot === removalSlot) - Number(events[other].slot === removalSlot);
}

async function readRecord(pipeline: Pipeline, upload: string): Promise<Record<string, unknown>> {
  const response = await fetch(new URL(`/console/uploads/${upload}`, pipeline.webhookUrl));
  return response.ok ? ((await response.json()) as Record<string, unknown>) : {};
}

async function workOnFullBatches({ template, functions }: Pipeline): Promise<void> {
  for (const lambda of template.ofType('AWS::Lambda::Function')) {
    const event = eventTypes.find((name) => name === variablesOf(lambda)[environment.eventType]);
    if (event) await functions.get(lambda.logicalId)?.invoke(batchOf(event, fullBatch));
  }
}

// One line of each event and kind: how many there are depends on how fast this machine is.
async function averages(lines: readonly string[]): Promise<Omit<Measured, 'recordBytes'>> {
  return until(async () => {
    const printed = lines.flatMap((line) => readPrinted(line) ?? []);
    const ofEachEvent = (isMeant: (line: Printed) => boolean) => {
      const byEvent = new Map(printed.filter(isMeant).map(({ event, bytes }) => [event, bytes]));
      return byEvent.size === eventTypes.length ? mean([...byEvent.values()]) : undefined;
    };
    const ingestBytes = ofEachEvent(({ records }) => records === undefined);
    const first = ofEachEvent(({ records }) => records === 1);
    const full = ofEachEvent(({ records }) => records === fullBatch);
    if (ingestBytes === undefined || first === undefined || full === undefined) return undefined;
    return {
      ingestBytes,
      workerBytes: { first, further: (full - first) / (fullBatch - 1) },
      metrics: [...new Set(printed.flatMap(({ metrics }) => metrics))].sort(),
    };
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

// The functions print and write a moment after they answered.
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (const endMs = Date.now() + 60_000; Date.now() < endMs; await setTimeout(20)) {
    const seen = await look();
    if (seen !== undefined) return seen;
  }
  throw new Error(
    'The functions did not print or store what they should within a minute: see what `npm start` prints.',
  );
}
