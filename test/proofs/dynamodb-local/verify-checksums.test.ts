import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { verifyChecksums } from './verify-checksums.ts';

let folder: string;
let list: string;
beforeEach(() => {
  const parent = mkdtempSync(join(tmpdir(), 'checksums-'));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  folder = join(parent, 'downloads');
  mkdirSync(join(folder, 'a/1'), { recursive: true });
  list = join(parent, 'checksums.sha256');
  writeFileSync(list, `${hash('sha256', 'first')}  a/1/a.jar\n${hash('sha256', 'second')}  a/1/a.pom\n`);
});

test('files whose hashes are listed pass, and notes of Maven are skipped', () => {
  writeFileSync(join(folder, 'a/1/a.jar'), 'first');
  writeFileSync(join(folder, 'a/1/a.pom'), 'second');
  for (const note of ['_remote.repositories', 'a.jar.sha1', 'maven-metadata-central.xml'])
    writeFileSync(join(folder, 'a/1', note), 'any text');

  expect(() => verifyChecksums(folder, list)).not.toThrow();
});

test.each(['a/1/a.jar', 'a/1/b.pom', 'c.so'])('a changed or additional file fails by name: %s', (file) => {
  writeFileSync(join(folder, file), 'First');

  expect(() => verifyChecksums(folder, list)).toThrow(`is not in ${list}: ${join(folder, file)}. Do not use them.`);
});

test('an empty folder fails', () => {
  expect(() => verifyChecksums(folder, list)).toThrow(`There is no file to verify in ${folder}.`);
});
