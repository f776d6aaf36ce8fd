import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { startSmallEngine } from '../../../tools/local/loopback.ts';
import type { AwsService } from '../../../tools/local/pipeline.ts';

/** One call of a function to AWS: who called (the function's logical id), what, on what (ARN, URL or name). */
export type AwsCall = {
  readonly caller: string;
  readonly service: AwsService;
  readonly action: string;
  readonly resource: string;
};

/** What happens to a call instead of being passed on; `stall` passes it on, but its answer ends after the headers. */
export type Disturbance =
  | { readonly kind: 'delay'; readonly milliseconds: number }
  | { readonly kind: 'refuse'; readonly statusCode: number; readonly errorType: string }
  | { readonly kind: 'drop' }
  | { readonly kind: 'stall' };

/** What a call says, by the names of the AWS API. */
export type CallInput = Readonly<Record<string, unknown>>;

/** Stands between functions and an engine: tells of each call, passes it on unless `onCall` says otherwise. */
export async function startAwsProxy(
  service: AwsService,
  endpoint: string,
  onCall: (call: AwsCall, input: CallInput) => Disturbance | undefined,
) {
  return startSmallEngine(async (incoming, outgoing) => {
    try {
      const body = await buffer(incoming);
      const input = inputOf(incoming, body);
      const disturbance = onCall(callOf(service, incoming, input as Record<string, string>), input);
      if (disturbance?.kind === 'drop') return incoming.socket.destroy();
      if (disturbance?.kind === 'refuse') return refuse(outgoing, disturbance);
      if (disturbance?.kind === 'delay') await new Promise((resolve) => setTimeout(resolve, disturbance.milliseconds));
      const answer = await passOn(endpoint, incoming, body);
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders();
      if (disturbance?.kind === 'stall') answer.resume();
      else answer.pipe(outgoing);
    } catch {
      incoming.socket.destroy();
    }
  });
}

// CloudFormation's protocol is a form, the others' is JSON.
function inputOf({ headers }: IncomingMessage, body: Buffer): CallInput {
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;
  return isForm ? Object.fromEntries(new URLSearchParams(body.toString())) : JSON.parse(body.toString() || '{}');
}

function callOf(service: AwsService, { url, headers }: IncomingMessage, input: Record<string, string>): AwsCall {
  const caller = /Credential=([^/]+)\//.exec(headers.authorization ?? '')?.[1] ?? 'unsigned';
  if (service === 'lambda') {
    const [, resource = ''] = /\/functions\/([^/]+)\/invocations$/.exec(url ?? '') ?? [];
    return { caller, service, action: 'InvokeFunction', resource: decodeURIComponent(resource) };
  }
  const [requestedTable] = Object.keys(input.RequestItems ?? {});
  return {
    caller,
    service,
    action: input.Action ?? String(headers['x-amz-target']).split('.')[1] ?? '',
    resource: input.QueueUrl ?? input.TableName ?? input.SecretId ?? input.StackName ?? requestedTable ?? '',
  };
}

function refuse(outgoing: ServerResponse, { statusCode, errorType }: Disturbance & { kind: 'refuse' }): void {
  const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-query-error': `${errorType};Sender` };
  outgoing.writeHead(statusCode, headers).end(JSON.stringify({ __type: errorType, message: 'disturbed' }));
}

function passOn(endpoint: string, incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
  const { host: _, ...headers } = incoming.headers;
  return new Promise((resolve, reject) => {
    const passed = request(new URL(incoming.url ?? '/', endpoint), { method: incoming.method, headers }, resolve);
    passed.on('error', reject).end(body);
  });
}
