import type { Node } from 'constructs';
import { maxHoursBetweenRuns } from '../functions/domain/reconciliation-times.ts';
import {
  ConfigError,
  configError,
  createReadSetting,
  readBoolean,
  readChoice,
  readText,
  readWholeNumber,
  type Setting,
} from './settings.ts';

/** The settings of a deployment, from `stages.<stage>` in `cdk.json` or `-c key=value`. */
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

const stages = ['sandbox', 'production'] as const;
const rollouts = ['canary', 'at-once'] as const;
// Messages up to 30 days old may still create a record, so tombstones must be kept longer.
const minRetentionDays = 31;
const maxRetentionDays = 3_650;
/** CloudWatch evaluates at most seven days (PutMetricAlarm, read 2026-11-24). */
const maxAlarmHours = 168;
/** Reconciliation is overdue when none was completed in the time in which this many should have been. */
export const overdueAfterRuns = 2;
/** The base URLs of Argyle's API. Each has its own API keys (Argyle's documentation, read 2026-11-24). */
export const argyleApiUrls = {
  sandbox: 'https://api-sandbox.argyle.com/v2',
  production: 'https://api.argyle.com/v2',
} as const;
const argyleKeys = ['argyleApiUrl', 'webhookName', 'rotationDays', 'reconciliationHours'] as const;
const keys = [
  'argyleCredentials',
  ...argyleKeys,
  'alarmEmail',
  'retentionDays',
  'silenceHours',
  'rollout',
  'publishChanges',
  'runbookUrl',
] as const;
// The value of `argyleCredentials` for a stack that does not call Argyle.
const noCredentials = 'none';

/** Reads and checks the context. Throws a ConfigError that names the key, the value and what is allowed. */
export function readConfig(node: Node): Config {
  const stage = readChoice({ name: 'stage', value: node.tryGetContext('stage') }, stages) ?? 'sandbox';
  const read = createReadSetting(node, stage, stages, keys);
  const retention = { min: minRetentionDays, max: maxRetentionDays, unit: 'days' };
  return {
    stage,
    rollout: readChoice(read('rollout'), rollouts) ?? (stage === 'production' ? 'canary' : 'at-once'),
    alarmEmail: readText(
      read('alarmEmail'),
      /^[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+$/,
      'one email address, or leave it out',
    ),
    retentionDays: readWholeNumber(read('retentionDays'), retention) ?? 90,
    // There is no default, because how often webhooks arrive depends on the customer's traffic.
    silenceHours: readWholeNumber(read('silenceHours'), { min: 1, max: maxAlarmHours, unit: 'hours' }),
    runbookUrl:
      readText(
        read('runbookUrl'),
        /^(https:\/\/[^\s#]{1,400}|docs\/runbook\.md)$/,
        'a URL with https and without #, or leave it out',
      ) ?? 'docs/runbook.md',
    publishChanges: readBoolean(read('publishChanges')) ?? false,
    argyle: readArgyle(read, stage),
  };
}

type ReadSetting = (key: (typeof keys)[number]) => Setting;

// With `none`, the other settings for Argyle are still allowed and checked, so that `-c argyleCredentials=none` works without
// removing them from cdk.json.
function readArgyle(read: ReadSetting, stage: Stage): ArgyleConfig | undefined {
  const credentials = readCredentials(read('argyleCredentials'));
  if (credentials === undefined) {
    refuseMissingCredentials(read, stage);
    return undefined;
  }
  const argyle = { credentials, ...readArgyleOptions(read, stage) };
  return credentials === noCredentials ? undefined : argyle;
}

// If a deployment of production took a missing key for `none`, it would delete the rotation and the reconciliation.
function refuseMissingCredentials(read: ReadSetting, stage: Stage): void {
  if (stage === 'production')
    throw new ConfigError(
      'Production does not synthesize until argyleCredentials is stated. In cdk.json, under context.stages.production, add ' +
        '"argyleCredentials": "NAME" with the name of the secret that contains Argyle\'s API key, or ' +
        '"argyleCredentials": "none" if this stack must not call Argyle.',
    );
  const unused = argyleKeys.map(read).find(({ value }) => value !== undefined);
  if (unused)
    throw new ConfigError(
      `The context value ${unused.name} has no effect without argyleCredentials: state both or neither.`,
    );
}

// Secrets Manager appends a hyphen and six characters to a name to form its ARN. If the name itself ends like that, Secrets Manager
// treats the ARN without the suffix as complete (API reference, CreateSecret and DescribeSecret, read 2026-11-28).
function readCredentials(setting: Setting): string | undefined {
  const partialArn = /^arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:(?!.*-[A-Za-z0-9]{6}$)([\w/+=.@-]{1,512})$/;
  const [, name] = partialArn.exec(String(setting.value)) ?? [];
  if (name)
    throw configError(
      setting,
      `the name of the secret, ${name}, or its complete ARN, which ends in a hyphen and six characters`,
    );
  // `None` is more likely a mistake than the name of a secret.
  const isNone = String(setting.value).toLowerCase() === noCredentials;
  return readText(
    setting,
    isNone ? /^none$/ : /^(arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:)?[\w/+=.@-]{1,512}$/,
    "the name or complete ARN of a secret in Secrets Manager, or 'none'",
  );
}

function readArgyleOptions(read: ReadSetting, stage: Stage): Omit<ArgyleConfig, 'credentials'> {
  const reconciliation = { min: 12, max: maxHoursBetweenRuns, unit: 'hours' };
  return {
    apiUrl:
      readText(
        read('argyleApiUrl'),
        /^(https:\/\/[\w.-]+|http:\/\/(127\.0\.0\.1|localhost))(:\d+)?(\/[\w-]+)*$/,
        'a URL with https and without a slash at its end, or leave it out',
      ) ?? argyleApiUrls[stage],
    webhookName:
      readText(
        read('webhookName'),
        /^(?! )[\w .:-]{1,100}(?<! )$/,
        '1 to 100 letters, digits, spaces or any of . : _ -, without a space at either end',
      ) ?? `argyle-uploads-${stage}`,
    rotationDays: readWholeNumber(read('rotationDays'), { min: 1, max: 1_000, unit: 'days' }) ?? 90,
    reconciliationHours: readWholeNumber(read('reconciliationHours'), reconciliation) ?? 24,
  };
}
