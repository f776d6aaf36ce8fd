import { type Pace, RequestError } from './retry.ts';

/** The API key of an Argyle workspace: the user name and password for HTTP Basic authentication. */
export type ArgyleCredentials = { readonly apiKeyId: string; readonly apiKeySecret: string };

/** Returns the API key. Throws when it cannot be read, also when the caller's signal aborts first. */
export type ReadCredentials = (signal?: AbortSignal) => Promise<ArgyleCredentials>;

/**
 * The answer to a request. `refused`: a retry would return the same answer (401: the key is wrong). `unavailable`: 429, 5xx,
 * no connection, or no answer before the time-out; retry later. `too_large`: the answer was not read to its end.
 */
export type ArgyleAnswer = { readonly kind: 'ok'; readonly body: unknown } | ArgyleFailure;

export type ArgyleFailure =
  | { readonly kind: 'not_found' }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'too_large'; readonly maxBytes: number }
  | { readonly kind: 'unavailable'; readonly status?: number; readonly retryAfterSeconds?: number };

/**
 * Sends a request to Argyle. `path` is relative to the base URL (`/user-uploads/…`), or a full URL that Argyle returned as
 * `next`.
 */
export type AskArgyle = (
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  options: { readonly body?: object; readonly signal?: AbortSignal },
) => Promise<ArgyleAnswer>;

/** A client whose requests wait for a pace. `requests`: their number so far. */
export type PacedArgyle = { readonly askArgyle: AskArgyle; readonly requests: () => number };

/** One page of a list. `next` is the full URL of the next page. */
export type ArgylePage = { readonly results: readonly unknown[]; readonly next: string | undefined };

/** Argyle's answer cannot be used. Its code, if there is one, is the HTTP status (`http_429`) or `no_answer`. */
export class ArgyleError extends RequestError {
  override name = 'ArgyleError';
}

// The largest answer is a list of 200 objects.
const requestTimeoutMs = 10_000;

// All answers that are in memory at the same time. An answer takes up to ten times its size there, first as text and then as an object,
// and a function has 512 MB.
const maxAnswersBytes = 32 * 1024 * 1024;

/**
 * Creates the Argyle API client (`baseUrl`: `https://api.argyle.com/v2` or the sandbox's). It sends credentials to the base
 * URL's origin only and follows no redirects. Answers must never be logged: those about webhooks contain secrets. Throws
 * for a URL of another origin, and when the credentials cannot be read.
 * @param concurrentRequests the maximum number of requests at the same time. Together their answers may have 32 MiB
 */
export function createAskArgyle(baseUrl: string, readCredentials: ReadCredentials, concurrentRequests = 1): AskArgyle {
  const maxBytes = Math.floor(maxAnswersBytes / concurrentRequests);
  return async (method, path, { body, signal }) => {
    const { origin } = new URL(baseUrl);
    const url = path.startsWith('/') ? baseUrl + path : path;
    if (!URL.canParse(url) || new URL(url).origin !== origin)
      throw listError(`Argyle's next page is not on ${origin}: no credentials are sent there.`);
    const { apiKeyId, apiKeySecret } = await readCredentials(signal);
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
      return await readAnswer(response, maxBytes);
    } catch {
      // There is no connection, no answer before the time-out, or no JSON. The error is dropped, because its message may
      // contain the answer.
      return { kind: 'unavailable' };
    }
  };
}

/** Creates a client whose requests start at a pace, and counts them. */
export function createPacedArgyle(askArgyle: AskArgyle, pace: Pace): PacedArgyle {
  let requests = 0;
  return {
    askArgyle: async (...request) => {
      await pace();
      requests += 1;
      return askArgyle(...request);
    },
    requests: () => requests,
  };
}

/**
 * Returns the error for an answer that is not a success.
 * @param secretName the name of the secret with the API key, for the error message when Argyle refuses the key
 */
export function argyleError(failure: ArgyleFailure, secretName = 'with the API key'): ArgyleError {
  if (failure.kind === 'too_large') return tooLargeError(failure.maxBytes);
  const status = failure.kind === 'not_found' ? 404 : failure.status;
  const code = status === undefined ? 'no_answer' : `http_${status}`;
  const message =
    status === 401 || status === 403
      ? `Argyle refused the API key (${status}): put a valid key into the secret ${secretName}. It must belong to the workspace and the environment (sandbox or production) of the stack.`
      : `The request to Argyle's API failed: ${code}.`;
  const retryAfterSeconds = failure.kind === 'unavailable' ? failure.retryAfterSeconds : undefined;
  return new ArgyleError(message, {
    code,
    isTransient: failure.kind === 'unavailable',
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

function tooLargeError(maxBytes: number): ArgyleError {
  const message = `Argyle's answer is larger than ${Math.floor(maxBytes / 1024)} KiB and was not read: the memory of the function may not be enough for it.`;
  return new ArgyleError(message, { code: 'answer_too_large', isTransient: false });
}

/** Returns the error for a list that cannot be read to its end. A retry would return the same list. */
export function listError(message: string): ArgyleError {
  return new ArgyleError(message, { isTransient: false });
}

/** Reads a page of a list. Throws when the body has no `results` array. */
export function readPage(body: unknown): ArgylePage {
  const { results, next } = (body ?? {}) as { readonly results?: unknown; readonly next?: unknown };
  if (!Array.isArray(results)) throw listError("Argyle's list has no `results`.");
  return { results, next: typeof next === 'string' && next !== '' ? next : undefined };
}

async function readAnswer(response: Response, maxBytes: number): Promise<ArgyleAnswer> {
  const text = await readText(response, maxBytes);
  const { ok, status } = response;
  if (ok && text === undefined) return { kind: 'too_large', maxBytes };
  if (ok) return { kind: 'ok', body: text ? JSON.parse(text) : undefined };
  if (status === 404) return { kind: 'not_found' };
  if (status !== 429 && status < 500) return { kind: 'refused', status };
  const retryAfterSeconds = readRetryAfter(response.headers.get('retry-after'));
  return { kind: 'unavailable', status, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
}

// Returns undefined for a larger text. Its size is known from its header, or once that many bytes have been decompressed.
async function readText({ headers, body }: Response, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  if (Number(headers.get('content-length')) > maxBytes) {
    await body?.cancel();
    return undefined;
  }
  // Leaving the loop cancels the body.
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

// Reads only the form in seconds. The other form, a date, would require a clock that agrees with Argyle's.
function readRetryAfter(header: string | null): number | undefined {
  return header !== null && /^\d{1,5}$/.test(header) ? Number(header) : undefined;
}
