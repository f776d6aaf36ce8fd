import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { eventTypes } from '../functions/domain/events.ts';
import { pureFiles } from './pure-files.ts';

type SourceFile = { readonly path: string; readonly text: string };

const repository = fileURLToPath(new URL('..', import.meta.url));
const source = ['functions', 'infra', 'tools', 'test'].flatMap(readSource);

describe('imports', () => {
  const rules = [
    { part: 'functions/domain', files: /^functions\/domain\//, mayImport: /^functions\/domain\/|^node:crypto$/ },
    {
      part: 'functions/argyle',
      files: /^functions\/argyle\//,
      mayImport: /^functions\/(argyle|domain)\/|^node:timers\/promises$/,
    },
    {
      part: 'functions/aws',
      files: /^functions\/aws\//,
      mayImport: /^functions\/(aws|argyle|domain)\/|^@aws-sdk\/|^node:timers\/promises$/,
    },
    ...['ingest', 'worker', 'subscription', 'rotation', 'reconciliation', 'record-changes'].flatMap((feature) => [
      {
        part: `functions/${feature}`,
        files: new RegExp(`^functions/${feature}/(?!.*-(store|reader)\\.ts$)`),
        mayImport: new RegExp(`^functions/(${feature}|aws|argyle|domain)/|^aws-lambda$|^node:crypto$`),
      },
      {
        part: `a store or reader of functions/${feature}`,
        files: new RegExp(`^functions/${feature}/.*-(store|reader)\\.ts$`),
        mayImport: new RegExp(`^functions/(${feature}|aws|domain)/|^aws-lambda$|^@aws-sdk/`),
      },
    ]),
    {
      part: 'infra',
      files: /^infra\/(?!bundle-stubs\/)/,
      mayImport: /^infra\/|^functions\/(domain\/|aws\/environment\.ts$)|^(aws-cdk-lib|constructs|cdk-nag)\b|^node:/,
    },
    {
      part: 'infra/bundle-stubs',
      files: /^infra\/bundle-stubs\//,
      mayImport: /^@aws-sdk\/credential-provider-env$/,
    },
    {
      part: 'tools/local',
      files: /^tools\/local\//,
      mayImport:
        /^tools\/(local|console|fake-argyle|messages|terminal)\/|^functions\/(domain\/|aws\/environment\.ts$)|^(@aws-sdk\/|aws-lambda$|commander$|dynalite$|fauxqs$|node:)/,
    },
    {
      part: 'tools/console',
      files: /^tools\/console\/(?!page\/)/,
      mayImport: /^tools\/(console|fake-argyle|messages|terminal)\/|^functions\/domain\/|^(@aws-sdk\/|esbuild$|node:)/,
    },
    {
      part: 'tools/console/page, which runs in a browser,',
      files: /^tools\/console\/page\//,
      mayImport: /^tools\/console\/page\/|^tools\/terminal\/escape-controls\.ts$/,
    },
    {
      part: 'tools/fake-argyle',
      files: /^tools\/fake-argyle\//,
      mayImport: /^tools\/fake-argyle\/|^tools\/local\/loopback(-fetch)?\.ts$|^functions\/domain\/|^node:/,
    },
    {
      part: 'tools/messages',
      files: /^tools\/messages\//,
      mayImport:
        /^tools\/(messages|fake-argyle)\/|^tools\/local\/loopback-fetch\.ts$|^functions\/domain\/|^(@aws-sdk\/|node:)/,
    },
    {
      part: 'tools/cli',
      files: /^tools\/cli\//,
      mayImport:
        /^tools\/(cli|messages|conformance|terminal)\/|^tools\/local\/(loopback-fetch|machine-settings)\.ts$|^functions\/domain\/|^infra\/output-names\.ts$|^(@aws-sdk\/|commander$|cli-progress$|node:)/,
    },
    {
      part: 'tools/terminal',
      files: /^tools\/terminal\//,
      mayImport: /^tools\/terminal\/|^node:util$/,
    },
    {
      part: 'tools/conformance',
      files: /^tools\/conformance\//,
      mayImport: /^tools\/conformance\/|^functions\/domain\/(events|upload-record)\.ts$|^node:/,
    },
    {
      part: 'tools/capacity',
      files: /^tools\/capacity\//,
      mayImport: /^tools\/((capacity|local)\/|docs\/table\.ts$)|^functions\/|^commander$/,
    },
    {
      part: 'tools/bench',
      files: /^tools\/bench\/(?!best-practice\/)/,
      mayImport:
        /^tools\/((bench|local)\/|docs\/table\.ts$)|^functions\/|^test\/support\/|^(aws-cdk-lib\b|aws-lambda$|commander$|esbuild$|node:)/,
    },
    {
      part: 'what the benchmark compares with',
      files: /^tools\/bench\/best-practice\//,
      mayImport:
        /^tools\/bench\/best-practice\/|^(@aws-lambda-powertools\/|@aws-sdk\/|@middy\/core$|aws-lambda$|zod$|node:)/,
    },
    {
      part: 'tools/docs',
      files: /^tools\/docs\//,
      mayImport: /^tools\/|^functions\/domain\/|^test\/|^node:|^(playwright-core|docs:screenshots)$/,
    },
  ];

  test.each(rules)('$part imports only what it may', ({ files, mayImport }) => {
    const ruled = source.filter(({ path }) => files.test(path));
    const breaches = ruled.flatMap((file) =>
      importsOf(file)
        .filter((target) => !mayImport.test(target))
        .map((target) => `${file.path} → ${target}`),
    );
    expect(breaches).toEqual([]);
  });

  test('every rule applies to a file', () => {
    const unused = rules.filter(
      ({ part, files }) => !part.startsWith('a store') && !source.some(({ path }) => files.test(path)),
    );
    expect(unused).toEqual([]);
  });

  test('there is no cycle of files', () => {
    expect(findCycle(new Map(source.map((file) => [file.path, importsOf(file)])))).toEqual([]);
  });

  test('a cycle is found', () => {
    const imports = { a: ['b'], b: ['c', 'd'], c: [], d: ['b'] };
    expect(findCycle(new Map(Object.entries(imports)))).toEqual(['b', 'd', 'b']);
  });

  test('every file outside of the tests is ruled once', () => {
    const ruledOnce = ({ path }: SourceFile) => rules.filter(({ files }) => files.test(path)).length === 1;
    expect(pathsOf(source.filter((file) => !file.path.startsWith('test/') && !ruledOnce(file)))).toEqual([]);
  });

  test('every form of import is seen', () => {
    const text = [
      "import a, { b } from 'a';",
      "import type { C } from './b.ts';",
      "import {\n  d,\n  type E,\n} from '../infra/c.ts';",
      'export * from "d";',
      "import 'e';",
      "await import('f');",
      'await import(`g`);',
      "require('h');",
      "createRequire(import.meta.url)('i');",
    ].join('\n');
    const seen = importsOf({ path: 'functions/x.ts', text });
    expect(seen).toEqual(['a', 'functions/b.ts', 'infra/c.ts', 'd', 'e', 'f', 'g', 'h', 'i']);
  });
});

describe('functions', () => {
  const functions = source.filter(({ path }) => path.startsWith('functions/'));

  test('AWS clients are made in one file', () => {
    expect(pathsOf(functions.filter(({ text }) => /\bnew \w+Client\(/.test(text)))).toEqual([
      'functions/aws/clients.ts',
    ]);
  });

  test('the environment is read in one file', () => {
    expect(pathsOf(functions.filter(({ text }) => text.includes('process.env')))).toEqual([
      'functions/aws/environment.ts',
    ]);
  });

  test.each([
    ['the environment', /\bprocess\b/],
    [
      'the clock',
      /\bDate\.now\b|\bnew Date\(\s*\)|\bnew Date\b(?!\()|(?<!new )\bDate\(|\bperformance\b|\bTemporal\.Now\b/,
    ],
    ['randomness', /\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\brandomInt\b|\bgetRandomValues\b/],
  ])('shared rules do not use %s', (_, impure) => {
    const rules = functions.filter(({ path }) => pureFiles.test(path));
    expect(pathsOf(rules.filter(({ text }) => impure.test(text)))).toEqual([]);
  });
});

test.each(eventTypes)('only the catalogue names %s', (event) => {
  const naming = source.filter(
    ({ path, text }) => /^(functions|infra|tools\/conformance)\//.test(path) && text.includes(event),
  );
  expect(pathsOf(naming)).toEqual(['functions/domain/events.ts']);
});

test('no file or folder has a name that says nothing', () => {
  const names = source.flatMap(({ path }) => path.split('/')).map((name) => basename(name, '.ts'));
  expect(names.filter((name) => /^(utils?|helpers?|common|shared|services?|misc|lib|types|index)$/.test(name))).toEqual(
    [],
  );
});

function readSource(folder: string): SourceFile[] {
  return readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join(folder, path))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(repository, path), 'utf8') }));
}

const importForms = [
  /^(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^import\s*['"]([^'"]+)['"]/gm,
  /\bimport\(\s*['"`]([^'"`]+)['"`]/g,
  /\brequire\w*\(\s*['"`]([^'"`]+)['"`]/g,
  /\bcreateRequire\([^)]*\)\(\s*['"`]([^'"`]+)['"`]/g,
];

// What a file imports, type-only imports too: packages by name, our own files from the repository's root.
function importsOf({ path, text }: SourceFile): string[] {
  return importForms
    .flatMap((form) => [...text.matchAll(form)].map(([, target = '']) => target))
    .map((target) => (target.startsWith('.') ? join(dirname(path), target) : target));
}

function pathsOf(files: readonly SourceFile[]): string[] {
  return files.map(({ path }) => path);
}

// The files of one import cycle, the first of them again at the end; empty when there is none.
function findCycle(imports: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): readonly string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const target of imports.get(file) ?? []) {
      const cycle = visit(target, [...path, file]);
      if (cycle.length > 0) return cycle;
    }
    done.add(file);
    return [];
  };
  for (const file of imports.keys()) {
    const cycle = visit(file, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
