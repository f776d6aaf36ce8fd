import type { ServerResponse } from 'node:http';

/** The functions' log lines, for whoever listens. */
export type LogStream = {
  readonly publish: (functionName: string, line: string) => void;
  /** Tells of every later line. */
  readonly listen: (listener: (line: string) => void) => void;
  /** Sends every later line to a response, as text, until its client goes away. */
  readonly follow: (response: ServerResponse) => void;
};

/** Starts without a listener. */
export function createLogStream(): LogStream {
  const followers = new Set<ServerResponse>();
  const listeners: ((line: string) => void)[] = [];
  return {
    publish: (functionName, line) => {
      for (const listener of listeners) listener(line);
      for (const response of followers) response.write(`${functionName} ${line}\n`);
    },
    listen: (listener) => {
      listeners.push(listener);
    },
    follow: (response) => {
      followers.add(response);
      response.once('close', () => followers.delete(response));
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).flushHeaders();
    },
  };
}
