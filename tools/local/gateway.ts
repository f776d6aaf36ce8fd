import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

/** A route of the template's HTTP API. `key` is its RouteKey, for example `POST /path`. */
export type Route = {
  readonly key: string;
  readonly timeoutMs: number;
  readonly invoke: (event: APIGatewayProxyEventV2) => Promise<unknown>;
};

// API Gateway's own limit for HTTP APIs.
const payloadLimitBytes = 10 * 1024 * 1024;

/**
 * Creates the request listener of an HTTP API. It turns requests into events of payload version 2.0 and answers as API
 * Gateway does, including its own 404, 413, 500 and 503. It does not throttle. Requests without a route go to `otherwise`,
 * which returns whether it answered.
 */
export function createGateway(
  routes: readonly Route[],
  otherwise: (request: IncomingMessage, response: ServerResponse) => Promise<boolean>,
): RequestListener {
  return async (request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0];
    const route = routes.find(({ key }) => key === `${request.method} ${path}`);
    try {
      if (route) await serve(route, request, response);
      else if (!(await otherwise(request, response))) answer(response, 404, 'Not Found');
    } catch {
      // The function failed or died, or the client disconnected. API Gateway's answer contains no reason either.
      if (!response.headersSent) answer(response, 500, 'Internal Server Error');
    }
  };
}

async function serve(route: Route, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request);
  if (!body) return answer(response, 413, 'Request Entity Too Large');
  const timer = setTimeout(() => answer(response, 503, 'Service Unavailable'), route.timeoutMs);
  const result = await route.invoke(eventOf(route.key, request, body)).finally(() => clearTimeout(timer));
  if (response.headersSent) return;
  const { statusCode, headers, body: text } = result as APIGatewayProxyStructuredResultV2;
  response.writeHead(statusCode ?? 200, headers as Record<string, string>).end(text);
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request) {
    sizeBytes += chunk.length;
    if (sizeBytes <= payloadLimitBytes) chunks.push(chunk);
  }
  return sizeBytes <= payloadLimitBytes ? Buffer.concat(chunks) : undefined;
}

function eventOf(routeKey: string, request: IncomingMessage, body: Buffer): APIGatewayProxyEventV2 {
  const { pathname, search } = new URL(request.url ?? '/', 'http://local');
  const headers = Object.fromEntries(
    Object.entries(request.headersDistinct).map(([name, values = []]) => [name, values.join(',')]),
  );
  const isText = isTextual(headers['content-type']) && Buffer.from(body.toString('utf8')).equals(body);
  const now = new Date();
  return {
    version: '2.0',
    routeKey,
    rawPath: pathname,
    rawQueryString: search.slice(1),
    headers,
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      domainName: headers.host ?? '',
      domainPrefix: 'local',
      http: {
        method: request.method ?? '',
        path: pathname,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? '',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey,
      stage: '$default',
      time: now.toUTCString(),
      timeEpoch: now.getTime(),
    },
    ...(body.length > 0 && { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  };
}

// API Gateway passes text unchanged and everything else in base64.
function isTextual(contentType = ''): boolean {
  return /^(text\/|application\/(json|javascript|xml))/.test(contentType);
}

function answer(response: ServerResponse, statusCode: number, message: string): void {
  response.writeHead(statusCode, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
}
