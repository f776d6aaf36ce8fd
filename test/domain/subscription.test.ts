import { describe, expect, it } from 'vitest';
import { eventTypes } from '../../functions/domain/events.ts';
import { planSubscriptions, readSubscription, type Subscription } from '../../functions/domain/subscription.ts';
import { keyOf, physicalIdOf } from '../../functions/domain/subscription-memory.ts';

const key = { url: 'https://api.example.com/webhooks/argyle', name: 'uploads: team 1' };

const subscription = (id: string, difference: Partial<Subscription> = {}): Subscription => ({
  id,
  ...key,
  events: eventTypes,
  secret: 'current',
  ...difference,
});

describe('the plan', () => {
  it('is to do nothing where one fits', () => {
    expect(planSubscriptions([subscription('a')], ['current'])).toEqual({ create: undefined, remove: [] });
  });

  it('does not care for the order of the events, nor for one that is listed twice', () => {
    const events = [...eventTypes, ...eventTypes].reverse();
    expect(planSubscriptions([subscription('a', { events })], ['current'])).toEqual({ create: undefined, remove: [] });
  });

  it('is to make one with the first secret where none fits', () => {
    expect(planSubscriptions([], ['current', 'pending'])).toEqual({ create: 'current', remove: [] });
  });

  it('is to replace what does not fit', () => {
    const own = [subscription('a', { secret: 'old' }), subscription('b', { events: ['*'] })];
    expect(planSubscriptions(own, ['current'])).toEqual({ create: 'current', remove: ['a', 'b'] });
  });

  it('is to keep one for each secret', () => {
    const own = ['current', 'pending', 'current', 'pending'].map((secret, index) =>
      subscription(`${index}`, { secret }),
    );
    expect(planSubscriptions(own, ['current', 'pending'])).toEqual({ create: undefined, remove: ['2', '3'] });
  });
});

describe('a subscription of a list', () => {
  it('is read whatever else Argyle says of it', () => {
    const { secret, ...shown } = subscription('a');
    expect(readSubscription({ ...shown, secret: null, config: {}, last_sent_at: null })).toEqual({
      ...shown,
      secret: undefined,
    });
  });

  it.each([null, 'text', {}, { ...subscription('a'), id: 1 }, { ...subscription('a'), events: 'all' }])(
    'is not read from %o',
    (value) => {
      expect(readSubscription(value)).toBeUndefined();
    },
  );
});

describe('the physical id', () => {
  it('says URL and name, and nothing else', () => {
    expect(keyOf(physicalIdOf(key))).toEqual(key);
  });

  it.each(['never-made', 'argyle-uploads-sandbox-Subscription-1ABCDEF', '', '#', 'url#', '#name', 'a#b#c'])(
    'is not seen in %o',
    (id) => {
      expect(keyOf(id)).toBeUndefined();
    },
  );
});
