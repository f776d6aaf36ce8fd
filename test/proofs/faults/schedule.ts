import type { Failure } from '../../../tools/fake-argyle/faults.ts';
import { oneOf } from '../../support/builders/seeded-random.ts';
import type { AwsCall, Disturbance } from '../../support/emulators/aws-proxy.ts';

/** What goes wrong for a while. */
export type Phase = { readonly name: PhaseName; readonly milliseconds: number };

type PhaseName = keyof typeof phases;
type Trouble = {
  readonly disturb?: (call: AwsCall, random: () => number) => Disturbance | undefined;
  readonly kill?: 'workers' | 'ingest';
  /** What Argyle's API answers instead when it is asked for a document. */
  readonly argyle?: Omit<Failure, 'path'>;
};

const throttled: Disturbance = { kind: 'refuse', statusCode: 400, errorType: 'ProvisionedThroughputExceededException' };
const internalError: Disturbance = { kind: 'refuse', statusCode: 500, errorType: 'InternalServerError' };

// Long delays pass the clients' time-outs, so that a call is both made and believed lost.
const phases = {
  calm: {},
  'SQS down': { disturb: ({ service }) => (service === 'sqs' ? { kind: 'drop' } : undefined) },
  'SQS slow': { disturb: ({ service }, random) => (service === 'sqs' ? delay(random() * 2_600) : undefined) },
  'SQS stalls': { disturb: ({ service }, random) => stall(service === 'sqs', random) },
  'DynamoDB throttles': {
    disturb: ({ service }, random) => (service === 'dynamodb' && random() < 0.6 ? throttled : undefined),
  },
  'DynamoDB fails': { disturb: ({ service }) => (service === 'dynamodb' ? internalError : undefined) },
  'DynamoDB slow': { disturb: ({ service }, random) => (service === 'dynamodb' ? delay(random() * 2_600) : undefined) },
  'DynamoDB stalls': { disturb: ({ service }, random) => stall(service === 'dynamodb', random) },
  'Secrets Manager fails': { disturb: ({ service }) => (service === 'secretsmanager' ? internalError : undefined) },
  'workers killed': { kill: 'workers' },
  'ingest restarted': { kill: 'ingest' },
  'Argyle throttles': { argyle: { status: 429, rate: 0.6 } },
  'Argyle throttles and says for how long': { argyle: { status: 429, retryAfter: 1, rate: 0.6 } },
  'Argyle fails': { argyle: { status: 500 } },
  'Argyle hangs up': { argyle: { status: 'disconnect', rate: 0.6 } },
  // What it answers is old by then: the document has changed or was removed meanwhile.
  'Argyle slow': { argyle: { slowMs: 3_000, isCarriedOut: true, rate: 0.5 } },
  // Beyond the 10 s after which a worker does not wait any more.
  'Argyle stalls': { argyle: { slowMs: 11_000, rate: 0.02 } },
  'Argyle answers no JSON': { argyle: { status: 200, body: '<html>maintenance</html>', rate: 0.6 } },
  'Argyle refuses the key': { argyle: { status: 401, rate: 0.6 } },
} as const satisfies Record<string, Trouble>;

const names = Object.keys(phases) as [PhaseName, ...PhaseName[]];

/** The next phase: every other one is calm, so that work gets done between troubles. */
export function nextPhase(previous: Phase | undefined, random: () => number): Phase {
  const isCalmNext = previous !== undefined && previous.name !== 'calm';
  const name = isCalmNext ? 'calm' : oneOf(names, random);
  return { name, milliseconds: 300 + Math.round(random() * 1_200) };
}

/** What a phase does to calls, or to the functions' processes when it begins. */
export function troubleOf({ name }: Phase): Trouble {
  return phases[name];
}

// An answer whose headers come and whose body never does: only a deadline of the caller's ends it.
function stall(isConcerned: boolean, random: () => number): Disturbance | undefined {
  return isConcerned && random() < 0.05 ? { kind: 'stall' } : undefined;
}

function delay(milliseconds: number): Disturbance {
  return { kind: 'delay', milliseconds };
}
