import { eventTypes } from '../../functions/domain/events.ts';

/** Subscribes to all events at Argyle's API, as README says. */
export async function subscribeByHand(
  apiUrl: string,
  key: { readonly apiKeyId: string; readonly apiKeySecret: string },
  subscription: { readonly url: string; readonly secret: string },
): Promise<void> {
  const response = await fetch(`${apiUrl}/webhooks`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${key.apiKeyId}:${key.apiKeySecret}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ name: 'by hand', events: eventTypes, ...subscription }),
  });
  if (!response.ok) throw new Error(`Argyle answered ${response.status} to a subscription.`);
}
