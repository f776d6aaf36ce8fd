import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { environment, eventQueueUrl } from '../../functions/aws/environment.ts';
import { eventTypes } from '../../functions/domain/events.ts';
import { eventsOf, measuredEvent, webhooksPerCall } from './events.ts';
import type { Endpoint } from './start-endpoint.ts';
import type { Role, Variant } from './variants.ts';

/** What one fresh process showed. Times count from the process's start. */
export type Start = {
  readonly readyMs: number;
  readonly readyCpuMs: number;
  readonly coldMs: number;
  readonly coldCpuMs: number;
  readonly warmCpuUs: number;
  /** After the first call, and after all. */
  readonly firstPeakMegabytes: number;
  readonly peakMegabytes: number;
};

/** Starts a variant once, in a fresh process of Node. */
export type StartOnce = (variant: Variant) => Promise<Start>;

// V8 takes about a thousand webhooks to compile what is used often: the first round only warms up.
const callsPerRound: Readonly<Record<Role, number>> = { ingest: 500, worker: 50 };
const rounds = 4;

/** How many webhooks a variant that serves on gets after its first call. */
export const webhooksServed = callsPerRound.ingest * rounds;

/** Gives the way to start variants; `probe` is the bundled probe.ts, `folder` takes the events. */
export function createStartOnce(folder: string, probe: string, endpoint: Endpoint): StartOnce {
  const files = { ingest: writeEvents(folder, 'ingest'), worker: writeEvents(folder, 'worker') };
  return async ({ role, folder: code, environment: variables, name, servesOn }) => {
    const env = {
      ...lambdaEnvironment(endpoint),
      ...variables,
      PROBE_CODE: code,
      PROBE_FIRST: files[role].first,
      PROBE_EVENTS: files[role].warm,
      PROBE_ROUNDS: String(servesOn ? rounds : 0),
    };
    const startedNs = process.hrtime.bigint();
    const { ready, first, warmCpuUs, firstPeakKilobytes, peakKilobytes } = await runProcess(
      `${name} (${role})`,
      probe,
      env,
    );
    const sinceStart = ({ atNs }: { readonly atNs: string }) => Number(BigInt(atNs) - startedNs) / 1e6;
    return {
      readyMs: sinceStart(ready),
      readyCpuMs: ready.cpuUs / 1_000,
      coldMs: sinceStart(first),
      coldCpuMs: first.cpuUs / 1_000,
      warmCpuUs: warmCpuUs / webhooksPerCall[role],
      firstPeakMegabytes: firstPeakKilobytes / 1_024,
      peakMegabytes: peakKilobytes / 1_024,
    };
  };
}

/** Runs a file of plain JavaScript in a fresh process of Node, and gives what it wrote, as JSON, to its descriptor 3. */
export async function runProcess(name: string, file: string, env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [file], {
    env,
    cwd: dirname(file),
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  const problem = text(child.stderr as Readable);
  const [said] = await Promise.all([text(child.stdio[3] as Readable), once(child, 'exit')]);
  if (!said) throw new Error(`${name} did not run: ${await problem}`);
  return JSON.parse(said);
}

function writeEvents(folder: string, role: Role): { readonly first: string; readonly warm: string } {
  const files = { first: join(folder, `${role}-first.json`), warm: join(folder, `${role}-warm.json`) };
  const { first, warm } = eventsOf(role, callsPerRound[role]);
  writeFileSync(files.first, JSON.stringify(first));
  writeFileSync(files.warm, JSON.stringify(warm));
  return files;
}

/** What a function of the stack has, ingest and worker in one; nothing of this machine. */
export function lambdaEnvironment({ url, authorityFile }: Endpoint): Record<string, string> {
  const queue = `${url}/000000000000/queue`;
  return {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_SESSION_TOKEN: 'bench',
    AWS_LAMBDA_FUNCTION_NAME: 'bench',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    NODE_EXTRA_CA_CERTS: authorityFile,
    AWS_ENDPOINT_URL_SQS: url,
    AWS_ENDPOINT_URL_DYNAMODB: url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
    [environment.metricsNamespace]: 'bench',
    [environment.serviceName]: 'bench',
    [environment.webhookSecretId]: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:bench',
    [environment.quarantineQueueUrl]: queue,
    [environment.eventType]: measuredEvent,
    [environment.queueUrl]: queue,
    [environment.tableName]: 'bench',
    [environment.retentionDays]: '90',
    ...Object.fromEntries(eventTypes.map((event) => [eventQueueUrl(event), queue])),
  };
}
