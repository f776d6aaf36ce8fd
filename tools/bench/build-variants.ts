import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { environment } from '../../functions/aws/environment.ts';
import { synthesize } from '../local/synthesize.ts';
import { readTemplate } from '../local/template.ts';
import { buildBestPractice } from './best-practice.ts';
import { bundle, pathOf } from './bundle.ts';
import { buildDefaults, sdkFolder } from './default-bundles.ts';
import { names, type Role, type Variant } from './variants.ts';
import { buildWays } from './ways.ts';

const credentialsId = 'argyle/api-key';

/** The functions and what they are compared with; and ingest in other ways, to see what each thing buys. */
export type Variants = { readonly compared: readonly Variant[]; readonly ways: readonly Variant[] };

/** Builds all variants below `folder`; `argyleUrl` is the base URL of Argyle's API for those that ask it. */
export async function buildVariants(folder: string, argyleUrl: string): Promise<Variants> {
  const plain = await deployedCode(join(folder, 'plain'), { stage: 'sandbox' });
  const connected = await deployedCode(join(folder, 'connected'), {
    stage: 'sandbox',
    argyleCredentials: credentialsId,
  });
  const defaults = buildDefaults(folder);
  const bestPractice = await buildBestPractice(folder);
  const own = async (file: string) => {
    const target = join(folder, file.replaceAll(/\W/g, '-'));
    await bundle(pathOf(file), target);
    return target;
  };
  const empty = await own('empty-function.ts');
  const variant = (name: string, role: Role, code: string, variables = {}): Variant => ({
    name,
    role,
    folder: code,
    environment: variables,
    servesOn: true,
  });
  const argyle = { [environment.argyleApiUrl]: argyleUrl, [environment.argyleCredentialsId]: credentialsId };
  const compared = [
    variant(names.empty, 'ingest', empty),
    variant(names.deployed, 'ingest', plain.ingest),
    variant(names.defaults, 'ingest', defaults.ingest, { NODE_PATH: sdkFolder }),
    variant(names.bestPractice, 'ingest', bestPractice.ingest),
    variant(names.floor, 'ingest', await own('floor/ingest.ts')),
    variant(names.empty, 'worker', empty),
    variant(names.deployed, 'worker', plain.worker),
    variant(names.connected, 'worker', connected.worker, argyle),
    variant(names.defaults, 'worker', defaults.worker, { NODE_PATH: sdkFolder }),
    variant(names.bestPractice, 'worker', bestPractice.worker),
    variant(names.floor, 'worker', await own('floor/worker.ts')),
  ];
  return { compared, ways: await buildWays(folder, bestPractice.packages) };
}

// The code that `cdk deploy` would send, by what its functions are told.
async function deployedCode(
  target: string,
  context: Readonly<Record<string, string>>,
): Promise<Readonly<Record<Role, string>>> {
  const { directory, remove } = await synthesize(context);
  const template = readTemplate(directory);
  const codeWith = (variable: string) => {
    const lambda = template
      .ofType('AWS::Lambda::Function')
      .find(({ properties }) => variable in (properties.Environment?.Variables ?? {}));
    if (!lambda) throw new Error(`No function of the template has the variable ${variable}.`);
    return template.codeDirectory(lambda);
  };
  const code = { ingest: join(target, 'ingest'), worker: join(target, 'worker') };
  cpSync(codeWith(environment.quarantineQueueUrl), code.ingest, { recursive: true });
  cpSync(codeWith(environment.eventType), code.worker, { recursive: true });
  await remove();
  return code;
}
