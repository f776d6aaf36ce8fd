import type { ArgyleControl } from '../fake-argyle/control.ts';
import { ok, type Routes, refusal } from './answer.ts';
import { isAtArgyle } from './argyle-actions.ts';
import type { LogStream } from './log-stream.ts';
import { observe } from './overview.ts';
import type { Overview, UploadHistory } from './page/view.ts';
import { readState, readUpload, type Stores } from './state.ts';

/** What the console shows, and where it looks. */
export type ViewOptions = Stores & {
  readonly webhookUrl: string;
  /** What the command line asks for: the stack's name and outputs, and the engines' endpoints by service. */
  readonly stack: { readonly stackName: string; readonly outputs: object; readonly endpoints: object };
  readonly log: LogStream;
  /** What `GET /console/changes` answers. */
  readonly changes: () => object;
  /** The fake Argyle, if there is one. */
  readonly argyle: ArgyleControl | undefined;
};

const mostDeliveries = 50;

/** What the console tells without doing anything. */
export function viewRoutes(options: ViewOptions): Routes {
  const { stack, webhookUrl, argyle, log } = options;
  const observation = observe(options);
  log.listen(observation.note);
  return {
    'GET /console/changes': async () => ok(options.changes()),
    'GET /console/stack': async () => ok({ ...stack, lastWebhookAt: observation.lastWebhookAt() }),
    'GET /console/state': async () => ok(await readState(options)),
    'GET /console/uploads/{id}': async (_, upload) => {
      const record = await readUpload(options, upload);
      return record ? ok(record) : refusal(404, 'There is no such upload.');
    },
    'GET /console/uploads/{id}/history': async (_, upload) => {
      const [record, isThere] = await Promise.all([readUpload(options, upload), isAtArgyle(argyle, upload)]);
      const deliveries = observation.deliveriesOf(upload, mostDeliveries);
      return ok({ record: record ?? null, deliveries, isAtArgyle: isThere } satisfies UploadHistory);
    },
    'GET /console/overview': async () => {
      const identity = { stackName: stack.stackName, webhookUrl, hasArgyle: argyle !== undefined };
      return ok({ ...identity, ...(await observation.overview()) } satisfies Overview);
    },
  };
}
