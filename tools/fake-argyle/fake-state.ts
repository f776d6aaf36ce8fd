import { createDeliveries, type DeliveryOptions } from './deliveries.ts';
import { createFaultInjector, type Faults } from './faults.ts';
import { createUserUploads, type UserUploads } from './user-uploads.ts';
import { createWebhooks, type Webhooks } from './webhooks.ts';

/** API requests by method, path and status, and the maximum in any one second. */
export type RequestCounts = { readonly byAnswer: Readonly<Record<string, number>>; readonly maxInOneSecond: number };

export type FakeState = ReturnType<typeof createFakeState>;

/** Creates the empty state of a fake Argyle that listens on `origin`. */
export function createFakeState(origin: string, options: DeliveryOptions) {
  const webhooks = createWebhooks();
  const faults = createFaultInjector();
  const deliveries = createDeliveries(webhooks, faults, options);
  const uploads = createUserUploads(deliveries.fire);
  const own = { webhooks, uploads };
  /** The workspace that the API key sees. */
  const workspace = (): Workspace => otherWorkspaceOf(faults.get()) ?? own;
  return { origin, ...own, workspace, faults, deliveries, requests: createRequestCounter() };
}

type Workspace = { readonly webhooks: Webhooks; readonly uploads: UserUploads };

const otherWorkspaces = new WeakMap<object, Workspace>();

function otherWorkspaceOf({ otherWorkspace }: Faults): Workspace | undefined {
  if (!otherWorkspace) return undefined;
  const known = otherWorkspaces.get(otherWorkspace);
  if (known) return known;
  const workspace = { webhooks: createWebhooks(), uploads: createUserUploads(() => undefined) };
  workspace.uploads.seed(otherWorkspace.seed, otherWorkspace.uploads);
  otherWorkspaces.set(otherWorkspace, workspace);
  return workspace;
}

function createRequestCounter() {
  const byAnswer: Record<string, number> = {};
  let recentMs: number[] = [];
  let maxInOneSecond = 0;
  return {
    /** Counts a request. Returns the number of requests in the last second, including this one. */
    begin: (): number => {
      const nowMs = performance.now();
      recentMs = [...recentMs.filter((ms) => ms > nowMs - 1_000), nowMs];
      maxInOneSecond = Math.max(maxInOneSecond, recentMs.length);
      return recentMs.length;
    },
    /** Counts its answer. Paths that differ only in an id count as one. */
    end: (method: string, path: string, status: number | string): void => {
      const key = `${method} ${path.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i, '{id}')} ${status}`;
      byAnswer[key] = (byAnswer[key] ?? 0) + 1;
    },
    counts: (): RequestCounts => ({ byAnswer, maxInOneSecond }),
  };
}
