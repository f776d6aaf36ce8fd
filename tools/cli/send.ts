import type { EventType } from '../../functions/domain/events.ts';
import { areAccepted, sendSamples } from '../messages/send-samples.ts';
import type { Report } from './report.ts';
import { type Target, UsageError } from './target.ts';
import { readWebhookSecret } from './webhook-secret.ts';

/** What `send` is told. */
export type SendOptions = { readonly count: number; readonly upload: string | undefined };

/** Sends signed test events to the stack's own URL with its own secret; gives whether all were accepted. */
export async function sendTestEvents(
  target: Target,
  event: EventType,
  { count, upload }: SendOptions,
  report: Report,
): Promise<boolean> {
  if (upload !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(upload))
    throw new UsageError(`--upload ${upload} is not allowed: use 8-4-4-4-12 hex digits in lower case.`);
  const secret = await readWebhookSecret(target);
  const tally = await sendSamples({ event, count, upload, url: target.webhookUrl, secret });
  const lines = [...tally].map(([answer, times]) => `${times} × ${event}: ${answer}`);
  report.result({ event, answers: Object.fromEntries(tally) }, lines.join('\n'));
  return areAccepted(tally);
}
