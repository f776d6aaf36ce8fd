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
import { followFailures } from './rotation-failure.ts';
import { type Target, UsageError } from './target.ts';

type Stages = Readonly<Record<string, readonly string[]>>;

/** The secret that a delivery may be signed with now. */
export async function readWebhookSecret(target: Target): Promise<string> {
  const command = new GetSecretValueCommand({ SecretId: target.webhookSecretArn });
  const { SecretString } = await clientOf(target).send(command);
  if (!SecretString) throw new UsageError('The webhook secret has no current value: put one with Secrets Manager.');
  return SecretString;
}

/** How long a rotation is waited for, and how often it is looked at. */
export type RotationPatience = { readonly mostMinutes: number; readonly pollMs: number };

// A rotation takes three to four minutes, and as long again when it first completes one that was interrupted. It goes on
// longer only while Argyle is slow.
const usualPatience: RotationPatience = { mostMinutes: 15, pollMs: 10_000 };

/**
 * Rotates the webhook secret and waits for the end, a few minutes. With `revoke` the previous secret is then dropped: what
 * is signed with it is refused within a minute, instead of after 24 hours. Throws a sentence when the rotation fails, or
 * has not ended when patience has.
 */
export async function rotate(
  target: Target,
  { isSure, revoke }: { readonly isSure: boolean; readonly revoke: boolean },
  report: Report,
  patience = usualPatience,
): Promise<void> {
  const client = clientOf(target);
  const what =
    'The webhook secret is replaced, here and at Argyle, without a gap. It takes about three minutes.' +
    (revoke ? ' Then the old one is dropped: what Argyle signed with it and has still to send is refused.' : '');
  if (!(await confirm(what, isSure))) return report.result({ rotated: false }, 'Nothing was changed.');
  const ended = new AbortController();
  try {
    const failureOf = await followFailures(target, ended.signal);
    const version = await startRotation(client, target, report);
    await waitForEnd({ client, target, report, version, failureOf, ...patience });
    const dropped = revoke && (await dropPrevious(client, target));
    report.result({ rotated: true, version, dropped }, `Rotated.${dropped ? ' The old secret is dropped.' : ''}`);
  } finally {
    ended.abort();
  }
}

type Waiting = RotationPatience & {
  readonly client: SecretsManagerClient;
  readonly target: Target;
  readonly report: Report;
  readonly version: string;
  readonly failureOf: Awaited<ReturnType<typeof followFailures>>;
};

async function waitForEnd({ client, target, report, version, failureOf, mostMinutes, pollMs }: Waiting): Promise<void> {
  const endsMs = Date.now() + mostMinutes * 60_000;
  while (!isCurrent(await readStages(client, target), version)) {
    const failure = failureOf(version);
    if (failure) throw new Error(`The rotation failed in its step ${failure.step} (${failure.cause}). ${whatIsTrue}`);
    if (Date.now() >= endsMs)
      throw new Error(`The rotation has not ended within ${mostMinutes} minutes; it may still. ${whatIsTrue}`);
    report.remark('waiting until every function knows the new secret and Argyle signs with it …');
    await setTimeout(pollMs);
  }
}

const whatIsTrue =
  'Nothing is lost: webhooks are accepted as before, the old secret stays valid and was not dropped. The saved query' +
  ' `failures` shows why: lines rotation_failed of the service rotation. When the trouble is over, run this again: it' +
  ' goes on where this rotation stopped.';

// Gives the version to wait for. Secrets Manager refuses to begin while another one is pending, and repeats that one.
async function startRotation(client: SecretsManagerClient, target: Target, report: Report): Promise<string> {
  try {
    const { VersionId = '' } = await client.send(new RotateSecretCommand({ SecretId: target.webhookSecretArn }));
    return VersionId;
  } catch (error) {
    if ((error as Error).name !== 'InvalidRequestException') throw error;
    const stages = await readStages(client, target);
    const [pending] = Object.keys(stages).filter((id) => stages[id]?.includes('AWSPENDING') && !isCurrent(stages, id));
    if (!pending) throw new UsageError(`The secret cannot be rotated now: ${(error as Error).message}`);
    report.remark('an earlier rotation has not ended: Secrets Manager repeats that one.');
    return pending;
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
