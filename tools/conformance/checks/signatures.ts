import { createHash } from 'node:crypto';
import { answerCheck, type Check, mapValues } from '../check.ts';
import {
  bodyOfSize,
  dataOf,
  sampleEvent,
  sampleUnknownEvent,
  sampleUpload,
  signatureOf,
  webhookBody,
} from '../samples.ts';

/** A delivery that Argyle did not sign. */
type Forgery = { readonly body: string; readonly signature: string | null };

type Genuine = { readonly body: string; readonly digest: string; readonly secret: string };

// Returns the difference between the forgery and the genuine delivery.
type Forge = (genuine: Genuine) => Partial<Forgery>;

const forges: Readonly<Record<string, Readonly<Record<string, Forge>>>> = {
  'a tampered body': {
    'one digit of an id changed': ({ body }) => ({ body: body.replace(/.(?="\s*}\s*}$)/, otherDigit) }),
    'a line feed appended': ({ body }) => ({ body: `${body}\n` }),
    'the whitespace removed': ({ body }) => ({ body: compact(body) }),
  },
  'the signature of another secret': {
    'a longer secret': ({ body, secret }) => ({ signature: signatureOf(body, `${secret}x`) }),
    'the secret and a line feed': ({ body, secret }) => ({ signature: signatureOf(body, `${secret}\n`) }),
  },
  'a missing signature': { 'no header': () => ({ signature: null }) },
  'a malformed signature': {
    'with a prefix': ({ digest }) => ({ signature: `sha512=${digest}` }),
    'in base64': ({ digest }) => ({ signature: Buffer.from(digest, 'hex').toString('base64') }),
    twice: ({ digest }) => ({ signature: `${digest}, ${digest}` }),
    'with a letter that is not a digit': ({ digest }) => ({ signature: `g${digest.slice(1)}` }),
  },
  'a signature of the wrong length': {
    'no digit': () => ({ signature: '' }),
    'half of the digits': ({ digest }) => ({ signature: digest.slice(0, 64) }),
    'one digit less': ({ digest }) => ({ signature: digest.slice(0, -1) }),
    'one digit more': ({ digest }) => ({ signature: `${digest}0` }),
    'one byte more': ({ digest }) => ({ signature: `${digest}00` }),
  },
  'a digest that differs in one digit': {
    'the first': ({ digest }) => ({ signature: digest.replace(/^./, otherDigit) }),
    'the last': ({ digest }) => ({ signature: digest.replace(/.$/, otherDigit) }),
  },
  'a digest of another algorithm': {
    'HMAC-SHA256': ({ body, secret }) => ({ signature: signatureOf(body, secret, 'sha256') }),
    'HMAC-SHA3-512': ({ body, secret }) => ({ signature: signatureOf(body, secret, 'sha3-512') }),
    'SHA-512 without a secret': ({ body }) => ({ signature: createHash('sha512').update(body).digest('hex') }),
  },
  'a signature over re-serialised JSON': {
    'pretty-printed, but signed compact': ({ body, secret }) => ({ signature: signatureOf(compact(body), secret) }),
  },
  'a signature made with an empty secret': {
    'an empty secret': ({ body }) => ({ signature: signatureOf(body, '') }),
  },
};

/** The kinds of forgery. */
export const forgeryKinds = Object.keys(forges);

/** Checks that the receiver refuses every delivery that is not signed with the secret. */
export const signatures: readonly Check[] = [
  ...forgeryKinds.map((kind) =>
    answerCheck(`refuses ${kind}`, 'bad_signature', ({ secret }) => forgeriesOf(secret, [kind])),
  ),
  answerCheck('verifies the signature before it parses the body', 'bad_signature', () => {
    const bodies = {
      'not JSON': 'not JSON',
      'an empty body': '',
      'an unknown event': webhookBody(sampleUnknownEvent),
      'missing ids': JSON.stringify({ event: sampleEvent, data: {} }),
      'an extra field': JSON.stringify({ event: sampleEvent, data: dataOf(sampleUpload()), extra: true }),
      '512 KiB': bodyOfSize(512 * 1024),
    };
    return mapValues(bodies, (body) => ({ body, signature: '0'.repeat(128) }));
  }),
];

/** Returns the forgeries of some kinds, each of its own webhook. */
export function forgeriesOf(secret: string, kinds = forgeryKinds): Readonly<Record<string, Forgery>> {
  const chosen = Object.assign({}, ...kinds.map((kind) => forges[kind])) as Record<string, Forge>;
  return mapValues(chosen, (forge) => {
    const body = webhookBody(sampleEvent);
    const digest = signatureOf(body, secret);
    return { body, signature: digest, ...forge({ body, digest, secret }) };
  });
}

function compact(json: string): string {
  return JSON.stringify(JSON.parse(json));
}

function otherDigit(digit: string): string {
  return digit === '0' ? '1' : '0';
}
