import { randomUUID, webcrypto } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https, { type AgentOptions } from 'node:https';
import { text } from 'node:stream/consumers';
import type { EventType } from '../../../functions/domain/events.ts';

/** The ids of one document and of its owner. */
export type UploadIds = { readonly account: string; readonly user: string; readonly userUpload: string };

/** Returns the ids of a new document. */
export function newUpload(): UploadIds {
  return { account: randomUUID(), user: randomUUID(), userUpload: randomUUID() };
}

/** The body of a webhook in Argyle's format. */
export function webhookBody(event: EventType | (string & {}), ids: UploadIds, name = 'subscription'): string {
  const data = { account: ids.account, user: ids.user, user_upload: ids.userUpload };
  return JSON.stringify({ event, name, data }, null, 2);
}

/** Signs with WebCrypto, which shares no code with the check under test. */
export async function sign(body: string | Uint8Array, secret: string): Promise<string> {
  const bytes = new TextEncoder().encode(secret);
  const key = await webcrypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-512' }, false, ['sign']);
  return Buffer.from(await webcrypto.subtle.sign('HMAC', key, Buffer.from(body))).toString('hex');
}

export type Answer = {
  readonly code: number;
  readonly body: { readonly status?: string; readonly message?: string };
  readonly headers: Readonly<Record<string, unknown>>;
};

/** Creates a sender with at most 16 connections. `connection`: options to reach a test's own host. */
export function createSender(url: string, secret: string, connection: AgentOptions = {}) {
  const { Agent, request } = url.startsWith('https:') ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: 16, ...connection });
  const post = async (body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => {
    const signed = { 'Content-Type': 'application/json', 'X-Argyle-Signature': await sign(body, secret) };
    const outgoing = request(url, { method: 'POST', agent, headers: { ...signed, ...headers } }).end(body);
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return { code: response.statusCode ?? 0, body: JSON.parse(await text(response)), headers: response.headers };
  };
  return { post, close: () => agent.destroy() };
}
