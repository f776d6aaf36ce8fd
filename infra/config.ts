import type { Node } from 'constructs';
import { ConfigError, readChoice, readSwitch, readText, readWholeNumber, refusal } from './context-value.ts';

/** What a deployment can choose, from `cdk.json` or `-c key=value`. */
export type Config = {
  readonly stage: Stage;
  /** How ingest and workers are given to callers: a tenth first, watched by alarms, or all at once. */
  readonly rollout: Rollout;
  /** Who is told by mail when an alarm fires; nobody when absent. */
  readonly alarmEmail: string | undefined;
  /** How long the tombstone of a removed document is kept, counted from its removal. */
  readonly retentionDays: number;
  /** How long no webhook may come before an alarm fires; never when absent. */
  readonly silenceHours: number | undefined;
  /** Where people read docs/runbook.md: alarms link its sections. */
  readonly runbookUrl: string;
  /** Whether changes of records are published on an event bus. */
  readonly publishChanges: boolean;
  /** What the stack does at Argyle by itself; nothing without credentials. */
  readonly argyle: ArgyleConfig | undefined;
};

/** How the stack looks after its relationship with Argyle. */
export type ArgyleConfig = {
  /** The name or full ARN of the secret `{"apiKeyId": "…", "apiKeySecret": "…"}`. */
  readonly credentials: string;
  /** The base URL of Argyle's API, by stage; another one only to try the stack against a stand-in. */
  readonly apiUrl: string;
  /** The name of the subscription, shown in Argyle's console and in each webhook. */
  readonly webhookName: string;
  /** How often the webhook secret is rotated. */
  readonly rotationDays: number;
  /** How often the records are compared with Argyle's list. */
  readonly reconciliationHours: number;
};

/** `production` keeps data when the stack goes and refuses to delete the table. */
export type Stage = (typeof stages)[number];

/** `canary` takes a bad release back by itself, and is refused while its alarms fire; `at-once` asks no alarm. */
export type Rollout = (typeof rollouts)[number];

const stages = ['sandbox', 'production'] as const;
const rollouts = ['canary', 'at-once'] as const;
// Messages up to 30 days old may still change a record: its tombstone has to outlive them.
const shortestRetentionDays = 31;
const longestRetentionDays = 3_650;
// CloudWatch looks back seven days at most (PutMetricAlarm, read 2026-11-24).
const longestSilenceHours = 168;
/** The base URLs of Argyle's API. Keys differ between the two (Argyle's documentation, read 2026-11-24). */
export const argyleApiUrls = {
  sandbox: 'https://api-sandbox.argyle.com/v2',
  production: 'https://api.argyle.com/v2',
} as const;
const argyleKeys = ['argyleApiUrl', 'webhookName', 'rotationDays', 'reconciliationHours'] as const;

/** Reads and checks the context; throws a ConfigError that names the key, the value and what is allowed. */
export function readConfig(node: Node): Config {
  const stage = readChoice('stage', node.tryGetContext('stage') ?? 'sandbox', stages);
  return {
    stage,
    rollout: readChoice(
      'rollout',
      node.tryGetContext('rollout') ?? (stage === 'production' ? 'canary' : 'at-once'),
      rollouts,
    ),
    alarmEmail: readAlarmEmail(node.tryGetContext('alarmEmail')),
    retentionDays: readWholeNumber(node, 'retentionDays', 90, {
      shortest: shortestRetentionDays,
      longest: longestRetentionDays,
      unit: 'days',
    }),
    silenceHours: readSilenceHours(node),
    runbookUrl: readText(
      'runbookUrl',
      node.tryGetContext('runbookUrl') ?? 'docs/runbook.md',
      /^(https:\/\/[^\s#]{1,400}|docs\/runbook\.md)$/,
      'a URL with https and without #, or leave it out',
    ),
    publishChanges: readSwitch('publishChanges', node.tryGetContext('publishChanges') ?? false),
    argyle: readArgyle(node, stage),
  };
}

function readArgyle(node: Node, stage: Stage): ArgyleConfig | undefined {
  const credentials = node.tryGetContext('argyleCredentials');
  if (credentials === undefined) {
    const idle = argyleKeys.find((key) => node.tryGetContext(key) !== undefined);
    if (idle)
      throw new ConfigError(`The context value ${idle} has no effect without argyleCredentials: set both or none.`);
    return undefined;
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
      node.tryGetContext('argyleApiUrl') ?? argyleApiUrls[stage],
      /^(https:\/\/[\w.-]+|http:\/\/(127\.0\.0\.1|localhost))(:\d+)?(\/[\w-]+)*$/,
      'a URL with https and without a slash at its end, or leave it out',
    ),
    webhookName: readText(
      'webhookName',
      node.tryGetContext('webhookName') ?? `argyle-uploads-${stage}`,
      /^[\w .:-]{1,100}$/,
      '1 to 100 letters, digits, spaces or any of . : _ -',
    ),
    rotationDays: readWholeNumber(node, 'rotationDays', 90, { shortest: 1, longest: 1_000, unit: 'days' }),
    reconciliationHours: readWholeNumber(node, 'reconciliationHours', 24, {
      shortest: 12,
      longest: 720,
      unit: 'hours',
    }),
  };
}

function readAlarmEmail(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && /^[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+$/.test(value)) return value;
  throw refusal('alarmEmail', value, 'one mail address, or leave it out');
}

// How often webhooks come is the customer's own business: there is no number that fits all.
function readSilenceHours(node: Node): number | undefined {
  if (node.tryGetContext('silenceHours') === undefined) return undefined;
  return readWholeNumber(node, 'silenceHours', longestSilenceHours, {
    shortest: 1,
    longest: longestSilenceHours,
    unit: 'hours',
  });
}
