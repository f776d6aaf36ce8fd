import { readFileSync } from 'node:fs';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { escapeControls, escapeLogLine } from '../terminal/escape-controls.ts';
import { observe } from './observation.ts';
import { type Answer, createRoutes, type RouteOptions } from './routes.ts';

export type ConsoleOptions = RouteOptions & { readonly log: LogStream };

export type LogStream = ReturnType<typeof createLogStream>;

// Scripts and styles come from this server only, even if foreign content gets into the page.
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The page's files by path: the media type, and a function that reads the content. */
const files: Readonly<Record<string, readonly [type: string, read: () => Promise<string | Uint8Array>]>> = {
  '/': ['text/html', async () => readFileSync(new URL('./page/page.html', import.meta.url))],
  '/console/page.css': ['text/css', async () => readFileSync(new URL('./page/page.css', import.meta.url))],
  '/console/page.js': ['text/javascript', bundleScript],
};

/** Creates the stream of the functions' log lines. */
export function createLogStream() {
  const listeners = new Set<(functionName: string, line: string) => void>();
  return {
    listeners,
    publish: (functionName: string, line: string): void => {
      for (const listener of listeners) listener(functionName, line);
    },
  };
}

/**
 * Creates the console's request handler: the page at `/` with its files, the routes of routes.ts, and `/console/log`. The
 * handler returns false for any other request, which it does not answer.
 */
export function createConsole(options: ConsoleOptions) {
  const observation = observe(options);
  options.log.listeners.add((_, line) => observation.note(line));
  const routes = createRoutes(options, observation);
  const contents = new Map<string, Promise<string | Uint8Array>>();

  return async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
    const [, upload = '', rest = ''] = /^\/console\/uploads\/([0-9a-f-]{36})(\/\w+)?$/i.exec(path) ?? [];
    const name = `${request.method} ${upload ? `/console/uploads/{id}${rest}` : path}`;
    const file = request.method === 'GET' && Object.hasOwn(files, path) ? files[path] : undefined;
    const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
    if (!file && !route && name !== 'GET /console/log') return false;

    if (file) {
      const [type, read] = file;
      const content = contents.get(path) ?? read();
      contents.set(path, content);
      response.writeHead(200, headersOf(type)).end(await content);
    } else if (route) {
      const disconnected = new AbortController();
      response.once('close', () => disconnected.abort());
      writeJson(response, await route(new URLSearchParams(query), upload.toLowerCase(), disconnected.signal));
    } else followLog(options.log, response);
    return true;
  };
}

async function bundleScript(): Promise<string | Uint8Array> {
  const entry = fileURLToPath(new URL('./page/page.ts', import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: 'esm', write: false });
  return outputFiles[0]?.contents ?? '';
}

function headersOf(type: string): OutgoingHttpHeaders {
  return {
    'content-type': `${type}; charset=utf-8`,
    'content-security-policy': contentSecurityPolicy,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache',
  };
}

function writeJson(response: ServerResponse, { statusCode, body }: Answer): void {
  // Serialize before the headers are sent: a failure is then a 500, not an answer that never ends. The escaped text is the
  // same JSON; people read it on a terminal, with curl.
  const text = escapeControls(JSON.stringify(body));
  response.writeHead(statusCode, { 'content-type': 'application/json' }).end(text);
}

/** Sends every later log line as text until the client disconnects. */
function followLog({ listeners }: LogStream, response: ServerResponse): void {
  const send = (functionName: string, line: string) => void response.write(`${functionName} ${escapeLogLine(line)}\n`);
  listeners.add(send);
  response.once('close', () => listeners.delete(send));
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).flushHeaders();
}
