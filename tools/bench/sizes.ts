import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';

/** What a folder of code weighs, bytes: as it is, and in the archive that is uploaded (its few headers left out). */
export function sizesOf(folder: string): { readonly bytes: number; readonly zippedBytes: number } {
  const files = readdirSync(folder).map((name) => join(folder, name));
  const sum = (of: (file: string) => number) => files.reduce((total, file) => total + of(file), 0);
  return {
    bytes: sum((file) => statSync(file).size),
    zippedBytes: sum((file) => deflateRawSync(readFileSync(file)).length),
  };
}
