import { expect, test } from 'vitest';
import { readStack } from '../support/synthesized-stack.ts';

test('the stack is made of these resources', () => {
  const lines = Object.entries(resourcesOf('production')).flatMap(([type, ids]) => [
    type,
    ...ids.map((id) => `  ${id}`),
  ]);
  expect(lines.join('\n')).toMatchSnapshot();
});

test('the stages differ in nothing but the subscription of the alarm address', () => {
  const { 'AWS::SNS::Subscription': subscriptions, ...others } = resourcesOf('production');
  expect(subscriptions).toHaveLength(1);
  expect(resourcesOf('sandbox')).toEqual(others);
});

// Logical ids by type; the hash of the path at their end is masked, as nobody can read it.
function resourcesOf(stage: 'sandbox' | 'production'): Record<string, string[]> {
  const resources = Object.entries<{ Type: string }>(readStack(stage).template.toJSON().Resources);
  const byType = Object.groupBy(resources, ([, { Type }]) => Type);
  return Object.fromEntries(
    Object.entries(byType)
      .sort()
      .map(([type, found = []]) => [type, found.map(([id]) => id.replace(/[0-9A-F]{8}$/, '…')).sort()]),
  );
}
