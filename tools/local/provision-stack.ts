import { environment } from '../../functions/aws/environment.ts';
import type { Engines } from './engines.ts';
import { provision } from './provision.ts';
import { createSecret } from './secret.ts';
import type { LocalStack } from './template.ts';
import { readTemplate } from './template.ts';
import { valuesOf } from './wiring.ts';

/** Argyle's API on this machine: its base URL, and what the secret with the credentials holds. */
export type ArgyleStandIn = {
  readonly url: string;
  readonly controlUrl: string;
  readonly credentials: { readonly apiKeyId: string; readonly apiKeySecret: string };
};

/** What the stack is made from. */
export type StackOptions = {
  /** The folder of a cloud assembly, outside of the repository. */
  readonly assembly: string;
  readonly webhookSecret: string;
  /** The stand-in for Argyle's API, with the key to it; a stack without credentials asks nobody. */
  readonly argyle?: ArgyleStandIn;
  readonly onWarning: (text: string) => void;
};

/** Makes the resources of the synthesized stack in the engines. Warns of the types that are not known here. */
export async function provisionStack(options: StackOptions, engines: Engines, gatewayUrl: string): Promise<LocalStack> {
  const template = readTemplate(options.assembly);
  const { webhookSecret } = options;
  const sqsEndpoint = engines.endpoints.sqs;
  const target = { ...engines, sqsEndpoint, gatewayUrl, webhookSecret };
  const { identities, unknownTypes } = await provision(template, target);
  for (const type of unknownTypes)
    options.onWarning(`The local pipeline leaves out ${type}: it does not know that type.`);
  const stack = { template, identities };
  // The credentials' secret is the customer's own: the template names it and does not make it.
  for (const id of options.argyle ? valuesOf(environment.argyleCredentialsId, stack) : [])
    engines.secrets.set(id, createSecret(JSON.stringify(options.argyle?.credentials)));
  return stack;
}
