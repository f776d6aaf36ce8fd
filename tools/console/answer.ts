/** What the console answers, as JSON. */
export type Answer = { readonly statusCode: number; readonly body: object };

/** One of the console's routes. `upload` is the id in the path, in lower case; `signal` aborts when the asker has gone. */
export type Route = (query: URLSearchParams, upload: string, signal: AbortSignal) => Promise<Answer>;

/** The console's routes by method and path, as in `GET /console/uploads/{id}`. */
export type Routes = Readonly<Record<string, Route>>;

/** An answer that says what was asked for. */
export function ok(body: object): Answer {
  return { statusCode: 200, body };
}

/** An answer that says in one sentence why there is nothing. */
export function refusal(statusCode: number, message: string): Answer {
  return { statusCode, body: { message } };
}
