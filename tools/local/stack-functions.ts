import { availableParallelism } from 'node:os';
import { environment } from '../../functions/aws/environment.ts';
import { type AwsService, endpointNames } from './engines.ts';
import { forkEnvironment, type StartEnvironment } from './execution-environment.ts';
import { type Lambda, nameOf, startLambda } from './lambda.ts';
import type { LocalStack } from './template.ts';
import { resolve } from './template.ts';

/** What the functions are run with, beside the template. */
export type FunctionOptions = {
  readonly onLog: (functionName: string, line: string) => void;
  /** The engines' endpoints, by service. */
  readonly endpoints: Readonly<Record<AwsService, string>>;
  /** Gives another endpoint to use instead. */
  readonly interpose?: (service: AwsService, endpoint: string) => Promise<string>;
  /** Replaces the API that the template names, which leads out of this machine. */
  readonly argyle?: { readonly url: string };
  readonly startEnvironment?: StartEnvironment;
};

// Execution environments of one function here, at most one a core: more only compile the same code once more. Lambda scales
// further.
const requestConcurrency = Math.min(4, Math.max(2, availableParallelism()));
const usualConcurrency = 1;

/** Starts the template's functions, by logical id, with the template's environment and the engines' endpoints. */
export async function startFunctions(
  stack: LocalStack,
  options: FunctionOptions,
): Promise<ReadonlyMap<string, Lambda>> {
  const { template, identities } = stack;
  const engines = await endpointVariables(options);
  const routed = template
    .ofType('AWS::ApiGatewayV2::Integration')
    .map(({ properties }) => nameOf(resolve(properties.IntegrationUri, identities)));
  const starting = template.ofType('AWS::Lambda::Function').map(async (resource): Promise<[string, Lambda]> => {
    const { logicalId, properties } = resource;
    const variables = resolve<Record<string, string>>(properties.Environment?.Variables ?? {}, identities);
    const lambda = await startLambda({
      name: logicalId,
      codeDirectory: template.codeDirectory(resource),
      handler: properties.Handler,
      environment: { ...variables, ...standIns(variables, options), ...engines },
      timeoutSeconds: properties.Timeout,
      memoryMegabytes: properties.MemorySize,
      concurrency: routed.includes(logicalId) ? requestConcurrency : usualConcurrency,
      onLog: (line) => options.onLog(logicalId, line),
      startEnvironment: options.startEnvironment ?? forkEnvironment,
    });
    return [logicalId, lambda];
  });
  const started = await Promise.allSettled(starting);
  const failed = started.find((result) => result.status === 'rejected');
  const functions = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (!failed) return new Map(functions);
  for (const [, lambda] of functions) lambda.stop();
  throw failed.reason;
}

async function endpointVariables({ endpoints, interpose }: FunctionOptions): Promise<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const [service, endpoint] of Object.entries(endpoints) as [AwsService, string][])
    variables[`AWS_ENDPOINT_URL_${endpointNames[service]}`] = (await interpose?.(service, endpoint)) ?? endpoint;
  return variables;
}

function standIns(variables: Readonly<Record<string, string>>, { argyle }: FunctionOptions): Record<string, string> {
  return argyle && environment.argyleApiUrl in variables ? { [environment.argyleApiUrl]: argyle.url } : {};
}
