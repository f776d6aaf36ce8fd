import { setTimeout as wait } from 'node:timers/promises';
import { environment } from '../../../functions/aws/environment.ts';
import type { Failure, Faults } from '../../../tools/fake-argyle/faults.ts';
import type { AwsService } from '../../../tools/local/emulators.ts';
import { nameOf, type StartEnvironment } from '../../../tools/local/lambda.ts';
import { resolve } from '../../../tools/local/template.ts';
import { oneOf } from '../../support/builders/seeded-random.ts';
import type { AwsCall, Disturbance } from '../../support/emulators/aws-proxy.ts';
import { chosenEnvironment } from '../../support/emulators/runtime-client.ts';
import type { Disturb, WatchedPipeline } from '../../support/emulators/watched-pipeline.ts';
import type { Connected } from '../connected-pipeline.ts';

type Fault = {
  readonly disturb?: (call: AwsCall, random: () => number) => Disturbance | undefined;
  readonly kill?: 'workers' | 'ingest';
  /** Whether Lambda refuses to invoke the workers. */
  readonly throttlesWorkers?: boolean;
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
  'Secrets Manager slow': on('secretsmanager', delay),
  'Secrets Manager does not answer': on('secretsmanager', () => ({ kind: 'stall' })),
  'workers killed': { kill: 'workers' },
  'ingest killed': { kill: 'ingest' },
  'workers throttled': { throttlesWorkers: true },
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

const documents = '/v2/user-uploads/';

/** Faults of a fake Argyle that sends no webhooks, because the proof sends them. It keeps its subscription. */
export const noDeliveries: Faults = { dropDeliveries: 1 };

const names = Object.keys(faults) as [string, ...string[]];

/**
 * Injects faults by a seeded schedule: `disturb` disturbs the functions' calls to AWS, `startEnvironment` throttles functions,
 * and `run` controls all the rest.
 */
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
  const startEnvironment: StartEnvironment = async (config) => {
    const started = await chosenEnvironment()(config);
    const isWorker = config.environment[environment.eventType] !== undefined;
    const invoke: typeof started.invoke = async (...given) => {
      if (!isWorker || !name || !faults[name]?.throttlesWorkers) return started.invoke(...given);
      count(`${name} (batches)`);
      throw new Error('Rate Exceeded.');
    };
    return { ...started, invoke };
  };
  /** Alternates between a fault and a time without faults, in which work gets done, until `signal` aborts. */
  const run = async ({ pipeline, argyle }: Connected, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      name = oneOf(names, random);
      const { kill, argyle: failure } = faults[name] ?? {};
      if (kill) count(`${name} (processes)`, killProcesses(pipeline, kill));
      if (failure) count(`${name} (times)`);
      await argyle.setFaults({ ...noDeliveries, ...(failure && { failures: [{ path: documents, ...failure }] }) });
      await pause();
      name = undefined;
      await argyle.setFaults(noDeliveries);
      if (!signal.aborted) await pause();
    }
  };
  return { disturb, startEnvironment, run, counts };
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
