import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { EventType } from '../../functions/domain/events.ts';
import { areAccepted, foreignAnswer, sendSamples } from '../messages/send-samples.ts';
import { escapeControls } from '../terminal/escape-controls.ts';
import type { Report } from './report.ts';
import { findTarget, type Target, type TargetOptions, UsageError } from './target.ts';

/** A URL that receives webhooks, and the secret that they are signed with. */
export type Endpoint = { readonly url: URL; readonly secret: string };

/**
 * Returns the target's endpoint. The local pipeline's secret is WEBHOOK_SECRET if that is set, as for npm start; otherwise
 * the secret is read from Secrets Manager.
 */
export async function endpointOf(target: Target): Promise<Endpoint> {
  const url = new URL(target.webhookUrl);
  if (target.isLocal && process.env.WEBHOOK_SECRET) return { url, secret: process.env.WEBHOOK_SECRET };
  const client = new SecretsManagerClient(target.clientOptions('SECRETS_MANAGER'));
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: target.webhookSecretArn }));
  if (SecretString) return { url, secret: SecretString };
  throw new UsageError('The webhook secret has no current value: store one in Secrets Manager.');
}

/** Returns the endpoint of any other receiver. Its secret is WEBHOOK_SECRET. */
export function endpointAt(url: URL): Endpoint {
  const secret = process.env.WEBHOOK_SECRET;
  if (secret) return { url, secret };
  throw new UsageError('Set the environment variable WEBHOOK_SECRET to the signing secret of the receiver at --url.');
}

/** Sends signed sample webhooks and returns whether all were accepted. Without `upload` each has its own document. */
export async function sendTestEvents(
  options: TargetOptions,
  report: Report,
  event: EventType,
  samples: { readonly count: number; readonly upload?: string; readonly url?: URL },
): Promise<boolean> {
  const { url, secret } = samples.url ? endpointAt(samples.url) : await endpointOf(await findTarget(options));
  const tally = await sendSamples({ event, count: samples.count, upload: samples.upload, url: url.href, secret });
  const foreign = foreignAnswer(tally);
  if (foreign)
    throw new UsageError(
      `${url.href} is not a receiver of Argyle's webhooks: it answered ${foreign.replace(' ', ', but ')}.`,
    );
  const lines = [...tally].map(([answer, times]) => `${times} × ${event}: ${escapeControls(answer)}`);
  report.result({ event, answers: Object.fromEntries(tally) }, lines.join('\n'));
  return areAccepted(tally);
}
