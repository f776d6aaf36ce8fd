import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { eventTypes } from '../functions/domain/events.ts';
import { type Resource, readStack, targetOf } from './support/synthesized-stack.ts';

// Texts that remain in a minified bundle of what the stubs replace: the SDK's credential providers, its event-stream reader and its
// readers of configuration files.
const stubbed = [
  '@aws-sdk/credential-provider-ini',
  'credential_process',
  'sso_session',
  'sso_start_url',
  'role_arn',
  'web_identity_token_file',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  ':event-type',
  ':message-type',
  /require\("(node:)?fs\/promises"\)/,
];
// Texts in minified bundles of zod, undici and Powertools.
const packages = ['ZodError', 'ZodString', 'UND_ERR', 'undici', 'POWERTOOLS_'];

// Bytes of each bundle. 10 KB add about a tenth of an empty function's cold start (docs/performance.md), so a commit that changes
// a bundle's size must change its number too.
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

  test('is one file without a source map, the same for all functions of its kind', () => {
    expect(others).toEqual([]);
    expect(readdirSync(folder)).toEqual(['index.js']);
    expect(code).not.toContain('sourceMappingURL');
  });

  test('exports the handler of the functions', () => {
    expect(new Set(lambdas().map(({ Properties }) => Properties.Handler))).toEqual(new Set(['index.handler']));
    expect(createRequire(file)(file).handler).toBeTypeOf('function');
  });

  test('requires only modules of Node', () => {
    const required = [...code.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name = '']) => name);
    expect(required).toContain('node:crypto');
    expect(required.filter((name) => !isBuiltin(name))).toEqual([]);
  });

  test('has neither the stubbed parts of the SDK nor zod, undici and Powertools', () => {
    expect([...stubbed, ...packages].filter((mark) => code.search(mark) !== -1)).toEqual([]);
  });

  test('would have all of the stubbed parts without the stubs', async () => {
    const unstubbed = await bundleWithoutStub(entry);
    expect(stubbed.filter((mark) => unstubbed.search(mark) === -1)).toEqual([]);
  });

  test('has the size of test/bundle-sizes.json, within 3 %', () => {
    const { size } = statSync(file);
    const recorded = recordedSizes[entry] ?? 0;
    const isAsRecorded = Math.abs(size - recorded) <= tolerance * recorded;
    expect(
      isAsRecorded ||
        `${entry} has ${size} bytes instead of ${recorded}: if it is worth it, change test/bundle-sizes.json`,
    ).toBe(true);
  });
});

test('the bundle of record-changes has no AWS client', () => {
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
