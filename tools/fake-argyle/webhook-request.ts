import { createHmac } from 'node:crypto';

/** The ids of one document and of whom it belongs to. */
export type UploadIds = { readonly userUpload: string; readonly account: string; readonly user: string };

/** The body of a webhook as Argyle formats it: pretty-printed, two spaces, LF, no final newline. `name` is the subscription's. */
export function webhookBody(event: string, name: string, { account, user, userUpload }: UploadIds): string {
  return JSON.stringify({ event, name, data: { account, user, user_upload: userUpload } }, undefined, 2);
}

/**
 * The headers of a webhook as Argyle sends it: the signature is the lower-case hex HMAC-SHA512 of the body. Without
 * a secret there is no signature, which is a guess: what Argyle sends then is unknown.
 */
export function webhookHeaders(body: string, secret: string | null): Record<string, string> {
  return {
    'Content-Type': 'application/json',
    Accept: '*/*',
    'Accept-Encoding': 'gzip',
    'User-Agent': 'ReactorNetty/1.1.0',
    ...(secret !== null && { 'X-Argyle-Signature': createHmac('sha512', secret).update(body).digest('hex') }),
  };
}
