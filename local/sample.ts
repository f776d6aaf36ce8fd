import { createHash, createHmac, randomUUID } from 'node:crypto';
import type { EventType } from '../functions/domain/events.ts';

/**
 * The body of a webhook as Argyle sends it: pretty-printed, two spaces, LF, no final newline. Account and user are
 * derived from the upload, so that all events of one upload agree on them.
 */
export function sampleBody(event: EventType, userUpload: string = randomUUID()): string {
  const data = {
    account: idFrom(`account of ${userUpload}`),
    user: idFrom(`user of ${userUpload}`),
    user_upload: userUpload,
  };
  return JSON.stringify({ event, name: 'sample', data }, undefined, 2);
}

/** Posts a body with its signature, as Argyle does; gives the answer's HTTP status and its `status`. */
export async function postSigned(url: string, secret: string, body: string): Promise<{ code: number; status: string }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-argyle-signature': createHmac('sha512', secret).update(body).digest('hex'),
    },
    body,
  });
  const { status } = (await response.json().catch(() => ({}))) as { status?: string };
  return { code: response.status, status: status ?? response.statusText };
}

function idFrom(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
