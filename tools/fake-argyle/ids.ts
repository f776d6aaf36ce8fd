import { hash, randomBytes } from 'node:crypto';

/** An id in Argyle's format: lower-case 8-4-4-4-12 hex with arbitrary version digits. The same text returns the same id. */
export function idFrom(text: string): string {
  return formatId(hash('sha256', text));
}

/** A new random id in Argyle's format. */
export function newId(): string {
  return formatId(randomBytes(16).toString('hex'));
}

/** Formats the first 32 of the lower-case hex digits as an id. */
export function formatId(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

/** A number from 0 to below 1. The same text returns the same number. */
export function fractionFrom(text: string): number {
  return Number.parseInt(hash('sha256', text).slice(0, 8), 16) / 2 ** 32;
}
