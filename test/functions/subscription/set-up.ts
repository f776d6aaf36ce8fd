import { afterAll, beforeAll, beforeEach } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { createCustomResource, type FakeServers, startFakeServers } from '../../support/fakes/custom-resource.ts';

export const secret = 'canary-of-the-webhook-secret';
export const key = { url: 'https://api.example.com/webhooks/argyle', name: 'uploads' };
export const fitting = { ...key, events: eventTypes, secret };

// Argyle creates the subscription but returns an error.
export const subscribesWithAnError = {
  failures: [{ method: 'POST', path: '/v2/webhooks', isCarriedOut: true, status: 400 }],
};

/** Creates a custom resource before each test, and returns it with reads of what it did at Argyle. */
export function useCustomResource() {
  let servers: FakeServers;
  const it = {} as { resource: Awaited<ReturnType<typeof createCustomResource>> };
  beforeAll(async () => {
    servers = await startFakeServers();
  });
  afterAll(() => servers.stop());
  beforeEach(async () => {
    it.resource = await createCustomResource(servers, secret);
  });
  return {
    it,
    idsOf: async (wanted = key) => (await it.resource.subscriptions(wanted)).map(({ id }) => id),
    /** The requests to Argyle's webhooks, by method and status. */
    requests: () => it.resource.argyleLines.map((line) => line.replace(/\/v2\/webhooks.*? (?=\d+$)/, '')),
    servers: () => servers,
  };
}
