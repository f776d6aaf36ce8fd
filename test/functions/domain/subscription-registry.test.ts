import { describe, expect, it } from 'vitest';
import {
  keyOf,
  keysIn,
  orphansIn,
  physicalIdOf,
  type SubscriptionRegistry,
} from '../../../functions/domain/subscription-registry.ts';

const key = { url: 'https://api.example.com/webhooks/argyle', name: 'uploads: team 1' };

describe('the physical id', () => {
  it('contains only URL and name', () => {
    expect(keyOf(physicalIdOf(key))).toEqual(key);
  });

  it.each(['never-made', 'argyle-uploads-sandbox-Subscription-1ABCDEF', '', '#', 'url#', '#name', 'a#b#c'])(
    'cannot be read from %o',
    (id) => {
      expect(keyOf(id)).toBeUndefined();
    },
  );
});

describe('the registry', () => {
  it('returns URL and name of each subscription, without resources that were never created', () => {
    const other = { ...key, name: 'other' };
    const registry: SubscriptionRegistry = {
      [physicalIdOf(key)]: 'created',
      'never-made': 'created',
      [physicalIdOf(other)]: 'adopted',
    };
    expect(keysIn(registry)).toEqual([key, other]);
    expect(keysIn({})).toEqual([]);
  });

  it('returns what a failed change left behind: created by the stack and unknown', () => {
    const registry: SubscriptionRegistry = {
      before: 'created',
      left: 'created',
      adopted: 'adopted',
      wanted: 'created',
    };
    expect(orphansIn(registry, ['before', 'wanted'])).toEqual(['left']);
    expect(orphansIn(registry, ['before', 'wanted', 'left'])).toEqual([]);
  });
});
