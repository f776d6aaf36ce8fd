import { randomUUID } from 'node:crypto';
import type { EventType } from '../../functions/domain/events.ts';
import { foreignStatus, postSigned, sampleBody } from './sample.ts';

/** The samples to send. Without `upload`, each one is for a new document. */
export type Samples = {
  readonly event: EventType;
  readonly count: number;
  readonly upload: string | undefined;
  readonly url: string;
  readonly secret: string;
};

const connections = 16;

/** Posts signed samples over up to 16 connections. Returns the number of each answer. */
export async function sendSamples({
  event,
  count,
  upload,
  url,
  secret,
}: Samples): Promise<ReadonlyMap<string, number>> {
  const tally = new Map<string, number>();
  let left = count;
  const sendSome = async () => {
    while (left > 0) {
      left -= 1;
      const answer = await postSigned(url, secret, sampleBody(event, upload ?? randomUUID())).then(
        ({ code, status }) => `${code} ${status}`,
        () => `no answer from ${url}`,
      );
      tally.set(answer, (tally.get(answer) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: Math.min(connections, count) }, sendSome));
  return tally;
}

/** Whether this receiver stored all samples. */
export function areAccepted(tally: ReadonlyMap<string, number>): boolean {
  return [...tally.keys()].every((answer) => answer === '200 accepted' || answer === '200 quarantined');
}

/** Returns a success that another program than this receiver answered, for example `200 without the status …`. */
export function foreignAnswer(tally: ReadonlyMap<string, number>): string | undefined {
  return [...tally.keys()].find((answer) => answer.endsWith(` ${foreignStatus}`));
}
