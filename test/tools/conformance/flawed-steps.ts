import { reference, type Steps } from './reference.ts';

const { enqueue, isSigned, readSignature, receive } = reference;

/** Answers 400 to some signed bodies. */
export function refusing(isRefused: (body: Buffer) => boolean): Partial<Steps> {
  return {
    receive: async (steps, state, delivery) => {
      const status = await receive(steps, state, delivery);
      return status !== 'bad_signature' && isRefused(delivery.body) ? 'bad_request' : status;
    },
  };
}

/** Accepts another signature too. */
export function alsoAccepting(
  isAccepted: (body: Buffer, signature: string, secret: string) => boolean,
): Partial<Steps> {
  return {
    isSigned: (body, signature, secret) =>
      isSigned(body, signature, secret) || (signature !== undefined && isAccepted(body, signature, secret)),
  };
}

/** Verifies changed text instead of the raw bytes. */
export function verifying(change: (text: string) => string): Partial<Steps> {
  return { isSigned: (body, ...rest) => isSigned(Buffer.from(change(body.toString())), ...rest) };
}

/** Verifies only the first request of a connection. */
export function verifyingConnections(verified: WeakSet<object>): Partial<Steps> {
  return {
    readSignature: (request) => {
      if (verified.has(request.socket)) return 'verified';
      verified.add(request.socket);
      return readSignature(request);
    },
    isSigned: (body, signature, secret) => signature === 'verified' || isSigned(body, signature, secret),
  };
}

/** Queues each body once. */
export function onlyNew(onRepeat: () => void): Steps['enqueue'] {
  const had = new Set<string>();
  return async (state, message) => {
    const text = message.body.toString('latin1');
    if (had.has(text)) return onRepeat();
    had.add(text);
    await enqueue(state, message);
  };
}

/** Reads all bodies into one buffer. */
export function collecting(chunks: Buffer[]): Steps['readBody'] {
  return async (request) => {
    for await (const chunk of request) chunks.push(chunk);
    return Buffer.concat(chunks.splice(0));
  };
}

/** Reads JSON; an empty object for anything else. */
export function parse(body: Buffer): { readonly event?: unknown } {
  try {
    return Object(JSON.parse(body.toString()));
  } catch {
    return {};
  }
}
