import type { Node } from 'constructs';

/** What a deployment can choose, from `cdk.json` or `-c key=value`. */
export type Config = {
  readonly stage: Stage;
  /** Who is told by mail when an alarm fires; nobody when absent. */
  readonly alarmEmail: string | undefined;
  /** How long the tombstone of a removed document is kept, counted from its removal. */
  readonly retentionDays: number;
};

/** `production` keeps data when the stack goes and refuses to delete the table. */
export type Stage = (typeof stages)[number];

/** A context value that is not allowed; its text is all that the user needs to see. */
export class ConfigError extends Error {}

const stages = ['sandbox', 'production'] as const;
// Messages up to 30 days old may still change a record: its tombstone has to outlive them.
const shortestRetentionDays = 31;
const longestRetentionDays = 3_650;

/** Reads and checks the context; throws a ConfigError that names the key, the value and what is allowed. */
export function readConfig(node: Node): Config {
  return {
    stage: readStage(node.tryGetContext('stage') ?? 'sandbox'),
    alarmEmail: readAlarmEmail(node.tryGetContext('alarmEmail')),
    retentionDays: readRetentionDays(node.tryGetContext('retentionDays') ?? 90),
  };
}

function readStage(value: unknown): Stage {
  const stage = stages.find((name) => name === value);
  if (!stage) throw refusal('stage', value, stages.map((name) => `'${name}'`).join(' or '));
  return stage;
}

function readAlarmEmail(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && /^[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+$/.test(value)) return value;
  throw refusal('alarmEmail', value, 'one mail address, or leave it out');
}

function readRetentionDays(value: unknown): number {
  const isNumeric = typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value));
  const days = isNumeric ? Number(value) : Number.NaN;
  if (Number.isInteger(days) && days >= shortestRetentionDays && days <= longestRetentionDays) return days;
  throw refusal(
    'retentionDays',
    value,
    `a whole number of days from ${shortestRetentionDays} to ${longestRetentionDays}`,
  );
}

function refusal(key: string, value: unknown, allowed: string): ConfigError {
  return new ConfigError(`The context value ${key}=${JSON.stringify(value)} is not allowed: use ${allowed}.`);
}
