import type { Node } from 'constructs';

/** The settings of a deployment, from `cdk.json` or `-c key=value`. */
export type Config = {
  readonly stage: Stage;
  readonly rollout: Rollout;
  /** The address that alarms send email to. @default none */
  readonly alarmEmail: string | undefined;
  /** The number of days for which a tombstone is kept, counted from the removal of its document. */
  readonly retentionDays: number;
  /** An alarm fires after this many hours without a webhook. @default never */
  readonly silenceHours: number | undefined;
  /** Where operators can read docs/runbook.md. Alarms link to its sections. */
  readonly runbookUrl: string;
  /** Whether record changes are published on an event bus. */
  readonly publishChanges: boolean;
  /** Settings for the calls to Argyle's API. @default the stack does not call Argyle */
  readonly argyle: ArgyleConfig | undefined;
};

/** Settings that need an Argyle API key: enrichment, subscription, rotation and reconciliation. */
export type ArgyleConfig = {
  /** The name or full ARN of the secret `{"apiKeyId": "…", "apiKeySecret": "…"}`. */
  readonly credentials: string;
  /** The base URL of Argyle's API. @default by stage; set another URL only to try the stack against a fake Argyle */
  readonly apiUrl: string;
  /** The name of the subscription. Argyle's console and each webhook show it. */
  readonly webhookName: string;
  /** Days between two rotations of the webhook secret. */
  readonly rotationDays: number;
  /** Hours between two comparisons of the records with Argyle's list. */
  readonly reconciliationHours: number;
};

/** `production` retains its data when the stack is deleted, and its table cannot be deleted. */
export type Stage = (typeof stages)[number];

/** `canary` rolls a release back if its alarms fire, and does not start while they fire. `at-once` ignores alarms. */
export type Rollout = (typeof rollouts)[number];

/** Thrown for a context value that is not allowed. Its message is a complete sentence for the user. */
export class ConfigError extends Error {}

const stages = ['sandbox', 'production'] as const;
const rollouts = ['canary', 'at-once'] as const;
// Messages up to 30 days old may still create a record, so tombstones must be kept longer.
const minRetentionDays = 31;
const maxRetentionDays = 3_650;
// CloudWatch evaluates at most seven days (PutMetricAlarm, read 2026-11-24).
const maxSilenceHours = 168;
/** The base URLs of Argyle's API. Each has its own API keys (Argyle's documentation, read 2026-11-24). */
export const argyleApiUrls = {
  sandbox: 'https://api-sandbox.argyle.com/v2',
  production: 'https://api.argyle.com/v2',
} as const;
const argyleKeys = ['argyleApiUrl', 'webhookName', 'rotationDays', 'reconciliationHours'] as const;

/** Reads and checks the context. Throws a ConfigError that names the key, the value and what is allowed. */
export function readConfig(node: Node): Config {
  const read: ReadContext = (key) => node.tryGetContext(key);
  const stage = readChoice('stage', read('stage') ?? 'sandbox', stages);
  const defaultRollout = stage === 'production' ? 'canary' : 'at-once';
  const alarmEmail = read('alarmEmail');
  const silenceHours = read('silenceHours');
  return {
    stage,
    rollout: readChoice('rollout', read('rollout') ?? defaultRollout, rollouts),
    alarmEmail: alarmEmail === undefined ? undefined : readAlarmEmail(alarmEmail),
    retentionDays: readWholeNumber('retentionDays', read('retentionDays') ?? 90, {
      min: minRetentionDays,
      max: maxRetentionDays,
      unit: 'days',
    }),
    // There is no default, because how often webhooks arrive depends on the customer's traffic.
    silenceHours:
      silenceHours === undefined
        ? undefined
        : readWholeNumber('silenceHours', silenceHours, { min: 1, max: maxSilenceHours, unit: 'hours' }),
    runbookUrl: readText(
      'runbookUrl',
      read('runbookUrl') ?? 'docs/runbook.md',
      /^(https:\/\/[^\s#]{1,400}|docs\/runbook\.md)$/,
      'a URL with https and without #, or leave it out',
    ),
    publishChanges: readBoolean('publishChanges', read('publishChanges') ?? false),
    argyle: readArgyle(read, stage),
  };
}

type ReadContext = (key: string) => unknown;

function readArgyle(read: ReadContext, stage: Stage): ArgyleConfig | undefined {
  const credentials = read('argyleCredentials');
  if (credentials === undefined) {
    const unused = argyleKeys.find((key) => read(key) !== undefined);
    if (!unused) return undefined;
    throw new ConfigError(`The context value ${unused} has no effect without argyleCredentials: set both or none.`);
  }
  return {
    credentials: readText(
      'argyleCredentials',
      credentials,
      /^(arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:)?[\w/+=.@-]{1,512}$/,
      'the name or ARN of a secret in Secrets Manager',
    ),
    apiUrl: readText(
      'argyleApiUrl',
      read('argyleApiUrl') ?? argyleApiUrls[stage],
      /^(https:\/\/[\w.-]+|http:\/\/(127\.0\.0\.1|localhost))(:\d+)?(\/[\w-]+)*$/,
      'a URL with https and without a slash at its end, or leave it out',
    ),
    webhookName: readText(
      'webhookName',
      read('webhookName') ?? `argyle-uploads-${stage}`,
      /^(?! )[\w .:-]{1,100}(?<! )$/,
      '1 to 100 letters, digits, spaces or any of . : _ -, without a space at either end',
    ),
    rotationDays: readWholeNumber('rotationDays', read('rotationDays') ?? 90, { min: 1, max: 1_000, unit: 'days' }),
    reconciliationHours: readWholeNumber('reconciliationHours', read('reconciliationHours') ?? 24, {
      min: 12,
      max: 720,
      unit: 'hours',
    }),
  };
}

function readAlarmEmail(value: unknown): string {
  return readText('alarmEmail', value, /^[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+$/, 'one email address, or leave it out');
}

function readText(key: string, value: unknown, pattern: RegExp, allowed: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw configError(key, value, allowed);
}

function readChoice<Choice extends string>(key: string, value: unknown, choices: readonly Choice[]): Choice {
  const choice = choices.find((name) => name === value);
  if (!choice) throw configError(key, value, choices.map((name) => `'${name}'`).join(' or '));
  return choice;
}

// On the command line every value is a string.
function readBoolean(key: string, value: unknown): boolean {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw configError(key, value, 'true or false');
}

type Limits = { readonly min: number; readonly max: number; readonly unit: string };

function readWholeNumber(key: string, value: unknown, { min, max, unit }: Limits): number {
  const isNumeric = typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value));
  const number = isNumeric ? Number(value) : Number.NaN;
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw configError(key, value, `a whole number of ${unit} from ${min} to ${max}`);
}

function configError(key: string, value: unknown, allowed: string): ConfigError {
  return new ConfigError(`The context value ${key}=${JSON.stringify(value)} is not allowed: use ${allowed}.`);
}
