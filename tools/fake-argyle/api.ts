import { type Page, readPage, type Sequence } from './page.ts';
import type { UserUploads } from './user-uploads.ts';
import { readSubscription, type Webhooks } from './webhooks.ts';

/** A request as the HTTP side hands it over; `body` is what its JSON says, undefined when it has none. */
export type ApiRequest = { readonly method: string; readonly url: URL; readonly body: unknown };

/** An answer; without a body it is empty. */
export type ApiAnswer = { readonly status: number; readonly body?: unknown };

/** What Argyle's API under /v2 answers. `linkOrigin` gives the origin of `next` and `previous`. */
export function createApi(webhooks: Webhooks, uploads: UserUploads, linkOrigin: () => string) {
  return ({ method, url, body }: ApiRequest): ApiAnswer => {
    const [, collection = '', id] = /^\/v2\/(webhooks|user-uploads)(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    const route = `${method} ${collection}${id === undefined ? '' : '/{id}'}`;
    switch (route) {
      case 'GET webhooks':
        return page(webhooks.list, url, linkOrigin());
      case 'POST webhooks': {
        const subscription = readSubscription(body);
        if (subscription.kind === 'invalid') return { status: 400, body: subscription.errors };
        return { status: 201, body: webhooks.add(subscription) };
      }
      case 'GET webhooks/{id}':
        return found(webhooks.find(id ?? ''));
      case 'DELETE webhooks/{id}':
        return webhooks.remove(id ?? '') ? { status: 204 } : found(undefined);
      case 'GET user-uploads': {
        const [account, user, documentType] = ['account', 'user', 'document_type'].map((name) =>
          url.searchParams.get(name),
        );
        const filter = { account: account ?? null, user: user ?? null, documentType: documentType ?? null };
        return page(uploads.list(filter), url, linkOrigin());
      }
      case 'GET user-uploads/{id}': {
        const known = uploads.find(id ?? '');
        return found(known?.isRemoved ? undefined : known?.upload);
      }
      default:
        return collection ? { status: 405, body: detail(`Method "${method}" not allowed.`) } : found(undefined);
    }
  };
}

/** The body of an answer that says why. Argyle's own shape is unknown. */
export function detail(text: string): { readonly detail: string } {
  return { detail: text };
}

function found(body: object | undefined): ApiAnswer {
  return body ? { status: 200, body } : { status: 404, body: detail('Not found.') };
}

function page<T>(sequence: Sequence<T>, url: URL, origin: string): ApiAnswer {
  const read: Page<T> | undefined = readPage(sequence, url, origin);
  return read ? { status: 200, body: read } : { status: 400, body: detail('Invalid limit or cursor.') };
}
