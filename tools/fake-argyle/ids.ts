import { hash, randomBytes } from 'node:crypto';

/** An id shaped as Argyle's: lower-case 8-4-4-4-12 hex with arbitrary version digits. The same text gives the same id. */
export function idFrom(text: string): string {
  return formatId(hash('sha256', text));
}

/** An id that nobody has had before, shaped as Argyle's. */
export function newId(): string {
  return formatId(randomBytes(16).toString('hex'));
}

/** The first 32 of the hex digits, lower case, as an id. */
export function formatId(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

/** A number from 0 to below 1; the same for the same text. */
export function fractionFrom(text: string): number {
  return Number.parseInt(hash('sha256', text).slice(0, 8), 16) / 2 ** 32;
}
