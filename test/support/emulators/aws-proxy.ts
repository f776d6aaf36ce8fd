import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { AwsService } from '../../../tools/local/emulators.ts';
import { startHttpEmulator } from '../../../tools/local/loopback.ts';
import { forward } from '../../../tools/local/table-stream.ts';

/** A function's call to AWS. `caller` is the function's logical id, `resource` an ARN, a URL or a name. */
export type AwsCall = {
  readonly caller: string;
  readonly service: AwsService;
  readonly action: string;
  readonly resource: string;
};

/** What the proxy does instead of passing a call on. `stall` passes it on, but returns only the headers of the answer. */
export type Disturbance =
  | { readonly kind: 'delay'; readonly milliseconds: number }
  | { readonly kind: 'refuse'; readonly statusCode: number; readonly errorType: string }
  | { readonly kind: 'drop' }
  | { readonly kind: 'stall' };

/** A call's input, with the names of the AWS API. */
export type CallInput = Readonly<Record<string, unknown>>;

/** Starts a proxy between the functions and an emulator. It passes each call on unless `onCall` returns a disturbance. */
export async function startAwsProxy(
  service: AwsService,
  endpoint: string,
  onCall: (call: AwsCall, input: CallInput) => Disturbance | undefined,
) {
  return startHttpEmulator(async (incoming, outgoing) => {
    try {
      const body = await buffer(incoming);
      const input = inputOf(incoming, body);
      const disturbance = onCall(callOf(service, incoming, input as Record<string, string>), input);
      if (disturbance?.kind === 'drop') return incoming.socket.destroy();
      if (disturbance?.kind === 'refuse') return refuse(outgoing, disturbance);
      if (disturbance?.kind === 'delay') await new Promise((resolve) => setTimeout(resolve, disturbance.milliseconds));
      const answer = await forward(endpoint, incoming, body);
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders();
      if (disturbance?.kind === 'stall') answer.resume();
      else answer.pipe(outgoing);
    } catch {
      incoming.socket.destroy();
    }
  });
}

// CloudFormation's protocol uses a form, the others use JSON.
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
