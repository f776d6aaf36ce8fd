import { setTimeout } from 'node:timers/promises';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { confirm } from './confirm.ts';
import type { Report } from './report.ts';
import { type Target, UsageError } from './target.ts';

type Stages = Readonly<Record<string, readonly string[]>>;

/** The secret that a delivery may be signed with now. */
export async function readWebhookSecret(target: Target): Promise<string> {
  const command = new GetSecretValueCommand({ SecretId: target.webhookSecretArn });
  const { SecretString } = await clientOf(target).send(command);
  if (!SecretString) throw new UsageError('The webhook secret has no current value: put one with Secrets Manager.');
  return SecretString;
}

/**
 * Rotates the webhook secret and waits for the end, a few minutes. With `revoke` the previous secret is then dropped: what
 * is signed with it is refused within a minute, instead of after 24 hours.
 */
export async function rotate(
  target: Target,
  { isSure, revoke }: { readonly isSure: boolean; readonly revoke: boolean },
  report: Report,
): Promise<void> {
  const client = clientOf(target);
  const what =
    'The webhook secret is replaced, here and at Argyle, without a gap. It takes about three minutes.' +
    (revoke ? ' Then the old one is dropped: what Argyle signed with it and has still to send is refused.' : '');
  if (!(await confirm(what, isSure))) return report.result({ rotated: false }, 'Nothing was changed.');
  const { VersionId = '' } = await startRotation(client, target);
  while (!isCurrent(await readStages(client, target), VersionId)) {
    report.remark('waiting until every function knows the new secret and Argyle signs with it …');
    await setTimeout(10_000);
  }
  const dropped = revoke && (await dropPrevious(client, target));
  report.result(
    { rotated: true, version: VersionId, dropped },
    `Rotated.${dropped ? ' The old secret is dropped.' : ''}`,
  );
}

async function startRotation(
  client: SecretsManagerClient,
  target: Target,
): Promise<{ VersionId?: string | undefined }> {
  try {
    return await client.send(new RotateSecretCommand({ SecretId: target.webhookSecretArn }));
  } catch (error) {
    if ((error as Error).name !== 'InvalidRequestException') throw error;
    throw new UsageError(`The secret cannot be rotated now: ${(error as Error).message}`);
  }
}

async function dropPrevious(client: SecretsManagerClient, target: Target): Promise<boolean> {
  const stages = await readStages(client, target);
  const [previous] = Object.keys(stages).filter((id) => stages[id]?.includes('AWSPREVIOUS'));
  if (!previous) return false;
  const VersionStage = 'AWSPREVIOUS';
  const SecretId = target.webhookSecretArn;
  await client.send(new UpdateSecretVersionStageCommand({ SecretId, VersionStage, RemoveFromVersionId: previous }));
  return true;
}

function isCurrent(stages: Stages, versionId: string): boolean {
  const own = stages[versionId] ?? [];
  return own.includes('AWSCURRENT') && !own.includes('AWSPENDING');
}

async function readStages(client: SecretsManagerClient, target: Target): Promise<Stages> {
  const command = new DescribeSecretCommand({ SecretId: target.webhookSecretArn });
  return (await client.send(command)).VersionIdsToStages ?? {};
}

function clientOf(target: Target): SecretsManagerClient {
  return new SecretsManagerClient(target.clientOptions('SECRETS_MANAGER'));
}
