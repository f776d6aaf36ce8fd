import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { readTemplate } from '../local/template.ts';
import { pathOf } from './bundle.ts';

/**
 * Bundles ingest and the worker with NodejsFunction as it is: no bundling options, with the feature flags of cdk.json. Gives
 * the folder of each. They take the AWS SDK from where Lambda has it: `sdkFolder` stands in for that.
 */
export function buildDefaults(folder: string): { readonly ingest: string; readonly worker: string } {
  const outdir = join(folder, 'defaults');
  const { context } = JSON.parse(readFileSync(pathOf('../../cdk.json'), 'utf8')) as {
    context: Record<string, unknown>;
  };
  const app = new App({ outdir, context });
  const stack = new Stack(app, 'Defaults');
  const id = { ingest: 'Ingest', worker: 'Worker' };
  for (const [entry, name] of Object.entries(id)) {
    new NodejsFunction(stack, name, {
      entry: pathOf(`../../functions/${entry}/handler.ts`),
      runtime: Runtime.NODEJS_24_X,
      depsLockFilePath: pathOf('../../package-lock.json'),
    });
  }
  app.synth();
  const template = readTemplate(outdir);
  const folderOf = (name: string) => {
    const lambda = template.ofType('AWS::Lambda::Function').find(({ logicalId }) => logicalId.startsWith(name));
    if (!lambda) throw new Error(`There is no function ${name} in the stack of the defaults.`);
    return template.codeDirectory(lambda);
  };
  return { ingest: folderOf(id.ingest), worker: folderOf(id.worker) };
}

/** Where the bundles with defaults find the AWS SDK, as they do in /var/runtime/node_modules. */
export const sdkFolder = pathOf('../../node_modules');
