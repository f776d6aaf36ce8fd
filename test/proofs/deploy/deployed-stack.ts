import { Agent } from 'node:https';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ListQueueTagsCommand, paginateListQueues, SQSClient } from '@aws-sdk/client-sqs';
import { environment } from '../../../functions/aws/environment.ts';
import { outputNames } from '../../../infra/output-names.ts';
import { type Identities, pseudoParameters, readTemplate, type Template } from '../../../tools/local/template.ts';
import { consoleView } from '../../../tools/local/wiring.ts';
import { clientConfig } from '../../support/emulators/emulators.ts';
import { storedState } from '../../support/emulators/stored-state.ts';
import { createSender } from '../../support/fakes/argyle-sender.ts';
import type { Emulator } from './emulator.ts';

/** A stack that runs in the emulator, with the functions through which checks read it. */
export type DeployedStack = Awaited<ReturnType<typeof readDeployedStack>>;

/** The outputs of a stack by name. */
export type Outputs = Readonly<Record<string, string>>;

/** Creates clients of the emulator's services with the permissions of the account owner. */
export function awsClients({ endpoint, connection }: Emulator) {
  const options = { ...clientConfig(endpoint), requestHandler: { httpsAgent: new Agent(connection) } };
  return {
    dynamodb: new DynamoDBClient(options),
    sqs: new SQSClient({ ...options, useQueueUrlAsEndpoint: false }),
    secretsManager: new SecretsManagerClient(options),
    lambda: new LambdaClient(options),
    cloudformation: new CloudFormationClient(options),
  };
}

/** Reads what a deployment created, from its outputs and from the product's own template. */
export async function readDeployedStack(
  emulator: Emulator,
  clients: ReturnType<typeof awsClients>,
  assembly: string,
  outputs: Outputs,
) {
  const template = readTemplate(assembly);
  const { WebhookUrl: webhookUrl = '', WebhookSecretArn: SecretId = '', UploadTableName: tableName = '' } = outputs;
  // With credentials for Argyle the stack has a second table.
  const { Ref } = template.outputs[outputNames.uploadTableName] as { readonly Ref?: string };
  const table = template.ofType('AWS::DynamoDB::Table').find(({ logicalId }) => logicalId === Ref);
  if (!webhookUrl || !SecretId || !tableName || !table)
    throw new Error(`Outputs are missing: ${JSON.stringify(outputs)}`);

  const { SecretString: webhookSecret = '' } = await clients.secretsManager.send(
    new GetSecretValueCommand({ SecretId }),
  );
  const identities = identitiesOf(template, await readQueueUrls(clients.sqs, template.stackName));
  const view = consoleView({ template, identities });
  const sender = createSender(webhookUrl, webhookSecret, emulator.connection);
  return {
    ...clients,
    ...storedState(clients, { ...view, tableName }),
    ...sender,
    /** Returns what the emulator and the functions have printed so far. */
    log: emulator.log,
    template,
    identities,
    outputs,
    tableName,
    table,
    webhookSecret,
    webhookUrl,
    retentionDays: retentionDaysOf(template),
  };
}

/** Returns the URLs of the stack's queues by logical id, which CloudFormation stores in a tag. */
export async function readQueueUrls(sqs: SQSClient, stackName: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for await (const { QueueUrls = [] } of paginateListQueues({ client: sqs }, { QueueNamePrefix: stackName })) {
    for (const QueueUrl of QueueUrls) {
      const { Tags = {} } = await sqs.send(new ListQueueTagsCommand({ QueueUrl }));
      if (Tags['aws:cloudformation:stack-name'] === stackName)
        found.set(Tags['aws:cloudformation:logical-id'] ?? '', QueueUrl);
    }
  }
  return found;
}

// Reads the value from the workers' environment in the template. A check of the records then fails if the deployment changed
// the value.
function retentionDaysOf(template: Template): number {
  const variables = template.ofType('AWS::Lambda::Function').map(({ properties }) => properties.Environment?.Variables);
  return Number(variables.find((of) => of?.[environment.retentionDays])[environment.retentionDays]);
}

// Only queues need their physical ids; other resources are identified by their logical ids.
function identitiesOf(template: Template, queueUrls: ReadonlyMap<string, string>): Identities {
  const arnPrefix = `arn:aws:sqs:${pseudoParameters['AWS::Region']}:${pseudoParameters['AWS::AccountId']}`;
  return new Map(
    template.resources.map(({ logicalId }) => {
      const url = queueUrls.get(logicalId);
      const Arn = url ? `${arnPrefix}:${url.split('/').at(-1)}` : logicalId;
      return [logicalId, { ref: url ?? logicalId, attributes: { Arn } }];
    }),
  );
}
