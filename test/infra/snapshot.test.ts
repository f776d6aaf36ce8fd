import { expect, test } from 'vitest';
import { readStack } from '../support/synthesized-stack.ts';

test('production has these resources', () => {
  const lines = Object.entries(resourcesOf('production')).flatMap(([type, ids]) => [
    type,
    ...ids.map((id) => `  ${id}`),
  ]);
  expect(lines.join('\n')).toMatchSnapshot();
});

test('the stages differ only in the subscription of the alarm address and in the rollout', () => {
  const production = resourcesOf('production');
  const { 'AWS::SNS::Subscription': subscriptions, ...others } = production;
  expect(subscriptions).toHaveLength(1);
  const withoutRollout = Object.entries(others).map(([type, ids]) => [
    type,
    ids.filter((id) => !id.includes('Rollout')),
  ]);
  expect(resourcesOf('sandbox')).toEqual(Object.fromEntries(withoutRollout.filter(([, ids = []]) => ids.length > 0)));
});

// Logical ids by type. The hashes at their end (of the path, and of a version's content) are masked.
function resourcesOf(stage: 'sandbox' | 'production'): Record<string, string[]> {
  const resources = Object.entries<{ Type: string }>(readStack(stage).template.toJSON().Resources);
  const byType = Object.groupBy(resources, ([, { Type }]) => Type);
  return Object.fromEntries(
    Object.entries(byType)
      .sort()
      .map(([type, found = []]) => [type, found.map(([id]) => id.replace(/[0-9A-F]{8}([0-9a-f]{32})?$/, '…')).sort()]),
  );
}
