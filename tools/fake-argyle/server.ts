import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { listen } from '../local/loopback.ts';
import { type ApiAnswer, type ApiKey, answerApi, errorAnswer } from './api.ts';
import { answerControl } from './control.ts';
import type { DeliveryOptions } from './deliveries.ts';
import { createFakeState } from './fake-state.ts';

type ServerOptions = Omit<DeliveryOptions, 'onLog'> & ApiKey & { readonly port: number };

// The process of the fake: it receives its options by message, replies with its port, and exits with its parent.
process.on('disconnect', () => process.exit());
process.once('message', async (options: ServerOptions) => {
  try {
    process.send?.({ port: await serve({ ...options, onLog: (line) => console.log(line) }) });
  } catch (error) {
    process.send?.({ code: (error as NodeJS.ErrnoException).code ?? String(error) });
  }
});

async function serve(options: ServerOptions & DeliveryOptions): Promise<number> {
  const { endpoint } = await listen(async (request, response) => {
    const given = await answer(request).catch((error: unknown): ApiAnswer => {
      options.onLog(`${request.method} ${request.url} failed: ${error}`);
      return errorAnswer(500, String(error));
    });
    write(response, given);
  }, options.port);
  const answer = createAnswers(endpoint, options);
  return Number(new URL(endpoint).port);
}

function createAnswers(origin: string, options: ServerOptions & DeliveryOptions) {
  const fake = {
    state: createFakeState(origin, options),
    reset: () => {
      fake.state = createFakeState(origin, options);
    },
  };
  return async (incoming: IncomingMessage): Promise<ApiAnswer> => {
    const method = incoming.method ?? '';
    const url = new URL(incoming.url ?? '/', origin);
    const body = parseJson(await text(incoming));
    const [, operation] = /^\/control\/(\w+)$/.exec(url.pathname) ?? [];
    if (operation) return answerControl(fake, operation, body);
    // Count the answer where the request was counted, even after a reset in between.
    const { state } = fake;
    const answer = await answerApi(state, options, { method, url, body }, incoming.headers.authorization);
    state.requests.end(method, url.pathname, answer.status);
    options.onLog(`${method} ${url.pathname} ${answer.status}`);
    return answer;
  };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function write(response: ServerResponse, { status, headers, body, text: raw }: ApiAnswer): void {
  if (status === 'disconnect') response.destroy();
  else if (raw !== undefined) response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(raw);
  else if (body === undefined) response.writeHead(status, headers).end();
  else response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
