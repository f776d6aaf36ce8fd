import { createApi } from './api.ts';
import { createDeliveries, type DeliveryOptions } from './deliveries.ts';
import { createDocuments } from './documents.ts';
import { createFaultInjector } from './faults.ts';
import { createRequests } from './requests.ts';
import { createUserUploads } from './user-uploads.ts';
import { createWebhooks } from './webhooks.ts';

/** All that a fake Argyle knows and does, but for HTTP. */
export type World = ReturnType<typeof createWorld>;

/** Makes an empty one; `origin` is where it can be reached. */
export function createWorld(origin: string, options: DeliveryOptions) {
  const webhooks = createWebhooks();
  const uploads = createUserUploads();
  const faults = createFaultInjector();
  const { tally, fire } = createDeliveries(webhooks, faults, options);
  return {
    webhooks,
    uploads,
    faults,
    tally,
    documents: createDocuments(uploads, fire),
    requests: createRequests(),
    api: createApi(webhooks, uploads, () => faults.get().linkOrigin ?? origin),
  };
}
