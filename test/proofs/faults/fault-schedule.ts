import { setTimeout as wait } from 'node:timers/promises';
import type { Failure } from '../../../tools/fake-argyle/faults.ts';
import type { AwsService } from '../../../tools/local/emulators.ts';
import { nameOf } from '../../../tools/local/lambda.ts';
import { resolve } from '../../../tools/local/template.ts';
import { oneOf } from '../../support/builders/seeded-random.ts';
import type { AwsCall, Disturbance } from '../../support/emulators/aws-proxy.ts';
import type { Disturb, WatchedPipeline } from '../../support/emulators/watched-pipeline.ts';
import type { Connected } from '../connected-pipeline.ts';

type Fault = {
  readonly disturb?: (call: AwsCall, random: () => number) => Disturbance | undefined;
  readonly kill?: 'workers' | 'ingest';
  /** What Argyle's API returns instead of a document. */
  readonly argyle?: Omit<Failure, 'path'>;
};

const throttled: Disturbance = { kind: 'refuse', statusCode: 400, errorType: 'ProvisionedThroughputExceededException' };
const internalError: Disturbance = { kind: 'refuse', statusCode: 500, errorType: 'InternalServerError' };

// Long delays exceed the clients' time-outs, so that a call takes effect although the client considers it failed.
const faults: Readonly<Record<string, Fault>> = {
  'SQS down': on('sqs', () => ({ kind: 'drop' })),
  'SQS slow': on('sqs', delay),
  'SQS stalls': on('sqs', stall),
  'DynamoDB throttles': on('dynamodb', (random) => (random() < 0.6 ? throttled : undefined)),
  'DynamoDB fails': on('dynamodb', () => internalError),
  'DynamoDB slow': on('dynamodb', delay),
  'DynamoDB stalls': on('dynamodb', stall),
  'Secrets Manager fails': on('secretsmanager', () => internalError),
  'workers killed': { kill: 'workers' },
  'ingest killed': { kill: 'ingest' },
  'Argyle throttles': { argyle: { status: 429, rate: 0.6 } },
  'Argyle throttles with Retry-After': { argyle: { status: 429, retryAfter: 1, rate: 0.6 } },
  'Argyle fails': { argyle: { status: 500 } },
  'Argyle disconnects': { argyle: { status: 'disconnect', rate: 0.6 } },
  // The document has changed or was removed by the time the answer arrives.
  'Argyle slow': { argyle: { slowMs: 3_000, isCarriedOut: true, rate: 0.5 } },
  // Longer than a worker's time-out of 10 s.
  'Argyle stalls': { argyle: { slowMs: 11_000, rate: 0.02 } },
  'Argyle returns no JSON': { argyle: { status: 200, body: '<html>maintenance</html>', rate: 0.6 } },
  'Argyle refuses the key': { argyle: { status: 401, rate: 0.6 } },
};

const names = Object.keys(faults) as [string, ...string[]];

/** Injects faults by a seeded schedule: `disturb` disturbs the functions' calls to AWS, `run` controls all the rest. */
export function createFaultSchedule(random: () => number) {
  let name: string | undefined;
  const counts = new Map<string, number>();
  const count = (what: string, times = 1) => counts.set(what, (counts.get(what) ?? 0) + times);
  const pause = () => wait(300 + Math.round(random() * 1_200));
  const disturb: Disturb = (call) => {
    const disturbance = name === undefined ? undefined : faults[name]?.disturb?.(call, random);
    if (disturbance) count(`${name} (calls)`);
    return disturbance;
  };
  /** Alternates between a fault and a time without faults, in which work gets done, until `signal` aborts. */
  const run = async ({ pipeline, argyle }: Connected, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      name = oneOf(names, random);
      const { kill, argyle: failure } = faults[name] ?? {};
      if (kill) count(`${name} (processes)`, killProcesses(pipeline, kill));
      if (failure) count(`${name} (times)`);
      await argyle.setFaults(failure ? { failures: [{ path: '/v2/user-uploads/', ...failure }] } : {});
      await pause();
      name = undefined;
      await argyle.clearFaults();
      if (!signal.aborted) await pause();
    }
  };
  return { disturb, run, counts };
}

function killProcesses({ functions, template, identities }: WatchedPipeline, target: 'workers' | 'ingest'): number {
  const references =
    target === 'workers'
      ? template.ofType('AWS::Lambda::EventSourceMapping').map(({ properties }) => properties.FunctionName)
      : template.ofType('AWS::ApiGatewayV2::Integration').map(({ properties }) => properties.IntegrationUri);
  const targets = references.map((reference) => functions.get(nameOf(resolve<string>(reference, identities))));
  const pids = targets.flatMap((lambda) => lambda?.pids() ?? []);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return pids.length;
}

function on(service: AwsService, disturb: (random: () => number) => Disturbance | undefined): Fault {
  return { disturb: (call, random) => (call.service === service ? disturb(random) : undefined) };
}

function delay(random: () => number): Disturbance {
  return { kind: 'delay', milliseconds: random() * 2_600 };
}

// The headers of the answer arrive, but its body never does: only the caller's deadline ends the call.
function stall(random: () => number): Disturbance | undefined {
  return random() < 0.05 ? { kind: 'stall' } : undefined;
}
