import { createServer } from 'node:http';
import { type ConsoleOptions, createConsole, createLogStream } from '../console/console.ts';
import { createArgyleControl } from '../fake-argyle/control.ts';
import { startChangeFeed } from './change-feed.ts';
import { type CloudFormation, createCustomResources } from './cloudformation.ts';
import { type AwsService, type EngineHooks, type Engines, endpointNames, startEngines } from './engines.ts';
import type { StartEnvironment } from './execution-environment.ts';
import { createGateway } from './gateway.ts';
import type { Lambda } from './lambda.ts';
import { close, listen, onPort } from './loopback.ts';
import { provisionStack, type StackOptions } from './provision-stack.ts';
import { rotateSecret } from './rotate-secret.ts';
import { type Schedule, schedulesOf } from './schedules.ts';
import type { LocalSecret } from './secret.ts';
import { startFunctions } from './stack-functions.ts';
import type { LocalStack } from './template.ts';
import { resolve } from './template.ts';
import { consoleView, routesOf, runEventSources } from './wiring.ts';

export type { AwsService } from './engines.ts';
export type { ArgyleStandIn } from './provision-stack.ts';

/** What the local pipeline is started with; port 0 takes a free one. */
export type PipelineOptions = StackOptions & {
  readonly ports: { readonly gateway: number; readonly dynamodb: number; readonly sqs: number };
  /** Each line that a function prints. */
  readonly onLog: (functionName: string, line: string) => void;
  /** Puts something between the functions and an engine, to watch or to disturb: gives the endpoint to use instead. */
  readonly interpose?: (service: AwsService, endpoint: string) => Promise<string>;
  /** What the functions run in; by default child processes. */
  readonly startEnvironment?: StartEnvironment;
};

/** The running pipeline. */
export type Pipeline = LocalStack & {
  readonly webhookUrl: string;
  readonly dynamodbEndpoint: string;
  readonly sqsEndpoint: string;
  /** The secrets by ARN or name; what is changed here is what the functions read next. */
  readonly secrets: Map<string, LocalSecret>;
  readonly functions: ReadonlyMap<string, Lambda>;
  /** What the template's schedules start, by their logical id. Here nothing starts by itself. */
  readonly schedules: ReadonlyMap<string, Schedule>;
  readonly cloudformation: CloudFormation;
  readonly stop: () => Promise<void>;
};

/**
 * Runs the synthesized stack on this machine: embedded engines provisioned from the template, the bundled functions
 * in child processes, API Gateway and Lambda's event source mappings emulated. Throws one sentence when a port is taken.
 */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const stops: (() => unknown)[] = [];
  const stop = async () => {
    for (const stopOne of stops.splice(0).reverse()) await stopOne();
  };
  try {
    return await start(options, stops, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(options: PipelineOptions, stops: (() => unknown)[], stop: () => Promise<void>): Promise<Pipeline> {
  const server = createServer();
  stops.push(() => close(server));
  const gatewayUrl = await onPort('PORT', options.ports.gateway, listen(server, options.ports.gateway));
  let functions: ReadonlyMap<string, Lambda> = new Map();
  const hooks: EngineHooks = {
    functions: () => functions,
    rotate: (token) => rotateSecret({ ...stack, secrets, functions }, token),
  };
  const engines = await startEngines(options.ports, hooks, (engine) => {
    stops.push(engine.stop);
    return engine.endpoint;
  });
  const { secrets, cloudformation } = engines;
  const stack = await provisionStack(options, engines, gatewayUrl);

  const feed = await startChangeFeed(stack, engines, hooks.functions);
  stops.push(feed.stop);
  const log = createLogStream();
  const onLog: PipelineOptions['onLog'] = (functionName, line) => {
    log.publish(functionName, line);
    options.onLog(functionName, line);
  };
  functions = await startFunctions(stack, {
    ...options,
    onLog,
    endpoints: { ...engines.endpoints, dynamodb: feed.endpoint },
  });
  const polling = new AbortController();
  const sources = runEventSources(stack, functions, engines.sqs, polling.signal);
  stops.push(async () => {
    await close(server);
    polling.abort();
    for (const lambda of functions.values()) lambda.stop();
    await sources;
  });

  const webhookUrl = `${gatewayUrl}/webhooks/argyle`;
  const console = createConsole({ ...consoleOptions(options, stack, engines, webhookUrl), log, changes: feed.changes });
  server.on('request', createGateway(routesOf(stack, functions), console));
  // Without a stand-in they would reach the real Argyle.
  if (options.argyle) await createCustomResources(stack, functions, cloudformation);
  const schedules = schedulesOf(stack, functions);
  const { dynamodb: dynamodbEndpoint, sqs: sqsEndpoint } = engines.endpoints;
  return { webhookUrl, dynamodbEndpoint, sqsEndpoint, ...stack, secrets, functions, schedules, cloudformation, stop };
}

function consoleOptions(
  { argyle, webhookSecret }: PipelineOptions,
  stack: LocalStack,
  { endpoints, dynamodb, sqs }: Engines,
  webhookUrl: string,
): Omit<ConsoleOptions, 'log' | 'changes'> {
  const services = Object.entries(endpoints) as [AwsService, string][];
  return {
    dynamodb,
    sqs,
    webhookUrl,
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
