import { randomUUID } from 'node:crypto';
import type { EventType } from '../../functions/domain/events.ts';
import { idFrom } from '../fake-argyle/ids.ts';
import { webhookBody, webhookHeaders } from '../fake-argyle/webhook-request.ts';
import { fetchWithoutProxy } from '../local/loopback-fetch.ts';

/** Returns the body of a sample webhook. Account and user are derived from the upload, so all of its events have the same ones. */
export function sampleBody(event: EventType, userUpload: string = randomUUID()): string {
  const account = idFrom(`account of ${userUpload}`);
  return webhookBody(event, 'sample', { userUpload, account, user: idFrom(`user of ${userUpload}`) });
}

/** What `postSigned` returns instead of the status of an answer that does not come from this receiver. */
export const foreignStatus = 'without the status accepted or quarantined';

/**
 * Posts a signed body as Argyle does. Returns the HTTP status and the `status` of the answer; `foreignStatus` when the HTTP
 * status is a success but the answer is not one that this receiver gives.
 */
export async function postSigned(url: string, secret: string, body: string): Promise<{ code: number; status: string }> {
  const response = await fetchWithoutProxy(url, { method: 'POST', headers: webhookHeaders(body, secret), body });
  const answer: unknown = await response.json().catch(() => undefined);
  const status = Object(answer).status as unknown;
  if (response.ok && !isSuccess(status)) return { code: response.status, status: foreignStatus };
  return { code: response.status, status: typeof status === 'string' ? status : response.statusText };
}

function isSuccess(status: unknown): boolean {
  return status === 'accepted' || status === 'quarantined';
}
