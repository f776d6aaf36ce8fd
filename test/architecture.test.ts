import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { eventTypes } from '../functions/domain/events.ts';

type SourceFile = { readonly path: string; readonly text: string };

const repository = fileURLToPath(new URL('..', import.meta.url));
const drawers = ['bench', 'cli', 'figures', 'functions', 'infra', 'local', 'conformance', 'docs', 'test'];
const source = drawers.flatMap(readSource);

describe('arrows go one way', () => {
  const rules = [
    { drawer: 'the domain', files: /^functions\/domain\//, mayImport: /^functions\/domain\/|^node:crypto$/ },
    {
      drawer: 'what talks to AWS',
      files: /^functions\/aws\//,
      mayImport: /^functions\/(aws|domain|argyle)\/|^functions\/(environment|metric-names)\.ts$|^@aws-sdk\//,
    },
    {
      drawer: "what talks to Argyle's API",
      files: /^functions\/argyle\//,
      mayImport: /^functions\/(argyle|domain)\//,
    },
    {
      drawer: 'an entry, or a step of one',
      files: /^functions\/(?!environment|metric-names|output-names)[\w-]+\.ts$/,
      mayImport: /^functions\/|^aws-lambda$/,
    },
    {
      drawer: 'a list of names',
      files: /^functions\/(environment|metric-names|output-names)\.ts$/,
      mayImport: /^functions\/domain\//,
    },
    {
      drawer: 'the infrastructure',
      files: /^infra\//,
      mayImport:
        /^infra\/|^functions\/domain\/|^functions\/(environment|metric-names|output-names)\.ts$|^(aws-cdk-lib|constructs|cdk-nag)\b|^node:/,
    },
    {
      drawer: 'the local pipeline',
      files: /^local\/(?!console\/page\/)/,
      mayImport:
        /^(?!infra\/|conformance\/|test\/|docs\/|cli\/(?!(dead|move)-messages\.ts$)|functions\/(?!domain\/|(environment|metric-names)\.ts$)|aws-cdk-lib\b|constructs\b)/,
    },
    {
      drawer: "the console's page, which runs in a browser,",
      files: /^local\/console\/page\//,
      mayImport: /^local\/console\/page\//,
    },
    {
      drawer: 'the conformance suite',
      files: /^conformance\//,
      mayImport: /^conformance\/|^functions\/domain\/(events|upload-record)\.ts$|^@aws-sdk\/|^node:/,
    },
    {
      drawer: 'the command line',
      files: /^cli\//,
      mayImport:
        /^cli\/|^functions\/domain\/|^functions\/(metric-names|output-names)\.ts$|^local\/send-samples\.ts$|^(@aws-sdk\/|commander$|cli-progress$|node:)/,
    },
    {
      drawer: 'the figures',
      files: /^figures\//,
      mayImport:
        /^figures\/|^local\/|^functions\/domain\/|^functions\/(environment|metric-names)\.ts$|^aws-lambda$|^node:/,
    },
    {
      drawer: 'the benchmark',
      files: /^bench\/(?!best-practice\/|ways\/)/,
      mayImport:
        /^(bench|functions|local)\/|^test\/support\/installed-part\.ts$|^infra\/node-function\.ts$|^test\/support\/installed-part\.ts$|^(aws-cdk-lib\b|aws-lambda$|esbuild$|node:)/,
    },
    {
      drawer: 'what the benchmark compares with',
      files: /^bench\/(best-practice|ways)\//,
      mayImport: /^bench\/best-practice\/|^(@aws-lambda-powertools\/|@aws-sdk\/|@middy\/core$|aws-lambda$|zod$|node:)/,
    },
    { drawer: 'the documentation', files: /^docs\//, mayImport: /^functions\/domain\/|^node:/ },
  ];

  test.each(rules)('$drawer imports only what it may', ({ files, mayImport }) => {
    const ruled = source.filter(({ path }) => files.test(path));
    const breaches = ruled.flatMap((file) =>
      importsOf(file)
        .filter((target) => !mayImport.test(target))
        .map((target) => `${file.path} → ${target}`),
    );
    expect(ruled).not.toEqual([]);
    expect(breaches).toEqual([]);
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
    expect(pathsOf(functions.filter(({ text }) => text.includes('process.env')))).toEqual(['functions/environment.ts']);
  });

  test.each([
    ['the environment', /\bprocess\b/],
    [
      'the clock',
      /\bDate\.now\b|\bnew Date\(\s*\)|\bnew Date\b(?!\()|(?<!new )\bDate\(|\bperformance\b|\bTemporal\.Now\b/,
    ],
    ['chance', /\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\brandomInt\b|\bgetRandomValues\b/],
  ])('the domain knows nothing of %s', (_, impure) => {
    const domain = functions.filter(({ path }) => path.startsWith('functions/domain/'));
    expect(pathsOf(domain.filter(({ text }) => impure.test(text)))).toEqual([]);
  });
});

test.each(eventTypes)('only the catalogue names %s', (event) => {
  const naming = source.filter(
    ({ path, text }) => /^(functions|infra|conformance)\//.test(path) && text.includes(event),
  );
  expect(pathsOf(naming)).toEqual(['functions/domain/events.ts']);
});

test('nothing is put into a drawer for everything', () => {
  const names = source.flatMap(({ path }) => path.split('/')).map((name) => basename(name, '.ts'));
  expect(names.filter((name) => /^(utils?|helpers?|common|shared|services?|misc|lib|types|index)$/.test(name))).toEqual(
    [],
  );
});

function readSource(drawer: string): SourceFile[] {
  return readdirSync(join(repository, drawer), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join(drawer, path))
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
