import { setTimeout as wait } from 'node:timers/promises';
import type { FakeState } from './fake-state.ts';
import { type NewestFirst, readPage } from './page.ts';
import { readSubscription, shortened } from './webhooks.ts';

/** The key that the fake accepts, for HTTP Basic. */
export type ApiKey = { readonly apiKeyId: string; readonly apiKeySecret: string };

/** A request to the fake. `body` is the parsed JSON, or undefined. */
export type ApiRequest = { readonly method: string; readonly url: URL; readonly body: unknown };

/** An answer: JSON, or `text`, or an empty body, or a closed connection. */
export type ApiAnswer = {
  readonly status: number | 'disconnect';
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: unknown;
  readonly text?: string;
};

/** Answers a request under /v2 like Argyle, and applies the configured faults. `authorization`: the header. */
export async function answerApi(
  state: FakeState,
  key: ApiKey,
  request: ApiRequest,
  authorization: string | undefined,
): Promise<ApiAnswer> {
  const { rateLimit } = state.faults.get();
  const isRateLimited = state.requests.begin() > (rateLimit?.perSecond ?? Number.POSITIVE_INFINITY);
  const answer = (): ApiAnswer => {
    if (authorization !== basic(key)) return errorAnswer(401, 'Invalid credentials.');
    return isRateLimited
      ? withRetryAfter(errorAnswer(429, 'Too many requests.'), rateLimit?.retryAfter)
      : route(state, request);
  };
  const failure = state.faults.failureOf(request.method, request.url.pathname + request.url.search);
  const lostAnswer = failure?.isCarriedOut ? answer() : undefined;
  if (failure?.slowMs) await wait(failure.slowMs);
  if (failure?.status === undefined) return lostAnswer ?? answer();
  const { status, retryAfter, body } = failure;
  return withRetryAfter(body === undefined ? errorAnswer(status, 'A fault.') : { status, text: body }, retryAfter);
}

/** An answer with a message. Argyle's own error format is unknown. */
export function errorAnswer(status: ApiAnswer['status'], detail: string): ApiAnswer {
  return { status, body: { detail } };
}

function route({ workspace, faults, origin }: FakeState, { method, url, body }: ApiRequest): ApiAnswer {
  const { webhooks, uploads } = workspace();
  const { linkOrigin = origin, cyclingLists: isCycling = false, maxLengths = {} } = faults.get();
  const [, collection, id = ''] = /^\/v2\/(webhooks|user-uploads)(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
  if (!collection) return found(undefined);
  const page = <T>(list: NewestFirst<T>): ApiAnswer => {
    const items = readPage(list, url, { origin: linkOrigin, isCycling });
    return items ? found(items) : errorAnswer(400, 'Invalid limit or cursor.');
  };
  const filter = (name: string) => url.searchParams.get(name);
  switch (`${method} ${collection}${id && '/{id}'}`) {
    case 'GET webhooks':
      return page(webhooks.list);
    case 'POST webhooks': {
      const subscription = readSubscription(body);
      if ('errors' in subscription) return { status: 400, body: subscription.errors };
      return { status: 201, body: webhooks.add(shortened(subscription, maxLengths)) };
    }
    case 'GET webhooks/{id}':
      return found(webhooks.find(id));
    case 'DELETE webhooks/{id}':
      return webhooks.remove(id) ? { status: 204 } : found(undefined);
    case 'GET user-uploads':
      return page(
        uploads.list({ account: filter('account'), user: filter('user'), documentType: filter('document_type') }),
      );
    case 'GET user-uploads/{id}':
      return found(uploads.findListed(id)?.upload);
    default:
      return errorAnswer(405, `Method "${method}" not allowed.`);
  }
}

function found(body: object | undefined): ApiAnswer {
  return body ? { status: 200, body } : errorAnswer(404, 'Not found.');
}

function withRetryAfter(answer: ApiAnswer, retryAfter: number | string | undefined): ApiAnswer {
  return retryAfter === undefined ? answer : { ...answer, headers: { 'retry-after': retryAfter } };
}

function basic({ apiKeyId, apiKeySecret }: ApiKey): string {
  return `Basic ${Buffer.from(`${apiKeyId}:${apiKeySecret}`).toString('base64')}`;
}
