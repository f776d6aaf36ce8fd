import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { readConfig } from '../../infra/config.ts';
import { UploadsStack } from '../../infra/uploads-stack.ts';

test('in production, a subscription is retained when it leaves the template, and deleted when it is replaced', () => {
  expect(subscriptionIn('production')).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Delete' });
});

test('in sandbox, a subscription is deleted in both cases', () => {
  expect(subscriptionIn('sandbox')).toMatchObject({ DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' });
});

// Without bundling, which takes most of the time of a synthesis and changes only the code of the functions.
function subscriptionIn(stage: string): unknown {
  const context = { stage, argyleCredentials: 'argyle/api-key', 'aws:cdk:bundling-stacks': [] };
  const app = new App({ context });
  const stack = new UploadsStack(app, 'uploads', { config: readConfig(app.node) });
  const [subscription] = Object.values(Template.fromStack(stack).findResources('Custom::ArgyleSubscription'));
  return subscription;
}
