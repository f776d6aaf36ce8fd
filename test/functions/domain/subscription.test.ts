import { describe, expect, it, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import {
  differencesIn,
  planAddition,
  planSubscriptions,
  provesOurKey,
  readSubscription,
  type Subscription,
} from '../../../functions/domain/subscription.ts';

const key = { url: 'https://api.example.com/webhooks/argyle', name: 'uploads: team 1' };

const subscription = (id: string, difference: Partial<Subscription> = {}): Subscription => ({
  id,
  ...key,
  events: eventTypes,
  secret: 'current',
  ...difference,
});

describe('the plan', () => {
  it('changes nothing if one subscription fits', () => {
    expect(planSubscriptions([subscription('a')], ['current'])).toEqual({ create: undefined, remove: [] });
  });

  it('ignores the order of the events and repeated events', () => {
    const events = [...eventTypes, ...eventTypes].reverse();
    expect(planSubscriptions([subscription('a', { events })], ['current'])).toEqual({ create: undefined, remove: [] });
  });

  it('creates one with the first secret if none fits', () => {
    expect(planSubscriptions([], ['current', 'pending'])).toEqual({ create: 'current', remove: [] });
  });

  it('replaces the subscriptions that do not fit', () => {
    const own = [
      subscription('a', { secret: 'old' }),
      subscription('b', { events: ['*'] }),
      subscription('c', { events: [...eventTypes.slice(1), 'users.fully_synced'] }),
      subscription('d', { events: [...eventTypes, 'users.fully_synced'] }),
    ];
    expect(planSubscriptions(own, ['current'])).toEqual({ create: 'current', remove: ['a', 'b', 'c', 'd'] });
  });

  it('keeps one for each secret', () => {
    const own = ['current', 'pending', 'current', 'pending'].map((secret, index) =>
      subscription(`${index}`, { secret }),
    );
    expect(planSubscriptions(own, ['current', 'pending'])).toEqual({ create: undefined, remove: ['2', '3'] });
  });
});

test.each([
  ['no subscription', [], ['current'], false],
  ['one with another secret', [subscription('a', { secret: 'other' })], ['current'], false],
  ['one without a secret', [subscription('a', { secret: undefined })], ['current'], false],
  ['one with a known secret', [subscription('a', { secret: 'pending' })], ['current', 'pending'], true],
  ['one with a known secret and other events', [subscription('a', { events: ['*'] })], ['current'], true],
])('%s proves that the key is ours: %j with %j is %s', (_, own, secrets, isProof) => {
  expect(provesOurKey(own, secrets)).toBe(isProof);
});

test.each([
  [{}, []],
  [{ events: [...eventTypes].reverse() }, []],
  [{ name: 'uploads: team' }, ['name']],
  [{ url: 'https://api.example.com/' }, ['url']],
  [{ secret: undefined }, ['secret']],
  [{ events: eventTypes.slice(1) }, ['events']],
])('a subscription with %j differs from the requested one in %j', (difference, fields) => {
  expect(differencesIn(subscription('a', difference), { ...key, secret: 'current' })).toEqual(fields);
});

test.each([
  { secrets: [], create: 'pending' },
  { secrets: ['current'], create: 'pending' },
  { secrets: ['current', 'pending'], create: undefined },
])('an addition beside subscriptions signed with $secrets creates $create and removes none', ({ secrets, create }) => {
  const own = secrets.map((secret) => subscription(secret, { secret }));
  expect(planAddition(own, 'pending')).toEqual({ create, remove: [] });
});

describe('readSubscription', () => {
  it('returns a subscription with its secret', () => {
    expect(readSubscription(subscription('a'))).toEqual(subscription('a'));
  });

  it('ignores other properties, and a secret that is null', () => {
    const { secret, ...shown } = subscription('a');
    expect(readSubscription({ ...shown, secret: null, config: {}, last_sent_at: null })).toEqual({
      ...shown,
      secret: undefined,
    });
  });

  it.each([null, 'text', {}, ...[{ id: 1 }, { url: null }, { name: 2 }, { events: 'all' }].map(otherwise)])(
    'returns undefined for %o',
    (value) => {
      expect(readSubscription(value)).toBeUndefined();
    },
  );
});

function otherwise(difference: object): object {
  return { ...subscription('a'), ...difference };
}
