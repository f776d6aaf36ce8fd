import { randomUUID } from 'node:crypto';
import type { EventType } from '../../functions/domain/events.ts';
import { idFrom } from '../fake-argyle/ids.ts';
import { webhookBody, webhookHeaders } from '../fake-argyle/webhook-request.ts';

/** Returns the body of a sample webhook. Account and user are derived from the upload, so all of its events have the same ones. */
export function sampleBody(event: EventType, userUpload: string = randomUUID()): string {
  const account = idFrom(`account of ${userUpload}`);
  return webhookBody(event, 'sample', { userUpload, account, user: idFrom(`user of ${userUpload}`) });
}

/** Posts a signed body as Argyle does. Returns the HTTP status and the `status` of the answer. */
export async function postSigned(url: string, secret: string, body: string): Promise<{ code: number; status: string }> {
  const response = await fetch(url, { method: 'POST', headers: webhookHeaders(body, secret), body });
  const { status } = (await response.json().catch(() => ({}))) as { status?: string };
  return { code: response.status, status: status ?? response.statusText };
}
