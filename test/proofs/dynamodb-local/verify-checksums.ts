import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

// Maven's own notes about its downloads.
const notes = /\.(sha1|sha256|sha512|md5|repositories|lastUpdated|properties|xml)$/;

/**
 * Throws an error that names each file below `folder` whose SHA-256 is not in `listFile`, which has the format of
 * sha256sum. Skips Maven's notes about its downloads.
 */
export function verifyChecksums(folder: string, listFile: string): void {
  const listed = new Set(readFileSync(listFile, 'utf8').match(/^[0-9a-f]{64}/gm));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !notes.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name));
  const unlisted = files.filter((file) => !listed.has(hash('sha256', readFileSync(file))));
  if (files.length === 0) throw new Error(`There is no file to verify in ${folder}.`);
  if (unlisted.length > 0)
    throw new Error(`The SHA-256 of these files is not in ${listFile}: ${unlisted.join(', ')}. Do not use them.`);
}
