import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { eventTypes } from '../functions/domain/events.ts';
import { readStack, targetOf } from './support/synthesized-stack.ts';

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
// Seen in a minified bundle of zod and undici.
const marksOfPackages = ['ZodError', 'ZodString', 'UND_ERR', 'undici'];

const stack = readStack('connected');
const workers = () => eventTypes.map((event) => stack.worker(event));
const servingOf = (type: string, property: string) => () => {
  const [{ Properties } = { Properties: {} }] = stack.all(type);
  return stack.all('AWS::Lambda::Function').filter(({ id }) => id === targetOf(Properties[property]));
};

describe.each([
  { entry: 'ingest', lambdas: () => [stack.ingest()] },
  { entry: 'worker', lambdas: workers },
  { entry: 'subscription', lambdas: servingOf('Custom::ArgyleSubscription', 'ServiceToken') },
  { entry: 'rotation', lambdas: servingOf('AWS::SecretsManager::RotationSchedule', 'RotationLambdaARN') },
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

  test('would do so if the providers were not stubbed', async () => {
    const unstubbed = await bundleWithoutStub(entry);
    expect(marksOfProviders.filter((mark) => !unstubbed.includes(mark))).toEqual([]);
  });

  test('has no zod and no undici', () => {
    expect(marksOfPackages.filter((mark) => code.includes(mark))).toEqual([]);
  });

  test('is smaller than 300 KB', () => {
    expect(statSync(file).size).toBeLessThan(300_000);
  });
});

async function bundleWithoutStub(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`../functions/${entry}.ts`, import.meta.url))],
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    mainFields: ['module', 'main'],
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}
