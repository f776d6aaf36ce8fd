import { randomUUID } from 'node:crypto';
import { isEventType } from '../../functions/domain/events.ts';
import type { ArgyleControl } from '../fake-argyle/control.ts';
import { postSigned, sampleBody } from '../messages/sample.ts';
import { argyleActions, redrive, type ScenarioContext, scenarios } from './actions.ts';
import type { Observation } from './observation.ts';
import type { Overview, UploadHistory } from './page/api.ts';
import { readState, readUpload, type Stores } from './state.ts';

export type RouteOptions = Stores &
  ScenarioContext & {
    /** For the command line: the stack's name and outputs, and the endpoints of the emulators by service. */
    readonly stack: { readonly stackName: string; readonly outputs: object; readonly endpoints: object };
    /** The answer of `GET /console/changes`. */
    readonly changes: () => object;
    /** The fake Argyle, if there is one. */
    readonly argyle: ArgyleControl | undefined;
  };

/** A JSON answer. */
export type Answer = { readonly statusCode: number; readonly body: object };

/** `upload` is the id in the path, in lower case. `signal` aborts when the client disconnects. */
type Route = (query: URLSearchParams, upload: string, signal: AbortSignal) => Promise<Answer>;

const maxDeliveries = 50;

/** Creates the console's routes by method and path, as in `GET /console/uploads/{id}`. */
export function createRoutes(options: RouteOptions, observation: Observation): Readonly<Record<string, Route>> {
  const { stack, webhookUrl, webhookSecret, argyle, queues, sqs } = options;
  return {
    'GET /console/changes': async () => ok(options.changes()),
    'GET /console/stack': async () => ok({ ...stack, lastWebhookAt: observation.lastWebhookAt() }),
    'GET /console/state': async () => ok(await readState(options)),
    'GET /console/uploads/{id}': async (_, upload) => {
      const record = await readUpload(options, upload);
      return record ? ok(record) : errorAnswer(404, 'There is no such upload.');
    },
    'GET /console/uploads/{id}/history': async (_, upload) => {
      const [record, isThere] = await Promise.all([readUpload(options, upload), isAtArgyle(argyle, upload)]);
      const deliveries = observation.deliveriesOf(upload, maxDeliveries);
      return ok({ record: record ?? null, deliveries, isAtArgyle: isThere } satisfies UploadHistory);
    },
    'GET /console/overview': async () => {
      const identity = { stackName: stack.stackName, webhookUrl, hasArgyle: argyle !== undefined };
      return ok({ ...identity, ...(await observation.overview()) } satisfies Overview);
    },
    'POST /console/send': async (query) => {
      const event = query.get('event') ?? '';
      if (!isEventType(event)) return errorAnswer(400, `There is no event '${event}'.`);
      return ok(await postSigned(webhookUrl, webhookSecret, sampleBody(event, query.get('upload') || undefined)));
    },
    'POST /console/scenario': async (query) => {
      const event = query.get('event') ?? '';
      const scenario = choose(scenarios, query.get('name'));
      if (!scenario) return errorAnswer(400, `The scenarios are: ${Object.keys(scenarios)}.`);
      if (!isEventType(event)) return errorAnswer(400, `There is no event '${event}'.`);
      return ok({ answers: await scenario(options, event, query.get('upload') || randomUUID()) });
    },
    'POST /console/argyle': async (query) => {
      const action = choose(argyleActions, query.get('action'));
      if (!argyle) return errorAnswer(400, 'There is no fake Argyle.');
      if (!action) return errorAnswer(400, `The actions are: ${Object.keys(argyleActions)}.`);
      return action(argyle, query.get('upload') ?? '').then(ok, (error: Error) => errorAnswer(404, error.message));
    },
    'POST /console/redrive': async (query, _, signal) => {
      const queue = queues.find(({ event }) => event === query.get('event'));
      return queue ? ok(await redrive(sqs, queues, queue, signal)) : errorAnswer(400, 'There is no such queue.');
    },
  };
}

export function errorAnswer(statusCode: number, message: string): Answer {
  return { statusCode, body: { message } };
}

function ok(body: object): Answer {
  return { statusCode: 200, body };
}

function choose<T>(choices: Readonly<Record<string, T>>, name: string | null): T | undefined {
  return name !== null && Object.hasOwn(choices, name) ? choices[name] : undefined;
}

async function isAtArgyle(argyle: ArgyleControl | undefined, upload: string): Promise<boolean> {
  const known = await argyle?.readUpload(upload).catch(() => undefined);
  return known !== undefined && !known.isRemoved;
}
