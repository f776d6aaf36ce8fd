import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildOptions, Plugin } from 'esbuild';
import { bundling } from '../../infra/uploads-function.ts';
import { bundle, pathOf } from './bundle.ts';
import type { Role, Variant } from './variants.ts';

type Way = {
  readonly name: string;
  /** Ingest unless it is said. */
  readonly role?: Role;
  /** What esbuild is told otherwise. */
  readonly options?: BuildOptions;
  /** Which file of functions/ is another text. */
  readonly edit?: { readonly file: string; readonly to: (text: string) => string };
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether it differs in what a warm function takes, too. */
  readonly servesOn?: boolean;
};

const aliases: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(bundling.esbuildArgs).flatMap(([argument, value]) =>
    argument.startsWith('--alias:') ? [[argument.slice('--alias:'.length), value]] : [],
  ),
);
const secretsFile = 'functions/ingest/webhook-secret-reader.ts';
const atOnce = `const [current, pending, previous] = await Promise.all([read('AWSCURRENT'), read('AWSPENDING'), read('AWSPREVIOUS')]);`;

/** The first of a role is as it is deployed, the others differ from that in one thing: what that buys is the difference. */
const ways = (folder: string): readonly Way[] => [
  { name: 'as deployed', servesOn: true },
  { name: 'not minified', options: { minify: false } },
  { name: "the packages' CommonJS, not their modules", options: { mainFields: ['main', 'module'] } },
  { name: 'with dynamic imports', options: { supported: {} } },
  // They read files.
  {
    name: 'with all providers of credentials',
    options: { alias: without('@aws-sdk/credential-provider-node', 'node:fs/promises') },
  },
  { name: 'with the reader of event streams', options: { alias: without('@smithy/core/event-streams') } },
  { name: 'with the reader of files', options: { alias: without('node:fs/promises') } },
  {
    name: 'with Powertools for logs and metrics',
    edit: {
      file: 'functions/aws/telemetry.ts',
      to: () => readFileSync(pathOf('ways/powertools-telemetry.ts'), 'utf8'),
    },
  },
  {
    name: 'with the secret read by the first request',
    edit: { file: 'functions/ingest/handler.ts', to: replacing(/ {2}secrets\.readAhead\(.*\n/, '') },
  },
  {
    name: 'with the three stages of the secret read at once',
    edit: { file: secretsFile, to: replacing(/const current = await.*?read\('AWSPREVIOUS'\);/s, atOnce) },
  },
  {
    name: "with SQS's checksums",
    edit: { file: 'functions/aws/clients.ts', to: replacing(/, md5: false/, '') },
    servesOn: true,
  },
  {
    name: 'with the settings of clients looked up',
    edit: { file: 'functions/aws/clients.ts', to: replacing(/ {2}retryMode[^}]*?undefined,\n/, '') },
  },
  {
    name: "with the client's layers put together for each message",
    edit: { file: 'functions/aws/clients.ts', to: replacing(/, cacheMiddleware: true/, '') },
    servesOn: true,
  },
  { name: "with V8's code cache (not deployed)", environment: { NODE_COMPILE_CACHE: join(folder, 'code-cache') } },
  { name: 'as deployed', role: 'worker' },
  { name: 'with the reader of files', role: 'worker', options: { alias: without('node:fs/promises') } },
  {
    name: 'with its SQS client made at once',
    role: 'worker',
    edit: {
      file: 'functions/worker/handler.ts',
      to: replacing(
        /createPostponeMessages\(sqsClient,/,
        'createPostponeMessages(((client) => () => client)(sqsClient()),',
      ),
    },
  },
];

/** Builds each way below `folder`; `packages` has Powertools, which the project itself does not. */
export async function buildWays(folder: string, packages: string): Promise<readonly Variant[]> {
  return Promise.all(
    ways(folder).map(
      async ({ name, role = 'ingest', options, edit, environment = {}, servesOn = false }, index): Promise<Variant> => {
        const target = join(folder, `way-${index}`);
        await bundle(pathOf(`../../functions/${role}/handler.ts`), target, {
          supported: { 'dynamic-import': false },
          alias: aliases,
          nodePaths: [packages],
          ...options,
          ...(edit && { plugins: [editing(edit.file, edit.to)] }),
        });
        return { name, role, folder: target, environment, servesOn };
      },
    ),
  );
}

function without(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(aliases).filter(([name]) => !names.includes(name)));
}

// A way that is no longer one must not be measured as if it were.
function replacing(pattern: RegExp, replacement: string): (text: string) => string {
  return (text) => {
    const changed = text.replace(pattern, () => replacement);
    if (changed === text) throw new Error(`bench/ways.ts looks for ${pattern}, and it is not there.`);
    return changed;
  };
}

function editing(file: string, to: (text: string) => string): Plugin {
  return {
    name: 'edit',
    setup: ({ onLoad }) => {
      onLoad({ filter: new RegExp(`${file.replaceAll('.', '\\.')}$`) }, ({ path }) => ({
        contents: to(readFileSync(path, 'utf8')),
        loader: 'ts',
      }));
    },
  };
}
