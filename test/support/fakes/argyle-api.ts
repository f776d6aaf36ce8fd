import { eventTypes } from '../../../functions/domain/events.ts';
import { createArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { type FakeArgyleOptions, startFakeArgyle } from '../../../tools/fake-argyle/fake-argyle.ts';

/** An answer of the API: its JSON, or `{ text }` when it is not JSON. */
export type ApiAnswer = { readonly status: number; readonly headers: Headers; readonly body: Record<string, unknown> };

export type Argyle = Awaited<ReturnType<typeof startArgyle>>;

const key = { apiKeyId: 'key-id', apiKeySecret: 'key-secret' };

/** Starts a fake Argyle that retries immediately, with clients of its controls and of its API. */
export async function startArgyle(options: Partial<FakeArgyleOptions> = {}) {
  const fake = await startFakeArgyle({ port: 0, ...key, retryDelayMs: 1, ...options });
  /** Sends a request to the API. `path` is relative to /v2, or a full URL. */
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
  return {
    ...fake,
    credentials: key,
    ask,
    control: createArgyleControl(fake.controlUrl),
    /** Subscribes to all events of the catalogue, unless `facts` differ. Returns the id of the subscription. */
    subscribe: async (url: string, facts: object = {}): Promise<unknown> => {
      const wanted = { events: eventTypes, name: 'uploads', secret: 'shh', url, ...facts };
      const { status, body } = await ask('POST', '/webhooks', wanted);
      if (status !== 201) throw new Error(`The subscription was answered ${status}.`);
      return body.id;
    },
    /** Reads the ids of each page of a list from `path` on, at most `maxPages`. */
    list: async (path: string, maxPages = 100): Promise<string[][]> => {
      const pages: string[][] = [];
      for (let at: unknown = path; typeof at === 'string' && pages.length < maxPages; ) {
        const { body } = await ask('GET', at);
        pages.push((body.results as { id: string }[]).map(({ id }) => id));
        at = body.next;
      }
      return pages;
    },
  };
}
