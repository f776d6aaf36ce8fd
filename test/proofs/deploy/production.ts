import assert from 'node:assert/strict';
import { UpdateTerminationProtectionCommand } from '@aws-sdk/client-cloudformation';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { DescribeSecretCommand } from '@aws-sdk/client-secrets-manager';
import { changesIn, checkSubscribed, type LoggedArgyle, readSubscriptions } from './argyle.ts';
import { checkEveryEvent } from './delivery-checks.ts';
import type { DeployedStack } from './deployed-stack.ts';
import type { Assemblies, Deployments } from './deployments.ts';
import { checkStack } from './stages.ts';
import { step } from './steps.ts';

/** Deploys and changes production, whose subscription only a replacement deletes, and destroys it. */
export async function runProduction(deployments: Deployments, assemblies: Assemblies, argyle: LoggedArgyle) {
  const { deploy, deployNew, destroy } = deployments;
  const { connectedProduction, renamedProduction, production } = assemblies;
  const first = await step('cdk deploy, production with credentials', () => deployNew(connectedProduction));
  await step('Argyle has the subscription', () => checkSubscribed(first, argyle));

  const beforeRename = argyle.log.length;
  const renamed = await step('cdk deploy again, with another name', () => deploy(renamedProduction));
  await step('Argyle has the new subscription, and the replaced one is deleted', async () => {
    assert.deepEqual(changesIn(argyle.log.slice(beforeRename)), ['POST', 'DELETE']);
    await checkSubscribed(renamed, argyle);
  });

  const subscriptions = await readSubscriptions(argyle);
  const beforeRemoval = argyle.log.length;
  const unmanaged = await step('cdk deploy with argyleCredentials=none', () => deploy(production));
  await step('Argyle still has the subscription, and webhooks that it signs are accepted', async () => {
    assert.deepEqual(await readSubscriptions(argyle), subscriptions);
    assert.deepEqual(
      subscriptions.filter(({ url, secret }) => url === unmanaged.webhookUrl && secret === unmanaged.webhookSecret)
        .length,
      1,
    );
    await checkEveryEvent(unmanaged);
  });

  const again = await step('cdk deploy with the credentials again', () => deploy(renamedProduction));
  await step('the stack adopts the subscription without a change', async () => {
    assert.deepEqual(changesIn(argyle.log.slice(beforeRemoval)), []);
    await checkSubscribed(again, argyle);
  });
  await checkStack(again);
  await step('cdk destroy is refused, and the stack still works', async () => {
    await assert.rejects(destroy(renamedProduction), /TerminationProtection/);
    await checkEveryEvent(again);
  });
  await step('cdk destroy without termination protection keeps records, secret and subscription', async () => {
    await unprotect(deployments, again);
    await destroy(renamedProduction);
    await checkRetained(again);
    assert.deepEqual(await readSubscriptions(argyle), subscriptions);
  });
}

function unprotect({ clients }: Deployments, { template: { stackName: StackName } }: DeployedStack) {
  return clients.cloudformation.send(
    new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: false }),
  );
}

async function checkRetained({ dynamodb, secretsManager, tableName, outputs }: DeployedStack): Promise<void> {
  await dynamodb.send(new DescribeTableCommand({ TableName: tableName }));
  await secretsManager.send(new DescribeSecretCommand({ SecretId: outputs.WebhookSecretArn }));
}
