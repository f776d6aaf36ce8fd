import { type Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';

/** What one try came to: the HTTP status, or why there is none. */
export type TryResult = number | 'time-out' | 'no connection';

/** Whether Argyle tries once more (shared facts: two third-party sources). */
export function isRetried(result: TryResult): boolean {
  return result === 'time-out' || [429, 500, 502, 503, 504].includes(Number(result));
}

/**
 * Posts a webhook once; the whole answer has to be there within `limitMs`. Redirects are not followed. Only to http:
 * what listens on this machine has no certificate.
 */
export async function sendWebhook(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  { agent, limitMs }: { readonly agent: Agent; readonly limitMs: number },
): Promise<TryResult> {
  if (!url.startsWith('http:')) return 'no connection';
  const signal = AbortSignal.timeout(limitMs);
  for (;;) {
    const outgoing = request(url, { method: 'POST', agent, headers, signal });
    try {
      return await answerTo(outgoing, body);
    } catch (error) {
      if (signal.aborted) return 'time-out';
      // An idle connection that the receiver closed meanwhile says nothing about the receiver.
      const isStale = outgoing.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
      if (!isStale) return 'no connection';
    }
  }
}

async function answerTo(outgoing: ClientRequest, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    outgoing.once('error', reject).once('response', (incoming: IncomingMessage) => {
      incoming.once('error', reject).once('end', () => resolve(incoming.statusCode ?? 0));
      incoming.resume();
    });
    outgoing.setHeader('Content-Length', Buffer.byteLength(body));
    outgoing.end(body);
  });
}
