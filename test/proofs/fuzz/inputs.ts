import { signatureOf } from '../../support/builders/builders.ts';
import { oneOf } from '../../support/builders/seeded-random.ts';

/** A request of a hostile or broken sender. */
export type FuzzedRequest = { readonly body: Buffer; readonly signature: string | null; readonly isSigned: boolean };

const ids =
  '"account":"01856c65-43b6-8b5d-b32a-56b8fbda5c28","user":"018051aa-f7a9-a0db-2f38-6cfa325e9d69",' +
  '"user_upload":"01320596-2c3d-189c-53e7-a8ce6d625b33"';

const hostileBodies: readonly [string, ...string[]] = [
  '{"__proto__":{"event":"user_uploads.added"}}',
  '{"event":"__proto__","data":{}}',
  `{"event":"constructor","data":{${ids}}}`,
  `{"event":"toString","data":{${ids}}}`,
  '{"event":"user_uploads.added","event":"user_uploads.removed","data":null}',
  '{"event":"user_uploads.added","data":{"__proto__":{"account":"01856c65-43b6-8b5d-b32a-56b8fbda5c28"}}}',
  '{"event":"hasOwnProperty","data":{"toString":"x"}}',
  `{"event":${'9'.repeat(400)},"data":-1e999}`,
  `${'['.repeat(20_000)}`,
  `${'{"data":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
  '"\\ud800 lone surrogate"',
  '{"event":"\\ud83d","data":{"user_upload":"\\udc00"}}',
  '\ufeff{"event":"user_uploads.added"}',
  '{"event":"user_uploads.added\\u0000"}',
  'null',
  '[]',
  '',
  '\u0000',
  '\ufffe\uffff',
];

/** Returns a random request: a valid or a hostile body, perhaps with changed bytes, signed or not. */
export function fuzzRequest(valid: string, secret: string, random: () => number): FuzzedRequest {
  const whole = Buffer.from(random() < 0.5 ? valid : oneOf(hostileBodies, random));
  const body = random() < 0.7 ? mutate(whole, random) : whole;
  const correct = signatureOf(body, secret);
  if (random() < 0.7) return { body, signature: random() < 0.2 ? correct.toUpperCase() : correct, isSigned: true };
  return { body, signature: wrongSignature(correct, random), isSigned: false };
}

/** Returns a user-upload object of Argyle's API in which any value may be hostile. */
export function fuzzUserUpload(random: () => number): unknown {
  const id = '01320596-2c3d-189c-53e7-a8ce6d625b33';
  const maybe = (value: unknown) => (random() < 0.6 ? value : oneOf(hostileValues, random)(random));
  const entry = {
    id: maybe(id),
    account: maybe(id),
    document_type: maybe('paystubs'),
    file_name: maybe('document.pdf'),
    metadata: maybe({
      ocr_data: maybe({ error: maybe('blurred') }),
      ocr_authenticity: maybe({}),
      ocr_authenticity_score: maybe(50),
    }),
    processing: maybe({ classification: maybe('completed'), ocr: maybe('failed'), authenticity: maybe('idle') }),
    updated_at: maybe('2026-11-24T10:00:00Z'),
  };
  return random() < 0.95 ? entry : oneOf(hostileValues, random)(random);
}

const hostileValues: readonly [HostileValue, ...HostileValue[]] = [
  () => null,
  () => undefined,
  () => 1e21,
  () => -0,
  () => 0.1 + 0.2,
  (random) => Math.floor(random() * 400) - 150,
  (random) => fuzzText(random).repeat(Math.floor(random() * 200)),
  () => '\ud800'.repeat(2_000),
  (random) => nested(Math.floor(random() * 5_000), (inner) => [inner]),
  (random) => nested(Math.floor(random() * 5_000), (error) => ({ error })),
  (random) => Array.from({ length: Math.floor(random() * 100) }, () => fuzzText(random)),
  () => ({ __proto__: null, toString: 1, error: { toJSON: 1 } }),
  () => '+275760-09-13T00:00:00.000Z',
];

type HostileValue = (random: () => number) => unknown;

function nested(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 'end';
  for (let level = 0; level < depth; level += 1) value = wrap(value);
  return value;
}

/** Returns random text for a message attribute. */
export function fuzzText(random: () => number): string {
  const length = Math.floor(random() * 40);
  return String.fromCharCode(...Array.from({ length }, () => Math.floor(random() * 0x1_00_00)));
}

function mutate(bytes: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * (bytes.length + 1));
  const noise = Buffer.from(Array.from({ length: Math.floor(random() * 8) }, () => Math.floor(random() * 256)));
  const skipped = Math.floor(random() * 6);
  return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(Math.min(bytes.length, at + skipped))]);
}

function wrongSignature(correct: string, random: () => number): string | null {
  const flipped = `${correct[0] === '0' ? '1' : '0'}${correct.slice(1)}`;
  const others = [correct.slice(1), `${correct}0`, `${correct},${correct}`, ` ${correct}`, fuzzText(random)];
  return oneOf([null, '', flipped, ...others], random);
}
