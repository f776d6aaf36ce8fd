import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { eventTypes } from '../functions/domain/events.ts';
import { type Resource, readStack, targetOf } from './support/synthesized-stack.ts';

// What the SDK's providers of credentials leave behind in a minified bundle: names of settings and of packages.
const marksOfProviders = [
  '@aws-sdk/credential-provider-ini',
  'credential_process',
  'sso_session',
  'sso_start_url',
  'role_arn',
  'web_identity_token_file',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];
// What the SDK's reader of event streams leaves behind.
const marksOfEventStreams = [':event-type', ':message-type'];
// What Node would have to load for it.
const markOfFiles = /require\("(node:)?fs\/promises"\)/;
// Seen in a minified bundle of zod, undici and Powertools.
const marksOfPackages = ['ZodError', 'ZodString', 'UND_ERR', 'undici', 'POWERTOOLS_'];

// Bytes of each bundle. 10 KB cost about a tenth of an empty function's start (docs/performance.md): whoever makes a bundle grow
// changes its number here, in the same commit, where it is seen.
const recordedSizes: Readonly<Record<string, number>> = JSON.parse(
  readFileSync(new URL('./bundle-sizes.json', import.meta.url), 'utf8'),
);
const tolerance = 0.03;

const stack = readStack('connected');
const workers = () => eventTypes.map((event) => stack.worker(event));
const servingOf = (type: string, targetIn: (properties: Resource['Properties']) => unknown) => () => {
  const [{ Properties } = { Properties: {} }] = stack.all(type);
  return stack.all('AWS::Lambda::Function').filter(({ id }) => id === targetOf(targetIn(Properties)));
};

describe.each([
  { entry: 'ingest', lambdas: () => [stack.ingest()] },
  { entry: 'worker', lambdas: workers },
  { entry: 'subscription', lambdas: servingOf('Custom::ArgyleSubscription', ({ ServiceToken }) => ServiceToken) },
  {
    entry: 'rotation',
    lambdas: servingOf('AWS::SecretsManager::RotationSchedule', ({ RotationLambdaARN }) => RotationLambdaARN),
  },
  { entry: 'reconciliation', lambdas: servingOf('AWS::Scheduler::Schedule', ({ Target }) => Target.Arn) },
])('the bundle of $entry', ({ entry, lambdas }) => {
  const [folder = '', ...others] = new Set(lambdas().map(stack.codeOf));
  const file = join(folder, 'index.js');
  const code = readFileSync(file, 'utf8');

  test('is one for all functions of its kind', () => {
    expect(others).toEqual([]);
  });

  test('is one file', () => {
    expect(readdirSync(folder)).toEqual(['index.js']);
  });

  test('has no source map', () => {
    expect(code).not.toContain('sourceMappingURL');
  });

  test('exports the handler that the functions name', () => {
    expect(new Set(lambdas().map(({ Properties }) => Properties.Handler))).toEqual(new Set(['index.handler']));
    expect(createRequire(file)(file).handler).toBeTypeOf('function');
  });

  test('needs nothing but Node', () => {
    const required = [...code.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name = '']) => name);
    expect(required).toContain('node:crypto');
    expect(required.filter((name) => !isBuiltin(name))).toEqual([]);
  });

  test('does not look for credentials in files, at SSO or in containers', () => {
    expect(marksOfProviders.filter((mark) => code.includes(mark))).toEqual([]);
  });

  test('reads no streams of events', () => {
    expect(marksOfEventStreams.filter((mark) => code.includes(mark))).toEqual([]);
  });

  test('loads nothing that reads files of settings', () => {
    expect(markOfFiles.test(code)).toBe(false);
  });

  test('would do all that without the stand-ins', async () => {
    const unstubbed = await bundleWithoutStub(entry);
    const marks = [...marksOfProviders, ...marksOfEventStreams];
    expect(markOfFiles.test(unstubbed)).toBe(true);
    expect(marks.filter((mark) => !unstubbed.includes(mark))).toEqual([]);
  });

  test('has no zod, no undici and no Powertools', () => {
    expect(marksOfPackages.filter((mark) => code.includes(mark))).toEqual([]);
  });

  test('weighs what test/bundle-sizes.json records, within 3 %', () => {
    const { size } = statSync(file);
    const recorded = recordedSizes[entry] ?? 0;
    const isAsRecorded = Math.abs(size - recorded) <= tolerance * recorded;
    expect(isAsRecorded || `${entry} has ${size} bytes, recorded are ${recorded}: is it worth it?`).toBe(true);
  });
});

test('the bundle that describes changes has no client of AWS', () => {
  const [lambda] = servingOf('AWS::Pipes::Pipe', ({ Enrichment }) => Enrichment)();
  const code = lambda ? readFileSync(join(stack.codeOf(lambda), 'index.js'), 'utf8') : '';
  expect(code).toContain('ChangesPublished');
  expect(code).not.toContain('AWS_ENDPOINT_URL');
  expect(code.length).toBeLessThan(60_000);
});

async function bundleWithoutStub(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`../functions/${entry}/handler.ts`, import.meta.url))],
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    mainFields: ['module', 'main'],
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}
