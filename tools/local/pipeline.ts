import type { IncomingMessage, RequestListener } from 'node:http';
import { type ConsoleOptions, createConsole, createLogStream } from '../console/console.ts';
import { createArgyleControl } from '../fake-argyle/control.ts';
import { startChangeFeed } from './change-feed.ts';
import { type CloudFormation, createCustomResources } from './cloudformation.ts';
import { type AwsService, type Emulators, endpointNames, startEmulators } from './emulators.ts';
import { createGateway } from './gateway.ts';
import type { Lambda } from './lambda.ts';
import { close, listen, onPort } from './loopback.ts';
import { provisionStack, type StackOptions } from './provision.ts';
import { type LocalSecret, rotateSecret } from './secrets-manager.ts';
import { type FunctionOptions, startFunctions } from './stack-functions.ts';
import { type LocalStack, resolve } from './template.ts';
import { consoleView, routesOf, runEventSources, type Schedule, schedulesOf } from './wiring.ts';

/** Options of the local pipeline. Port 0 takes a free port. */
export type PipelineOptions = StackOptions &
  Omit<FunctionOptions, 'endpoints'> & {
    readonly ports: { readonly gateway: number; readonly dynamodb: number; readonly sqs: number };
  };

/** The running local pipeline. */
export type Pipeline = LocalStack & {
  readonly webhookUrl: string;
  readonly dynamodbEndpoint: string;
  readonly sqsEndpoint: string;
  /** The secrets by ARN or name. The functions read changes of this map at once. */
  readonly secrets: Map<string, LocalSecret>;
  readonly functions: ReadonlyMap<string, Lambda>;
  /** By logical id. The local pipeline never starts them on its own. */
  readonly schedules: ReadonlyMap<string, Schedule>;
  readonly cloudformation: CloudFormation;
  readonly stop: () => Promise<void>;
};

type Stops = (() => unknown)[];

const webhookPath = '/webhooks/argyle';

/**
 * Runs the synthesized stack on this machine: emulators of AWS services, provisioned from the template; the bundled
 * functions in child processes; API Gateway and Lambda's event source mappings. Throws an error that names the variable when
 * a port is taken.
 */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const stops: Stops = [];
  const stop = async () => {
    for (const stopOne of stops.splice(0).reverse()) await stopOne();
  };
  try {
    return { ...(await start(options, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(options: PipelineOptions, stops: Stops): Promise<Omit<Pipeline, 'stop'>> {
  const gateway = Promise.withResolvers<RequestListener>();
  const { server, endpoint: gatewayUrl } = await onPort(
    'PORT',
    options.ports.gateway,
    listen(async (...exchange) => (await gateway.promise)(...exchange), options.ports.gateway, isWebhook),
  );
  stops.push(() => close(server));
  const webhookUrl = `${gatewayUrl}${webhookPath}`;
  // Filled below: the functions need the emulators' endpoints first.
  const functions = new Map<string, Lambda>();
  const rotate = (token: string) => rotateSecret({ ...stack, secrets, functions }, token);
  const emulators = await startEmulators(options.ports, { functions, rotate }, ({ stop }) => stops.push(stop));
  const { secrets, cloudformation, endpoints } = emulators;
  const stack = await provisionStack(options, emulators, gatewayUrl);
  const feed = await startChangeFeed(stack, emulators, functions);
  stops.push(feed.stop);

  const log = createLogStream();
  const functionOptions = {
    ...options,
    endpoints: { ...endpoints, dynamodb: feed.endpoint },
    onLog: (functionName: string, line: string) => {
      log.publish(functionName, line);
      options.onLog(functionName, line);
    },
  };
  for (const [name, lambda] of await startFunctions(stack, functionOptions)) functions.set(name, lambda);
  const polling = new AbortController();
  const sources = runEventSources(stack, functions, emulators.sqs, polling.signal);
  stops.push(async () => {
    await close(server);
    polling.abort();
    for (const lambda of functions.values()) lambda.stop();
    await sources;
  });

  const consoleOptions = { ...consoleOptionsOf(options, stack, emulators), webhookUrl, log, changes: feed.changes };
  gateway.resolve(createGateway(routesOf(stack, functions), createConsole(consoleOptions)));
  // Without a fake Argyle, the custom resources would call the real one.
  if (options.argyle) await createCustomResources(stack, functions, cloudformation);
  const schedules = schedulesOf(stack, functions);
  const { dynamodb: dynamodbEndpoint, sqs: sqsEndpoint } = endpoints;
  return { ...stack, webhookUrl, dynamodbEndpoint, sqsEndpoint, secrets, functions, schedules, cloudformation };
}

// Argyle's own webhooks arrive through a tunnel, under the tunnel's host name. Their guard is the signature.
function isWebhook({ method, url = '' }: IncomingMessage): boolean {
  return method === 'POST' && url.split('?', 1)[0] === webhookPath;
}

function consoleOptionsOf(
  { argyle, webhookSecret }: PipelineOptions,
  stack: LocalStack,
  { endpoints, dynamodb, sqs }: Emulators,
): Omit<ConsoleOptions, 'webhookUrl' | 'log' | 'changes'> {
  const services = Object.entries(endpoints) as [AwsService, string][];
  return {
    dynamodb,
    sqs,
    webhookSecret,
    argyle: argyle && createArgyleControl(argyle.controlUrl),
    stack: {
      stackName: stack.template.stackName,
      outputs: resolve<object>(stack.template.outputs, stack.identities),
      endpoints: Object.fromEntries(services.map(([service, endpoint]) => [endpointNames[service], endpoint])),
    },
    ...consoleView(stack),
  };
}
