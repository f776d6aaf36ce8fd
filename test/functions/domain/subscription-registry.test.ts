import { describe, expect, it } from 'vitest';
import {
  keyOf,
  keysIn,
  physicalIdOf,
  type SubscriptionRegistry,
  straysIn,
} from '../../../functions/domain/subscription-registry.ts';

const key = { url: 'https://api.example.com/webhooks/argyle', name: 'uploads: team 1' };

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

describe('what the stack remembers', () => {
  it('tells the URL and name of each subscription, and leaves out what was never made', () => {
    const other = { ...key, name: 'other' };
    const memory: SubscriptionRegistry = {
      [physicalIdOf(key)]: 'created',
      'never-made': 'created',
      [physicalIdOf(other)]: 'adopted',
    };
    expect(keysIn(memory)).toEqual([key, other]);
    expect(keysIn({})).toEqual([]);
  });

  it('tells what a failed change left behind: made by the stack, and not known', () => {
    const memory: SubscriptionRegistry = { before: 'created', left: 'created', adopted: 'adopted', wanted: 'created' };
    expect(straysIn(memory, ['before', 'wanted'])).toEqual(['left']);
    expect(straysIn(memory, ['before', 'wanted', 'left'])).toEqual([]);
  });
});
