import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  StartLiveTailCommand,
  type StartLiveTailResponseStream,
} from '@aws-sdk/client-cloudwatch-logs';
import { fetchWithoutProxy } from '../local/loopback-fetch.ts';
import { escapeLogLine } from '../terminal/escape-controls.ts';
import { interruptible, type Report } from './report.ts';
import { type Target, UsageError } from './target.ts';

/** Prints the functions' log lines as they arrive, until Ctrl-C. Each line starts with its service. */
export async function tail(target: Target, report: Report): Promise<void> {
  await interruptible(async (signal) => {
    try {
      for await (const line of await followLog(target, signal)) report.line(escapeLogLine(line));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  });
}

/** Connects to the functions' logs and returns all lines from now on. They end, or throw, when `signal` aborts. */
export async function followLog(target: Target, signal: AbortSignal): Promise<AsyncIterable<string>> {
  return target.isLocal ? followLocal(target, signal) : followDeployed(target, signal);
}

async function followLocal({ webhookUrl }: Target, signal: AbortSignal): Promise<AsyncIterable<string>> {
  const response = await fetchWithoutProxy(new URL('/console/log', webhookUrl), { signal });
  if (!response.body) throw new UsageError('The local pipeline returned no log.');
  return linesIn(response.body);
}

// A generator starts to read when the caller does: readline drops lines that arrive before its iteration starts.
async function* linesIn(body: ReadableStream): AsyncGenerator<string> {
  const input = Readable.fromWeb(body);
  try {
    yield* createInterface({ input });
  } finally {
    input.destroy();
  }
}

async function followDeployed(target: Target, signal: AbortSignal): Promise<AsyncIterable<string>> {
  const client = new CloudWatchLogsClient(target.clientOptions('CLOUDWATCH_LOGS'));
  const services = new Map(Object.entries(target.logGroupNames).map(([service, name]) => [name, service]));
  const logGroupIdentifiers = await Promise.all([...services.keys()].map((name) => readArn(client, name)));
  const { responseStream = [] } = await client.send(new StartLiveTailCommand({ logGroupIdentifiers }), {
    abortSignal: signal,
  });
  return linesOf(responseStream as AsyncIterable<StartLiveTailResponseStream>, services);
}

async function* linesOf(
  stream: AsyncIterable<StartLiveTailResponseStream>,
  services: ReadonlyMap<string, string>,
): AsyncGenerator<string> {
  for await (const { sessionUpdate } of stream) {
    for (const { message = '', logGroupIdentifier = '' } of sessionUpdate?.sessionResults ?? [])
      yield `${services.get(logGroupIdentifier.split(':').at(-1) ?? '') ?? logGroupIdentifier} ${message.trimEnd()}`;
  }
}

// StartLiveTail accepts ARNs only.
async function readArn(client: CloudWatchLogsClient, name: string): Promise<string> {
  const { logGroups = [] } = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name }));
  const arn = logGroups.find(({ logGroupName }) => logGroupName === name)?.logGroupArn;
  if (!arn) throw new UsageError(`There is no log group ${name}: deploy the stack again.`);
  return arn;
}
