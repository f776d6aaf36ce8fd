import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { CloudWatchLogsClient, DescribeLogGroupsCommand, StartLiveTailCommand } from '@aws-sdk/client-cloudwatch-logs';
import { type Target, UsageError } from './target.ts';

/** Prints the functions' log lines as they come, until Ctrl-C: each begins with its function's service. */
export async function tail(target: Target, print: (line: string) => void, signal: AbortSignal): Promise<void> {
  const lines = target.isLocal ? tailLocal(target, signal) : tailDeployed(target, signal);
  try {
    for await (const line of lines) print(line);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function* tailLocal({ webhookUrl }: Target, signal: AbortSignal): AsyncGenerator<string> {
  const response = await fetch(new URL('/console/log', webhookUrl), { signal });
  if (!response.body) throw new UsageError('The local pipeline gives no log.');
  yield* createInterface({ input: Readable.fromWeb(response.body) });
}

async function* tailDeployed(target: Target, signal: AbortSignal): AsyncGenerator<string> {
  const client = new CloudWatchLogsClient(target.clientOptions('CLOUDWATCH_LOGS'));
  const services = new Map(Object.entries(target.logGroupNames).map(([service, name]) => [name, service]));
  const logGroupIdentifiers = await Promise.all([...services.keys()].map((name) => readArn(client, name)));
  const { responseStream } = await client.send(new StartLiveTailCommand({ logGroupIdentifiers }), {
    abortSignal: signal,
  });
  for await (const event of responseStream ?? []) {
    for (const { message = '', logGroupIdentifier = '' } of event.sessionUpdate?.sessionResults ?? [])
      yield `${services.get(logGroupIdentifier.split(':').at(-1) ?? '') ?? logGroupIdentifier} ${message.trimEnd()}`;
  }
}

// A live tail takes ARNs only.
async function readArn(client: CloudWatchLogsClient, name: string): Promise<string> {
  const { logGroups = [] } = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name }));
  const arn = logGroups.find(({ logGroupName }) => logGroupName === name)?.logGroupArn;
  if (!arn) throw new UsageError(`There is no log group ${name}: deploy the stack again.`);
  return arn;
}
