import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { events, eventTypes } from '../../functions/domain/events.ts';
import { webhookBody, webhookHeaders } from '../fake-argyle/webhook-request.ts';
import { pathOf } from './bundle.ts';
import { cpuOfThreads, type ThreadCpu } from './thread-cpu.ts';
import { webhookSecret } from './webhook-secret.ts';

/** What one run of the local pipeline showed. */
export type PipelineRun = {
  readonly deliveries: number;
  readonly answeredPerSecond: number;
  /** From the first request until all records were right. */
  readonly appliedPerSecond: number;
  readonly refused: number;
  readonly wrongRecords: number;
  /** CPU seconds by part of the pipeline. */
  readonly cpu: readonly ThreadCpu[];
};

const uploadCount = 100;
const connections = 16;
const repeats = 2;

/**
 * Runs `npm start` as it is, sends it 1,000 signed webhooks of 100 documents over 16 connections (each event of each document twice, all
 * mixed), and waits until the records are right and the queues are empty.
 */
export async function runPipeline(port: number): Promise<PipelineRun> {
  const pipeline = await startLocal(port);
  try {
    const url = `http://127.0.0.1:${port}`;
    await sendAll(url, bodiesOf(Array.from({ length: 20 }, () => randomUUID())));
    await settled(url);
    const uploads = Array.from({ length: uploadCount }, () => randomUUID());
    const bodies = bodiesOf(uploads);
    const before = cpuOfThreads(pipeline.pid ?? 0);
    const startedMs = performance.now();
    const refused = await sendAll(url, bodies);
    const answeredMs = performance.now() - startedMs;
    const records = await settled(url);
    const appliedMs = performance.now() - startedMs;
    const cpu = cpuOfThreads(pipeline.pid ?? 0, before);
    return {
      deliveries: bodies.length,
      answeredPerSecond: (bodies.length * 1_000) / answeredMs,
      appliedPerSecond: (bodies.length * 1_000) / appliedMs,
      refused,
      wrongRecords: uploads.filter((upload) => !isRight(records.get(upload))).length,
      cpu,
    };
  } finally {
    pipeline.kill('SIGTERM');
    await once(pipeline, 'exit');
  }
}

async function startLocal(port: number): Promise<ChildProcess> {
  const ports = { PORT: String(port), DYNAMODB_PORT: String(port + 1), SQS_PORT: String(port + 2) };
  const env = { ...process.env, ...ports, WEBHOOK_SECRET: webhookSecret };
  const child = spawn(process.execPath, [pathOf('../local/start.ts')], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const line of createInterface({ input: child.stdout })) if (line.startsWith('ready ')) return child;
  throw new Error('npm start did not start: run it by itself to see why.');
}

// Each upload's events in an order of its own, the repeats among them.
function bodiesOf(uploads: readonly string[]): readonly string[] {
  const ids = uploads.map((userUpload) => ({ userUpload, account: randomUUID(), user: randomUUID() }));
  const bodies = ids.flatMap((upload) => eventTypes.map((event) => webhookBody(event, 'bench', upload)));
  return Array.from({ length: repeats }, () => bodies)
    .flat()
    .map((body) => ({ body, lot: Math.random() }))
    .sort((a, b) => a.lot - b.lot)
    .map(({ body }) => body);
}

async function sendAll(url: string, bodies: readonly string[]): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const codes = await Promise.all(bodies.map((body) => post(`${url}/webhooks/argyle`, agent, body)));
  agent.destroy();
  return codes.filter((code) => code !== 200).length;
}

function post(url: string, agent: Agent, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = webhookHeaders(body, webhookSecret);
    request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    })
      .once('error', reject)
      .end(body);
  });
}

type State = {
  readonly uploads: readonly (Readonly<Record<string, unknown>> & { readonly userUpload: string })[];
  readonly queues: readonly { readonly event: string; readonly visible: number; readonly inFlight: number }[];
};

async function settled(url: string): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>> {
  for (;;) {
    const { uploads, queues } = (await (await fetch(`${url}/console/state`)).json()) as State;
    if (queues.every(({ visible, inFlight }) => visible + inFlight === 0))
      return new Map(uploads.map((record) => [record.userUpload, record]));
    await wait(50);
  }
}

function isRight(record: Readonly<Record<string, unknown>> | undefined): boolean {
  return eventTypes.every((event) => typeof record?.[events[event].slot] === 'string');
}
