import { eventTypes } from '../../../functions/domain/events.ts';
import { createArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { type FakeArgyleOptions, startFakeArgyle } from '../../../tools/fake-argyle/fake-argyle.ts';
import { startReceiver } from './webhook-receiver.ts';

/** What the API answered: its JSON, or the text that is none. */
export type ApiAnswer = { readonly status: number; readonly headers: Headers; readonly body: Record<string, unknown> };

const key = { apiKeyId: 'key-id', apiKeySecret: 'key-secret' };

/** A fake Argyle as a test has it. */
export type Argyle = Awaited<ReturnType<typeof startArgyle>>;

/** A fake Argyle with the client of its controls and a plain one of its API. Retries come at once. */
export async function startArgyle(options: Partial<FakeArgyleOptions> = {}) {
  const fake = await startFakeArgyle({ port: 0, ...key, retryDelayMs: 1, ...options });
  /** Asks the API: `path` below /v2, or a full URL. */
  const ask = async (method: string, path: string, body?: unknown, credentials = key): Promise<ApiAnswer> => {
    const { apiKeyId, apiKeySecret } = credentials;
    const response = await fetch(path.startsWith('http') ? path : `${fake.url}${path}`, {
      method,
      headers: { authorization: `Basic ${Buffer.from(`${apiKeyId}:${apiKeySecret}`).toString('base64')}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type') === 'application/json';
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : { text } };
  };
  return { ...fake, credentials: key, ask, control: createArgyleControl(fake.controlUrl) };
}

/**
 * Starts a fake and a receiver for its deliveries. A fake serves all tests with the same options, each of which finds
 * it empty; `stopReceivers` belongs after each test, `stopFakes` after the last.
 */
export function createArgyleStarts() {
  const receivers: Awaited<ReturnType<typeof startReceiver>>[] = [];
  const fakes = new Map<string, Promise<Argyle>>();
  return {
    start: async (options: Partial<FakeArgyleOptions> = {}, statusOf?: Parameters<typeof startReceiver>[0]) => {
      const receiver = await startReceiver(statusOf);
      receivers.push(receiver);
      const key = JSON.stringify(options);
      const started = fakes.get(key) ?? startArgyle(options);
      fakes.set(key, started);
      const argyle = await started;
      await argyle.control.reset();
      return { argyle, receiver };
    },
    stopReceivers: () => {
      for (const receiver of receivers.splice(0)) receiver.stop();
    },
    stopFakes: async () => {
      for (const argyle of await Promise.all(fakes.values())) await argyle.stop();
    },
  };
}

/** Subscribes to all events of the catalogue, or as `facts` say; gives the subscription's id. */
export async function subscribe({ ask }: Argyle, url: string, facts: object = {}): Promise<unknown> {
  const wanted = { events: eventTypes, name: 'uploads', secret: 'shh', url, ...facts };
  const { status, body } = await ask('POST', '/webhooks', wanted);
  if (status !== 201) throw new Error(`The subscription was answered ${status}.`);
  return body.id;
}

/** Reads the pages of a list from `path` on, at most `maxPages`. */
export async function walk(
  ask: (method: string, path: string) => Promise<ApiAnswer>,
  path: string,
  maxPages = 100,
): Promise<ApiAnswer['body'][]> {
  const pages: ApiAnswer['body'][] = [];
  for (let at: unknown = path; typeof at === 'string' && pages.length < maxPages; at = pages.at(-1)?.next) {
    pages.push((await ask('GET', at)).body);
  }
  return pages;
}

/** The ids of the items of all pages. */
export function idsOf(pages: readonly ApiAnswer['body'][]): string[] {
  return pages.flatMap(({ results }) => (results as { id: string }[]).map(({ id }) => id));
}
