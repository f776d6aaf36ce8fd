import { availableParallelism } from 'node:os';
import { environment } from '../../functions/aws/environment.ts';
import { type AwsService, endpointNames } from './emulators.ts';
import { forkEnvironment, type Lambda, nameOf, type StartEnvironment, startLambda } from './lambda.ts';
import { type LocalStack, type Resource, resolve } from './template.ts';

export type FunctionOptions = {
  /** Called with each line that a function prints. */
  readonly onLog: (functionName: string, line: string) => void;
  readonly endpoints: Readonly<Record<AwsService, string>>;
  /** Starts a proxy between the functions and a service, and returns its endpoint. */
  readonly interpose?: (service: AwsService, endpoint: string) => Promise<string>;
  /** Replaces the URL of Argyle's API in the template. */
  readonly argyle?: { readonly url: string };
  /** By default, functions run in child processes of this one. */
  readonly startEnvironment?: StartEnvironment;
};

// Execution environments of a function. Those behind the API get one for each core: more would only compile the same code
// again. Lambda itself starts as many as it needs.
const requestConcurrency = Math.min(4, Math.max(2, availableParallelism()));
const defaultConcurrency = 1;

/** Starts the template's functions with their environment variables and the emulators' endpoints; returns them by logical id. */
export async function startFunctions(
  stack: LocalStack,
  options: FunctionOptions,
): Promise<ReadonlyMap<string, Lambda>> {
  const endpoints = await endpointVariables(options);
  const routed = stack.template
    .ofType('AWS::ApiGatewayV2::Integration')
    .map(({ properties }) => nameOf(resolve(properties.IntegrationUri, stack.identities)));
  const starting = stack.template.ofType('AWS::Lambda::Function').map((resource) => {
    const concurrency = routed.includes(resource.logicalId) ? requestConcurrency : defaultConcurrency;
    return startFunction(resource, concurrency, endpoints, stack, options);
  });
  const started = await Promise.allSettled(starting);
  const failed = started.find((result) => result.status === 'rejected');
  const functions = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (!failed) return new Map(functions.map((lambda) => [lambda.name, lambda]));
  for (const lambda of functions) lambda.stop();
  throw failed.reason;
}

async function startFunction(
  resource: Resource,
  concurrency: number,
  endpoints: Readonly<Record<string, string>>,
  { template, identities }: LocalStack,
  { argyle, onLog, startEnvironment = forkEnvironment }: FunctionOptions,
): Promise<Lambda> {
  const { logicalId, properties } = resource;
  const variables = resolve<Record<string, string>>(properties.Environment?.Variables ?? {}, identities);
  const argyleUrl = argyle && environment.argyleApiUrl in variables ? { [environment.argyleApiUrl]: argyle.url } : {};
  return startLambda({
    name: logicalId,
    codeDirectory: template.codeDirectory(resource),
    handler: properties.Handler,
    environment: { ...variables, ...argyleUrl, ...endpoints },
    timeoutSeconds: properties.Timeout,
    memoryMegabytes: properties.MemorySize,
    concurrency,
    onLog: (line) => onLog(logicalId, line),
    startEnvironment,
  });
}

async function endpointVariables({ endpoints, interpose }: FunctionOptions): Promise<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const [service, endpoint] of Object.entries(endpoints) as [AwsService, string][])
    variables[`AWS_ENDPOINT_URL_${endpointNames[service]}`] = (await interpose?.(service, endpoint)) ?? endpoint;
  return variables;
}
