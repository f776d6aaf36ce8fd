import {
  DescribeContinuousBackupsCommand,
  DescribeTimeToLiveCommand,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import type { DeployedStack } from './deployed-stack.ts';
import type { Patch } from './template-patches.ts';

/** Something that MiniStack does differently from AWS, and the work-around for it. */
type Workaround = {
  readonly name: string;
  /** The version and date of the observation. */
  readonly seen: string;
  readonly wrong: string;
  /** Changes the deployed template to one that means the same on AWS. */
  readonly patch?: Patch;
  /** Does what a deployment left out, so that the checks find what they would find on AWS. */
  readonly repair?: (created: DeployedStack) => Promise<unknown>;
  /** Whether MiniStack is still wrong, judged by a stack that was created without work-arounds. */
  readonly isNeeded: (untouched: DeployedStack) => Promise<boolean>;
};

const seen = 'MiniStack 1.5.33, 2026-11-24';
const single = 'sqs:ChangeMessageVisibility';
const batch = 'sqs:ChangeMessageVisibilityBatch';

const secretRef: Workaround = {
  name: 'secret-ref',
  seen,
  wrong: "Ref of a secret returns its name, not its ARN: ingest's role would allow nothing.",
  // GetAtt Id returns the ARN on AWS too.
  patch: (template) => {
    const isSecret = (id: string) => template.Resources[id]?.Type === 'AWS::SecretsManager::Secret';
    return replaceValues(template, (value) =>
      isSecret(Object(value).Ref) ? { 'Fn::GetAtt': [Object(value).Ref, 'Id'] } : value,
    );
  },
  isNeeded: async ({ outputs }) => !outputs.WebhookSecretArn?.startsWith('arn:'),
};

// No check depends on it.
const secretPunctuation: Workaround = {
  name: 'secret-punctuation',
  seen,
  wrong: 'ExcludePunctuation of a generated secret is ignored.',
  isNeeded: async ({ webhookSecret }) => /[^A-Za-z0-9]/.test(webhookSecret),
};

// On AWS a permission for the single action also allows the batch action (API reference of SQS, AddPermission, read 2026-11-24).
const batchPermission: Workaround = {
  name: 'sqs-batch-rights',
  seen,
  wrong: `${single} does not allow the batch version: workers could not postpone failed messages.`,
  patch: (template) =>
    replaceValues(template, (value) => (Array.isArray(value) && value.includes(single) ? [...value, batch] : value)),
  // Only an outage of DynamoDB makes a worker postpone a message, and the emulator has none: nothing here notices when MiniStack is
  // correct.
  isNeeded: async () => true,
};

const timeToLive: Workaround = {
  name: 'table-time-to-live',
  seen: `${seen}; 1.4.21 as well`,
  wrong: 'TimeToLiveSpecification of a table is dropped.',
  isNeeded: async ({ dynamodb, tableName: TableName }) => {
    const { TimeToLiveDescription } = await dynamodb.send(new DescribeTimeToLiveCommand({ TableName }));
    return TimeToLiveDescription?.TimeToLiveStatus !== 'ENABLED';
  },
  repair: ({ dynamodb, tableName: TableName, table }) => {
    const { TimeToLiveSpecification } = table.properties;
    return dynamodb.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
  },
};

const pointInTimeRecovery: Workaround = {
  name: 'table-point-in-time-recovery',
  seen,
  wrong: 'PointInTimeRecoverySpecification of a table is dropped.',
  isNeeded: async ({ dynamodb, tableName: TableName }) => {
    const { ContinuousBackupsDescription } = await dynamodb.send(new DescribeContinuousBackupsCommand({ TableName }));
    return ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus !== 'ENABLED';
  },
  repair: ({ dynamodb, tableName: TableName, table }) => {
    const { PointInTimeRecoverySpecification } = table.properties;
    return dynamodb.send(new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification }));
  },
};

/** All known work-arounds. The proof fails once one of them is no longer needed. */
export const workarounds = [secretRef, secretPunctuation, batchPermission, timeToLive, pointInTimeRecovery];

/** Every change that a work-around makes to a template. */
export const patches: readonly Patch[] = workarounds.flatMap(({ patch }) => patch ?? []);

/** Repairs a stack that was just created, and returns it. */
export async function repairStack(created: DeployedStack): Promise<DeployedStack> {
  for (const { repair } of workarounds) await repair?.(created);
  return created;
}

/** Returns the names of the work-arounds that MiniStack no longer needs. */
export async function unneededWorkarounds(untouched: DeployedStack): Promise<readonly string[]> {
  const needed = await Promise.all(workarounds.map(({ isNeeded }) => isNeeded(untouched)));
  return workarounds.filter((_, index) => !needed[index]).map(({ name }) => name);
}

function replaceValues(template: Parameters<Patch>[0], replace: (value: unknown) => unknown): ReturnType<Patch> {
  return JSON.parse(JSON.stringify(template), (_, value) => replace(value));
}
