import { cpSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App, Stack } from 'aws-cdk-lib';
import { Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { build } from 'esbuild';
import { environment } from '../../functions/aws/environment.ts';
import { lockedPackages } from '../../test/support/emulators/cached-installation.ts';
import { synthesize, withoutStageSettings } from '../local/synthesize.ts';
import { readTemplate, type Template } from '../local/template.ts';

export type Role = 'ingest' | 'worker';

/** A function as it would be deployed: a folder with `index.js`, which exports `handler`. */
export type Variant = { readonly name: string; readonly role: Role; readonly folder: string };

/** The names by which the report selects variants. */
export const names = {
  empty: 'empty function',
  deployed: 'as deployed',
  defaults: "the same code, NodejsFunction's defaults",
  bestPractice: 'common best practice',
  floor: 'floor: signed by hand, no SDK',
} as const;

type Folders = Readonly<Record<Role, string>>;

const empty = 'export const handler = async () => ({ statusCode: 200, batchItemFailures: [] });';

/** Builds all variants below `folder`. */
export async function buildVariants(folder: string): Promise<readonly Variant[]> {
  const variants: Readonly<Record<string, Folders>> = {
    [names.empty]: await bundleRoles(() => empty, join(folder, 'empty')),
    [names.deployed]: await deployedCode(join(folder, 'deployed')),
    [names.defaults]: defaultCode(join(folder, 'defaults')),
    [names.bestPractice]: await bestPracticeCode(join(folder, 'best-practice')),
    [names.floor]: await bundleRoles(
      (role) => `export { ${role} as handler } from './floor.ts'`,
      join(folder, 'floor'),
    ),
  };
  return (['ingest', 'worker'] as const).flatMap((role) =>
    Object.entries(variants).map(([name, folders]) => ({ name, role, folder: folders[role] })),
  );
}

/** Bundles the source text of an entry into `target` as index.js. Its imports are relative to `from`. */
export async function bundle(contents: string, target: string, from = pathOf('.')): Promise<void> {
  await build({
    ...{ stdin: { contents, resolveDir: from, loader: 'ts' }, outfile: join(target, 'index.js'), logLevel: 'error' },
    ...{
      bundle: true,
      minify: true,
      platform: 'node',
      target: 'node24',
      format: 'cjs',
      mainFields: ['module', 'main'],
    },
  });
}

async function bundleRoles(contentsOf: (role: Role) => string, target: string, from?: string): Promise<Folders> {
  const [ingest, worker] = [join(target, 'built-ingest'), join(target, 'built-worker')];
  await bundle(contentsOf('ingest'), ingest, from);
  await bundle(contentsOf('worker'), worker, from);
  return { ingest, worker };
}

// The code that `cdk deploy` would upload.
async function deployedCode(target: string): Promise<Folders> {
  const { directory, remove } = await synthesize(withoutStageSettings, { validation: false });
  cpSync(directory, target, { recursive: true });
  await remove();
  return codeOf(readTemplate(target), { ingest: environment.quarantineQueueUrl, worker: environment.eventType });
}

// NodejsFunction without bundling options, with the feature flags of cdk.json.
function defaultCode(outdir: string): Folders {
  const { context } = JSON.parse(readFileSync(pathOf('../../cdk.json'), 'utf8'));
  const app = new App({ outdir, context });
  const stack = new Stack(app, 'Defaults');
  for (const role of ['ingest', 'worker'])
    new NodejsFunction(stack, role, {
      entry: pathOf(`../../functions/${role}/handler.ts`),
      runtime: Runtime.NODEJS_24_X,
      depsLockFilePath: pathOf('../../package-lock.json'),
      environment: { [role]: 'names the role' },
    });
  app.synth();
  return codeOf(readTemplate(outdir), { ingest: 'ingest', worker: 'worker' });
}

// Finds the function of each role by a variable that only it has.
function codeOf(template: Template, variables: Readonly<Record<Role, string>>): Folders {
  const folderOf = (role: Role) => {
    const lambda = template
      .ofType('AWS::Lambda::Function')
      .find(({ properties }) => variables[role] in (properties.Environment?.Variables ?? {}));
    if (!lambda) throw new Error(`No function of ${template.stackName} has the variable ${variables[role]}.`);
    return template.codeDirectory(lambda);
  };
  return { ingest: folderOf('ingest'), worker: folderOf('worker') };
}

// Its packages are installed once, into the user's cache: as dependencies they would double what `npm ci` installs.
async function bestPracticeCode(target: string): Promise<Folders> {
  const installed = await lockedPackages('best-practice', pathOf('best-practice'));
  cpSync(pathOf('best-practice'), target, { recursive: true });
  symlinkSync(join(installed, 'node_modules'), join(target, 'node_modules'));
  return bundleRoles((role) => `export { handler } from './${role}.ts'`, target, target);
}

function pathOf(relativePath: string): string {
  return fileURLToPath(new URL(relativePath, import.meta.url));
}
