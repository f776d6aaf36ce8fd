import { setTimeout } from 'node:timers/promises';
import {
  DescribeSecretCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { Report } from './report.ts';
import { followLog } from './tail.ts';
import { type Target, UsageError } from './target.ts';

/** The options of `rotate`. */
export type RotateOptions = { readonly yes?: boolean; readonly revoke?: boolean };

/** How long to wait for a rotation, and the interval between two reads of its state. */
export type Polling = { readonly maxMinutes: number; readonly intervalMs: number };

// A rotation takes three to four minutes. It takes twice as long if it first completes an interrupted one, and longer
// than that only while Argyle is slow.
const defaultPolling: Polling = { maxMinutes: 15, intervalMs: 10_000 };

type Stages = Readonly<Record<string, readonly string[]>>;

type LogLine = Partial<Record<'message' | 'version' | 'step', string>> & {
  readonly cause?: Partial<Record<'name' | 'code' | 'message', string>>;
};

type Rotation = {
  readonly client: SecretsManagerClient;
  readonly secretId: string;
  readonly version: string;
  readonly report: Report;
};

/**
 * Rotates the webhook secret and waits a few minutes for the end. With `revoke` it then removes the previous secret:
 * deliveries signed with it are refused within a minute instead of after 24 hours. Throws when the rotation fails, or
 * does not end in time.
 */
export async function rotate(
  target: Target,
  report: Report,
  { yes, revoke = false }: RotateOptions,
  polling = defaultPolling,
): Promise<void> {
  const client = new SecretsManagerClient(target.clientOptions('SECRETS_MANAGER'));
  const secretId = target.webhookSecretArn;
  const consequences =
    'The webhook secret is replaced, here and at Argyle, without a gap. This takes three to four minutes.' +
    (revoke
      ? ' Then the old secret is removed: deliveries that Argyle signed with it and sends later are refused.'
      : '');
  if (!(await report.confirm(consequences, yes))) return report.result({ rotated: false }, 'Nothing was changed.');
  const ended = new AbortController();
  try {
    // Connected before the start, so that no failure is missed. Without the log, only the polling ends the wait.
    const log = await followLog(target, ended.signal).catch(() => undefined);
    const rotation = { client, secretId, report, version: await startRotation(client, secretId, report) };
    await Promise.race([untilCurrent(rotation, polling, ended.signal), untilFailed(rotation, log)]);
    const dropped = revoke && (await dropPrevious(rotation));
    const text = `Rotated.${dropped ? ' The old secret is removed.' : ''}`;
    report.result({ rotated: true, version: rotation.version, dropped }, text);
  } finally {
    ended.abort();
  }
}

async function untilCurrent(rotation: Rotation, { maxMinutes, intervalMs }: Polling, signal: AbortSignal) {
  const endsMs = Date.now() + maxMinutes * 60_000;
  while (!isCurrent(await readStages(rotation), rotation.version)) {
    if (Date.now() >= endsMs)
      throw new Error(`The rotation did not end within ${maxMinutes} minutes, but it may still end. ${advice}`);
    rotation.report.remark('Waiting until every function has the new secret and Argyle signs with it …');
    await setTimeout(intervalMs, undefined, { signal });
  }
}

/**
 * Throws when the log reports that this rotation failed, with its step and cause, which contains no secret;
 * otherwise it never settles. Secrets Manager does not report failures: DescribeSecret returns the same for a failed
 * rotation as for one in progress.
 */
async function untilFailed({ version }: Rotation, log: AsyncIterable<string> | undefined): Promise<void> {
  const failure = log && (await findFailure(version, log).catch(() => undefined));
  if (!failure) return new Promise(() => undefined);
  const { name, code, message } = failure.cause ?? {};
  const cause = [name, code, message].filter(Boolean).join(' ') || 'unknown';
  throw new Error(`The rotation failed in its step ${failure.step} (${cause}). ${advice}`);
}

async function findFailure(version: string, log: AsyncIterable<string>): Promise<LogLine | undefined> {
  for await (const text of log) {
    const line = readLine(text);
    if (line.message === 'rotation_failed' && line.version === version) return line;
  }
  return undefined;
}

function readLine(text: string): LogLine {
  try {
    return JSON.parse(text.slice(text.indexOf('{')));
  } catch {
    // Lambda's own lines are not JSON.
    return {};
  }
}

const advice =
  'No webhook is lost: they are accepted as before, and the old secret stays valid. The saved query `failures` shows the' +
  ' cause: lines with the message rotation_failed of the service rotation. Once the cause is removed, run this command' +
  ' again: it continues this rotation.';

// Returns the version to wait for. Secrets Manager starts no second rotation: it repeats the pending one.
async function startRotation(client: SecretsManagerClient, secretId: string, report: Report): Promise<string> {
  try {
    const { VersionId = '' } = await client.send(new RotateSecretCommand({ SecretId: secretId }));
    return VersionId;
  } catch (error) {
    if ((error as Error).name !== 'InvalidRequestException') throw error;
    const stages = await readStages({ client, secretId });
    const [pending] = Object.keys(stages).filter((id) => stages[id]?.includes('AWSPENDING') && !isCurrent(stages, id));
    if (!pending) throw new UsageError(`The secret cannot be rotated now: ${(error as Error).message}`);
    report.remark('An earlier rotation has not ended: Secrets Manager repeats it.');
    return pending;
  }
}

async function dropPrevious(rotation: Rotation): Promise<boolean> {
  const stages = await readStages(rotation);
  const [previous] = Object.keys(stages).filter((id) => stages[id]?.includes('AWSPREVIOUS'));
  if (!previous) return false;
  const VersionStage = 'AWSPREVIOUS';
  const SecretId = rotation.secretId;
  const command = new UpdateSecretVersionStageCommand({ SecretId, VersionStage, RemoveFromVersionId: previous });
  await rotation.client.send(command);
  return true;
}

function isCurrent(stages: Stages, version: string): boolean {
  const own = stages[version] ?? [];
  return own.includes('AWSCURRENT') && !own.includes('AWSPENDING');
}

async function readStages({ client, secretId }: Pick<Rotation, 'client' | 'secretId'>): Promise<Stages> {
  return (await client.send(new DescribeSecretCommand({ SecretId: secretId }))).VersionIdsToStages ?? {};
}
