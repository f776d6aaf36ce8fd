import { LoggableError } from '../domain/loggable-error.ts';

/** The API key of an Argyle workspace: user and password of HTTP Basic. */
export type ArgyleCredentials = { readonly apiKeyId: string; readonly apiKeySecret: string };

/**
 * What a request came to. `refused`: Argyle will say the same again (401: the key is wrong). `unavailable`: 429, 5xx,
 * no connection or no answer in time: try again later.
 */
export type ArgyleAnswer =
  | { readonly kind: 'ok'; readonly body: unknown }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'unavailable'; readonly status?: number; readonly retryAfterSeconds?: number };

/** Asks Argyle. `path` is below the base URL (`/user-uploads/…`) or a full URL that Argyle gave as `next`. */
export type AskArgyle = (
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  options: { readonly body?: object; readonly signal?: AbortSignal },
) => Promise<ArgyleAnswer>;

/** One page of a list; `next` is the full URL of the page after it. */
export type ArgylePage = { readonly results: readonly unknown[]; readonly next: string | undefined };

// A request of ours is a list of 200 objects at most; a slower answer than this is no answer.
const requestTimeoutMs = 10_000;

/**
 * Gives the way to ask Argyle's API (`baseUrl`: `https://api.argyle.com/v2` or the sandbox's). Credentials go to the
 * base URL's own origin only, redirects are not followed. Answers are handed on, never logged: those about webhooks
 * hold secrets. Throws for a URL of another origin, and when the credentials cannot be read.
 */
export function createAskArgyle(baseUrl: string, readCredentials: () => Promise<ArgyleCredentials>): AskArgyle {
  return async (method, path, { body, signal }) => {
    const url = path.startsWith('/') ? baseUrl + path : path;
    if (!URL.canParse(url) || new URL(url).origin !== new URL(baseUrl).origin)
      throw new ListError(`Argyle's next page is not on ${new URL(baseUrl).origin}: no credentials are sent there.`);
    const { apiKeyId, apiKeySecret } = await readCredentials();
    const timeout = AbortSignal.timeout(requestTimeoutMs);
    try {
      const response = await fetch(url, {
        method,
        headers: {
          authorization: `Basic ${Buffer.from(`${apiKeyId}:${apiKeySecret}`).toString('base64')}`,
          accept: 'application/json',
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        redirect: 'manual',
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      return await readAnswer(response);
    } catch {
      // No connection, no answer in time, or no JSON in it. The error's text may quote the answer.
      return { kind: 'unavailable' };
    }
  };
}

/** That a list cannot be read to its end, however often it is tried from here. */
export class ListError extends LoggableError {}

/** An error that says what Argyle answered, fit for a log: its `code` is the HTTP status, or `no_answer`. */
export function argyleError({ status }: { readonly status?: number }): Error {
  const code = status === undefined ? 'no_answer' : `http_${status}`;
  return Object.assign(new LoggableError(`Argyle's API did not serve us: ${code}`, { code }), { name: 'ArgyleError' });
}

/** The page that a list answered; throws when the answer has not that form. */
export function readPage(body: unknown): ArgylePage {
  const { results, next } = (body ?? {}) as { readonly results?: unknown; readonly next?: unknown };
  if (!Array.isArray(results)) throw new ListError("Argyle's list has no `results`.");
  return { results, next: typeof next === 'string' && next !== '' ? next : undefined };
}

async function readAnswer(response: Response): Promise<ArgyleAnswer> {
  const text = await response.text();
  if (response.ok) return { kind: 'ok', body: text === '' ? undefined : JSON.parse(text) };
  const { status } = response;
  if (status === 404) return { kind: 'not_found' };
  if (status !== 429 && status < 500) return { kind: 'refused', status };
  const retryAfterSeconds = readRetryAfter(response.headers.get('retry-after'));
  return { kind: 'unavailable', status, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
}

// Seconds. The other form, a date, would need a clock that agrees with Argyle's: own back-off serves there.
function readRetryAfter(header: string | null): number | undefined {
  return header !== null && /^\d{1,5}$/.test(header) ? Number(header) : undefined;
}
