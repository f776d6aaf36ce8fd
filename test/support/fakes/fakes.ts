import type { SendMessage } from '../../../functions/aws/event-queue.ts';
import type { Telemetry } from '../../../functions/aws/telemetry.ts';
import type { QueueMessage } from '../../../functions/domain/queue-message.ts';
import type { WebhookSecrets } from '../../../functions/ingest/webhook-secrets.ts';
import { sample } from '../builders/builders.ts';

type Fields = Readonly<Record<string, string | number>>;
export type MeasureLine = { readonly metrics: Readonly<Record<string, number>>; readonly fields: Fields };
export type ErrorLine = { readonly code: string; readonly error: unknown; readonly fields: Fields };

/** Creates telemetry that records its lines. */
export function fakeTelemetry() {
  const measured: MeasureLine[] = [];
  const errors: ErrorLine[] = [];
  const telemetry: Telemetry = {
    measure: (metrics, fields) => measured.push({ metrics, fields }),
    error: (code, error, fields) => errors.push({ code, error, fields }),
  };
  return { telemetry, measured, errors };
}

/** Creates a sender that records the messages. `before` runs first and may fail or hang. */
export function fakeSendMessage(before?: (abortSignal: AbortSignal) => Promise<void>) {
  const sent: { readonly queueUrl: string; readonly message: QueueMessage }[] = [];
  const sendMessage: SendMessage = async (queueUrl, message, abortSignal) => {
    await before?.(abortSignal);
    sent.push({ queueUrl, message });
  };
  return { sendMessage, sent };
}

/** Creates secrets that count their verifications. An error in place of the list is thrown. */
export function fakeSecrets(valid: readonly string[] | Error = [sample.secret]) {
  const calls = { verify: 0 };
  const secrets: Pick<WebhookSecrets, 'verify'> = {
    verify: async (isSigned) => {
      calls.verify += 1;
      if (valid instanceof Error) throw valid;
      return isSigned(valid);
    },
  };
  return { secrets, calls };
}
