import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { environment, eventQueueUrl } from '../../functions/aws/environment.ts';
import { eventTypes } from '../../functions/domain/events.ts';
import { sample, sampleBody, signedRequest, sqsRecord } from '../../test/support/builders/builders.ts';
import type { Endpoint } from './aws-endpoint.ts';
import type { Role, Variant } from './variants.ts';

type Figure = 'readyMs' | 'readyCpuMs' | 'coldMs' | 'coldCpuMs' | 'warmCpuUs' | 'firstPeakKilobytes' | 'peakKilobytes';

/** The figures of one fresh process. Times count from its start; `cold` includes the first call. */
export type Start = Readonly<Record<Figure, number>>;

export type Measured = Start & { readonly variant: Variant };

const webhooksPerCall: Readonly<Record<Role, number>> = { ingest: 1, worker: 10 };
// V8 takes about a thousand webhooks to compile frequent code: the first round only warms up.
const webhooksPerRound = 500;
const rounds = 4;

/** The number of webhooks that each process handles after its first call. */
export const webhooksServed = webhooksPerRound * rounds;

/** Starts each variant `count` times and returns medians. Variants take turns, so that other work affects all of them equally. */
export async function measureStarts(
  variants: readonly Variant[],
  count: number,
  start: (variant: Variant) => Promise<Start>,
): Promise<readonly Measured[]> {
  const starts = new Map<Variant, Start[]>(variants.map((variant) => [variant, []]));
  for (let round = 1; round <= count; round += 1) {
    for (const variant of shuffled(variants)) starts.get(variant)?.push(await start(variant));
    console.error(`round ${round} of ${count}`);
  }
  return [...starts].map(([variant, seen]) => ({ variant, ...mediansOf(seen) }));
}

/** Returns the middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/** Creates the function that starts a variant once. `probe` is the bundled probe.ts; `folder` receives the events. */
export function createStart(folder: string, probe: string, endpoint: Endpoint): (variant: Variant) => Promise<Start> {
  const variables = lambdaVariables(endpoint);
  const files = { ingest: writeEvents(folder, 'ingest'), worker: writeEvents(folder, 'worker') };
  return async ({ name, role, folder: code }) => {
    const env = { ...variables, PROBE_CODE: code, PROBE_EVENTS: files[role], PROBE_ROUNDS: String(rounds) };
    const startedNs = process.hrtime.bigint();
    const child = spawn(process.execPath, [probe], { env, cwd: folder, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
    const problem = text(child.stderr as Readable);
    const [result] = await Promise.all([text(child.stdio[3] as Readable), once(child, 'exit')]);
    if (!result) throw new Error(`${name} (${role}) failed: ${await problem}`);
    const { readyAtNs, coldAtNs, warmCpuUs, ...figures } = JSON.parse(result);
    const sinceStart = (atNs: string) => Number(BigInt(atNs) - startedNs) / 1e6;
    const perWebhook = { warmCpuUs: warmCpuUs / webhooksPerCall[role] };
    return { readyMs: sinceStart(readyAtNs), coldMs: sinceStart(coldAtNs), ...perWebhook, ...figures };
  };
}

// Writes the event of the first call, and those of each round. Returns the common part of their files' names.
function writeEvents(folder: string, role: Role): string {
  const path = join(folder, role);
  const length = webhooksPerRound / webhooksPerCall[role];
  const warm = Array.from({ length }, () => newEvent(role, webhooksPerCall[role]));
  writeFileSync(`${path}-first.json`, JSON.stringify(newEvent(role, 1)));
  writeFileSync(`${path}-warm.json`, JSON.stringify(warm));
  return path;
}

// A request for ingest, or a batch for a worker. Each webhook has a new document.
function newEvent(role: Role, webhooks: number): object {
  const newBody = () => sampleBody({ userUpload: randomUUID() });
  const newRecord = () => sqsRecord(newBody(), { messageId: randomUUID() });
  if (role === 'ingest') return signedRequest(newBody(), { timeEpoch: Date.now() });
  return { Records: Array.from({ length: webhooks }, newRecord) };
}

// The variables of ingest and a worker together. Names of queues, of the table and of secrets are the URL of the endpoint.
function lambdaVariables({ url, authorityFile }: Endpoint): Readonly<Record<string, string>> {
  const { argyleCredentialsId: _, ...variables } = environment;
  const names = [...Object.values(variables), ...eventTypes.map(eventQueueUrl)];
  return {
    ...Object.fromEntries(names.map((name) => [name, url])),
    ...{ [environment.eventType]: sample.event, [environment.retentionDays]: '90' },
    ...{
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'bench',
      AWS_SECRET_ACCESS_KEY: 'bench',
      AWS_SESSION_TOKEN: 'bench',
    },
    ...{ AWS_LAMBDA_FUNCTION_NAME: 'bench', AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512', AWS_LAMBDA_FUNCTION_VERSION: '1' },
    ...{ AWS_ENDPOINT_URL: url, NODE_EXTRA_CA_CERTS: authorityFile },
    // Lambda's runtime has the AWS SDK, which NodejsFunction does not bundle by default.
    NODE_PATH: fileURLToPath(new URL('../../node_modules', import.meta.url)),
  };
}

function mediansOf(starts: readonly Start[]): Start {
  const figures = Object.keys(starts[0] ?? {}) as Figure[];
  return Object.fromEntries(figures.map((figure) => [figure, median(starts.map((start) => start[figure]))])) as Start;
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  const sortKeys = new Map(items.map((item) => [item, Math.random()]));
  return items.toSorted((one, other) => (sortKeys.get(one) ?? 0) - (sortKeys.get(other) ?? 0));
}
