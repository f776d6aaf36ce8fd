import { hash } from 'node:crypto';
import { formatId } from './ids.ts';
import { afterOcr, newUserUpload, type OcrRun, type UserUpload } from './user-upload.ts';
import type { UploadIds } from './webhook-request.ts';

/** A range of documents that are created from their number when read, so that a million of them take no memory. */
export type SeedBlock = { readonly seed: number; readonly start: number; readonly count: number };

const uploadsPerAccount = 3;
const accountsPerUser = 2;
const documentTypes = ['paystubs', 'W-2', '1099', 'proof-of-identity', 'proof-of-address', 'miscellaneous'];

// Past OCR runs of the documents, in turn: every case that a reader must distinguish.
const histories: readonly (readonly OcrRun[])[] = [
  [],
  [{ result: 'success' }],
  [{ result: 'failure', error: 'The page is blurred.' }],
  [{ result: 'success' }, { result: 'authenticity', score: 42 }],
  [{ result: 'failure', error: { code: 'unreadable', pages: [1] } }],
];

/** The ids of document `number` of a seed: three documents per account, two accounts per user. */
export function seededIds(seed: number, number: number): UploadIds {
  const account = Math.floor(number / uploadsPerAccount);
  return {
    userUpload: seededId('upload', seed, number),
    account: seededId('account', seed, account),
    user: seededId('user', seed, Math.floor(account / accountsPerUser)),
  };
}

/** The user-upload object of document `number` of a seed. Creation times are a second apart, from 2026-01-01 on. */
export function seededUpload(ids: UploadIds, number: number): UserUpload {
  const createdMs = Date.UTC(2026, 0, 1) + number * 1_000;
  const type = documentTypes[number % documentTypes.length] ?? '';
  const upload = newUserUpload(ids, type, `document ${number}.pdf`, new Date(createdMs).toISOString());
  const history = histories[number % histories.length] ?? [];
  const ran = history.reduce((before, run, step) => {
    return afterOcr(before, run, new Date(createdMs + (step + 1) * 60_000).toISOString());
  }, upload);
  // Every seventh document is an older copy without `processing`.
  const { processing, ...older } = ran;
  return number % 7 === 6 || !processing ? older : { ...older, processing };
}

/** The number of the document with this id, or undefined when the block does not contain it. */
export function seededNumber({ seed, count }: SeedBlock, id: string): number | undefined {
  return numberOf('upload', seed, count, id);
}

/** The numbers of an account's or user's documents, the first and the last; undefined when the block has none. */
export function seededRange({ seed, count }: SeedBlock, owner: string): readonly [number, number] | undefined {
  for (const [kind, size] of [
    ['account', uploadsPerAccount],
    ['user', uploadsPerAccount * accountsPerUser],
  ] as const) {
    const number = numberOf(kind, seed, Math.ceil(count / size), owner);
    if (number !== undefined) return [number * size, Math.min((number + 1) * size, count) - 1];
  }
  return undefined;
}

// The first eight digits are the number, multiplied by an invertible factor; the others are a digest.
const factor = 0x9e3779b1;
// factor * inverseFactor = 1 modulo 2 ** 32.
const inverseFactor = 0x0e8b2f51;

function seededId(kind: string, seed: number, number: number): string {
  const scrambled = (Math.imul(number, factor) >>> 0).toString(16).padStart(8, '0');
  return formatId(scrambled + hash('sha256', `${kind} ${seed} ${number}`));
}

function numberOf(kind: string, seed: number, count: number, id: string): number | undefined {
  const number = Math.imul(Number.parseInt(id.slice(0, 8), 16), inverseFactor) >>> 0;
  return number < count && seededId(kind, seed, number) === id ? number : undefined;
}
