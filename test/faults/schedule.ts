import type { AwsCall, Disturbance } from '../support/aws-proxy.ts';
import { oneOf } from '../support/seeded-random.ts';

/** What goes wrong for a while. */
export type Phase = { readonly name: PhaseName; readonly milliseconds: number };

type PhaseName = keyof typeof phases;
type Trouble = {
  readonly disturb?: (call: AwsCall, random: () => number) => Disturbance | undefined;
  readonly kill?: 'workers' | 'ingest';
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
} as const satisfies Record<string, Trouble>;

const names = Object.keys(phases) as [PhaseName, ...PhaseName[]];

/** The next phase: every other one is calm, so that work gets done between troubles. */
export function nextPhase(previous: Phase | undefined, random: () => number): Phase {
  const isCalmNext = previous !== undefined && previous.name !== 'calm';
  const name = isCalmNext ? 'calm' : oneOf(names, random);
  return { name, milliseconds: 300 + Math.round(random() * 1_200) };
}

/** What a phase does to a call, or to the functions' processes when it begins. */
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
