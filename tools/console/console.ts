import type { IncomingMessage, ServerResponse } from 'node:http';
import { actionRoutes } from './actions.ts';
import { type Answer, refusal } from './answer.ts';
import { isOwnRequest } from './own-request.ts';
import { createPageFiles } from './page-files.ts';
import type { Ground } from './troubles.ts';
import { type ViewOptions, viewRoutes } from './views.ts';

export type { ConsoleQueue } from './state.ts';

/** What the console shows and where its buttons send to. */
export type ConsoleOptions = ViewOptions & Ground;

/**
 * Serves the console: the page at `/` with its files, `/console/state`, `/console/uploads/{id}`, and what else the page shows
 * (views.ts) and its buttons do (actions.ts). For the command line: `/console/stack` and `/console/log`. Gives whether it
 * answered.
 */
export function createConsole(options: ConsoleOptions) {
  const findFile = createPageFiles();
  const routes = { ...viewRoutes(options), ...actionRoutes(options) };
  return async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
    const [, upload = '', rest = ''] = /^\/console\/uploads\/([0-9a-f-]{36})(\/\w+)?$/i.exec(path) ?? [];
    const name = `${request.method} ${upload ? `/console/uploads/{id}${rest}` : path}`;
    const file = request.method === 'GET' ? findFile(path) : undefined;
    const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
    if (!file && !route && name !== 'GET /console/log') return false;

    if (!isOwnRequest(request)) write(response, refusal(403, 'The console answers its own page only.'));
    else if (file) {
      const { body, headers } = await file;
      response.writeHead(200, headers).end(body);
    } else if (route) {
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      write(response, await route(new URLSearchParams(query), upload.toLowerCase(), gone.signal));
    } else options.log.follow(response);
    return true;
  };
}

function write(response: ServerResponse, { statusCode, body }: Answer): void {
  // Before the headers: what cannot be written is a 500 then, not an answer that never ends.
  const text = JSON.stringify(body);
  response.writeHead(statusCode, { 'content-type': 'application/json' }).end(text);
}
