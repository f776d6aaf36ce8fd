import { randomUUID } from 'node:crypto';
import { isEventType } from '../../functions/domain/events.ts';
import type { ArgyleControl } from '../fake-argyle/control.ts';
import { postSigned, sampleBody } from '../messages/sample.ts';
import { ok, type Routes, refusal } from './answer.ts';
import { argyleActions } from './argyle-actions.ts';
import { redrive } from './redrive.ts';
import { type Ground, troubles } from './troubles.ts';

/** What the page's buttons do. */
export function actionRoutes(options: Ground & { readonly argyle: ArgyleControl | undefined }): Routes {
  const { webhookUrl, webhookSecret, argyle, queues, sqs } = options;
  return {
    /** A signed sample of an event. */
    'POST /console/send': async (query) => {
      const event = query.get('event') ?? '';
      if (!isEventType(event)) return refusal(400, `There is no event '${event}'.`);
      return ok(await postSigned(webhookUrl, webhookSecret, sampleBody(event, query.get('upload') || undefined)));
    },
    /** What a receiver has to stand. */
    'POST /console/trouble': async (query) => {
      const event = query.get('event') ?? '';
      const trouble = own(troubles, query.get('kind'));
      if (!trouble) return refusal(400, `Say what goes wrong: ${Object.keys(troubles)}.`);
      if (!isEventType(event)) return refusal(400, `There is no event '${event}'.`);
      return ok({ answers: await trouble(options, event, query.get('upload') || randomUUID()) });
    },
    /** Something happens at the fake Argyle, which then delivers. */
    'POST /console/argyle': async (query) => {
      const action = own(argyleActions, query.get('action'));
      if (!argyle || !action) return refusal(400, `Say what happens: ${Object.keys(argyleActions)}.`);
      return action(argyle, query.get('upload') ?? '').then(ok, (error: Error) => refusal(404, error.message));
    },
    /** An event's dead letters, or the quarantine, go back. */
    'POST /console/redrive': async (query, _, signal) => {
      const queue = queues.find(({ event }) => event === query.get('event'));
      return queue ? ok(await redrive(sqs, queues, queue, signal)) : refusal(400, 'There is no such queue.');
    },
  };
}

function own<T>(choices: Readonly<Record<string, T>>, name: string | null): T | undefined {
  return name !== null && Object.hasOwn(choices, name) ? choices[name] : undefined;
}
