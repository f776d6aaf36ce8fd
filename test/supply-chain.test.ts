import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

type LockedPackage = {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
};

const repository = fileURLToPath(new URL('..', import.meta.url));
const files = readdirSync(repository, { recursive: true, encoding: 'utf8' }).filter(
  (file) => !/(^|\/)(node_modules|cdk\.out|\.git|\.stryker-tmp)\//.test(file),
);
const filesNamed = (name: RegExp) => files.filter((file) => name.test(file));

describe.each(filesNamed(/(^|\/)package-lock\.json$/))('%s', (lockFile) => {
  const packages = packagesOf(lockFile);

  test('has a hash of every package', () => {
    const hashed = ([path, { integrity, inBundle }]: (typeof packages)[number]) =>
      inBundle ? bundlerOf(path)?.integrity : /^sha512-[\w+/]{86}==$/.test(integrity ?? '');
    expect(pathsOf(packages.filter((entry) => !hashed(entry)))).toEqual([]);
  });

  test('names no registry, so that the configured one is used', () => {
    expect(pathsOf(packages.filter(([, { resolved }]) => resolved))).toEqual([]);
  });

  // The hash of a bundled package is that of the package that contains it.
  function bundlerOf(path: string): LockedPackage | undefined {
    const bundler = path.slice(0, path.lastIndexOf('/node_modules/'));
    const found = Object.fromEntries(packages)[bundler];
    return found?.inBundle ? bundlerOf(bundler) : found;
  }
});

test('each package.json with dependencies has a lock file beside it', () => {
  const manifests = filesNamed(/(^|\/)package\.json$/);
  expect(manifests.map((file) => file.replace('.json', '-lock.json'))).toEqual(filesNamed(/(^|\/)package-lock\.json$/));
});

describe('the installed Node.js', () => {
  const { optionalDependencies } = JSON.parse(read('package.json'));
  const lock = Object.fromEntries(packagesOf('package-lock.json'));

  test.each(Object.entries<string>(optionalDependencies))('is locked for each platform: %s %s', (name, version) => {
    expect(version).toMatch(/^24\.\d+\.\d+$/);
    expect(lock[`node_modules/${name}`]).toMatchObject({ version, integrity: expect.any(String) });
    expect(lock[`node_modules/${name}`]?.hasInstallScript).toBeUndefined();
  });
});

test('the mutation proof uses the versions of Vitest and Vite that run the tests', () => {
  const project = Object.fromEntries(packagesOf('package-lock.json'));
  const proof = Object.fromEntries(packagesOf('test/proofs/mutation/package-lock.json'));
  for (const path of ['node_modules/vitest', 'node_modules/vite'])
    expect(proof[path]?.integrity).toBe(project[path]?.integrity);
});

test('no install script runs', () => {
  expect(read('.npmrc')).toMatch(/^ignore-scripts=true$/m);
});

test.each(filesNamed(/requirements\.txt$/))('%s has a version and a hash of every package', (file) => {
  const requirements = read(file)
    .replaceAll('\\\n', '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(requirements.length).toBeGreaterThan(0);
  expect(requirements.filter((line) => !/^[\w.-]+==[^=]+( ;.+)? ( *--hash=sha256:[0-9a-f]{64})+$/.test(line))).toEqual(
    [],
  );
});

test('each requirements.in has its requirements.txt, which contains the same versions', () => {
  const inputs = filesNamed(/requirements\.in$/);
  expect(inputs.map((file) => file.replace(/in$/, 'txt'))).toEqual(filesNamed(/requirements\.txt$/));
  for (const file of inputs)
    for (const line of read(file).trim().split('\n'))
      expect(read(file.replace(/in$/, 'txt'))).toContain(`\n${line} \\\n`);
});

// `npm ci` and `pip install --require-hashes` install exactly what their lock file lists. These commands do not.
const unlockedInstallation = [
  /\bnpx\b[^\n]*(--yes|-y\b|--package)/,
  /\bnpm (exec|install|i)\b|'npm', \[?'(exec|install|i)'/,
  /\bpip3? install (?!--require-hashes)|'pip', \[?'install'/,
  // To a file or into a shell. Argyle's API is called by curl too.
  /\b(curl|wget)\b[^\n]*https?:[^\n]*( -o|>|\|)|\bwget\b|\b(uvx|pipx)\b/,
];

test('no script, test or workflow installs software outside of a lock file', () => {
  const here = 'test/supply-chain.test.ts';
  const scripts = filesNamed(/^(\.ci|\.github\/workflows|functions|infra|tools|test)\/.*(run|\.m?[jt]s|\.ya?ml)$/);
  expect(scripts).toContain(here);
  const isUnlocked = (file: string) => unlockedInstallation.some((command) => command.test(read(file)));
  expect(scripts.filter((file) => file !== here && isUnlocked(file))).toEqual([]);
});

test('each GitHub action is pinned by its commit', () => {
  const actions = [...filesNamed(/^\.github\/workflows\//)].flatMap((file) => [
    ...read(file).matchAll(/uses: *(\S+)/g),
  ]);
  expect(actions.length).toBeGreaterThan(0);
  expect(actions.map(([, action]) => action).filter((action) => !/@[0-9a-f]{40}$/.test(action ?? ''))).toEqual([]);
});

function packagesOf(lockFile: string): readonly (readonly [path: string, locked: LockedPackage])[] {
  const { packages } = JSON.parse(read(lockFile)) as { packages: Record<string, LockedPackage> };
  // The empty path is the project itself.
  return Object.entries(packages).filter(([path]) => path !== '');
}

function pathsOf(packages: readonly (readonly [path: string, locked: LockedPackage])[]): string[] {
  return packages.map(([path]) => path);
}

function read(file: string): string {
  return readFileSync(join(repository, file), 'utf8');
}
