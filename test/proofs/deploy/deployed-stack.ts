import { Agent } from 'node:https';
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
import type { Outputs } from './cdk.ts';
import type { Emulator } from './emulator.ts';

/** A stack that runs in the emulator, with the ways in which the run looks at it. */
export type DeployedStack = Awaited<ReturnType<typeof readDeployedStack>>;

type Clients = ReturnType<typeof awsClients>;

/** Clients of the emulator's services, with the rights of the account's owner. */
export function awsClients({ endpoint, connection }: Emulator) {
  const options = { ...clientConfig(endpoint), requestHandler: { httpsAgent: new Agent(connection) } };
  return {
    dynamodb: new DynamoDBClient(options),
    sqs: new SQSClient({ ...options, useQueueUrlAsEndpoint: false }),
    secretsManager: new SecretsManagerClient(options),
    lambda: new LambdaClient(options),
  };
}

/** Reads what a deployment made, from its outputs and from the product's own template. */
export async function readDeployedStack(emulator: Emulator, clients: Clients, assembly: string, outputs: Outputs) {
  const template = readTemplate(assembly);
  const { WebhookUrl: webhookUrl = '', WebhookSecretArn: SecretId = '', UploadTableName: tableName = '' } = outputs;
  const table = template.ofType('AWS::DynamoDB::Table').find(({ logicalId }) => isNamedBy(template, logicalId));
  if (!webhookUrl || !SecretId || !tableName || !table)
    throw new Error(`These outputs do not do: ${JSON.stringify(outputs)}`);

  const { SecretString: webhookSecret = '' } = await clients.secretsManager.send(
    new GetSecretValueCommand({ SecretId }),
  );
  const queueUrls = await queueUrlsOf(clients.sqs, template.stackName);
  const identities = identitiesOf(template, queueUrls);
  const view = consoleView({ template, identities });
  const sender = createSender(webhookUrl, webhookSecret, emulator.connection);
  return {
    ...clients,
    ...storedState(clients, { ...view, tableName }),
    /** What the emulator and the functions have printed so far. */
    log: emulator.log,
    template,
    identities,
    outputs,
    tableName,
    table,
    webhookSecret,
    webhookUrl,
    retentionDays: retentionDaysOf(template),
    post: sender.post,
    close: sender.close,
  };
}

// With credentials for Argyle there is another table, of which no output tells.
function isNamedBy({ outputs }: Template, logicalId: string): boolean {
  return (outputs[outputNames.uploadTableName] as { readonly Ref?: string } | undefined)?.Ref === logicalId;
}

/** The stack's queues by logical id, told by the tags that CloudFormation gives to what it makes. */
export async function queueUrlsOf(sqs: SQSClient, stackName: string): Promise<ReadonlyMap<string, string>> {
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

// The workers' own, so that a deployment that changes it is seen by what they do.
function retentionDaysOf(template: Template): number {
  const variables = template.ofType('AWS::Lambda::Function').map(({ properties }) => properties.Environment?.Variables);
  return Number(variables.find((of) => of?.[environment.retentionDays])[environment.retentionDays]);
}

// Enough to find queues and table; of everything else only its logical id is known.
function identitiesOf(template: Template, queueUrls: ReadonlyMap<string, string>): Identities {
  return new Map(
    template.resources.map(({ logicalId }) => {
      const ref = queueUrls.get(logicalId) ?? logicalId;
      return [logicalId, { ref, attributes: { Arn: queueUrls.has(logicalId) ? queueArn(ref) : logicalId } }];
    }),
  );
}

function queueArn(url: string): string {
  return `arn:aws:sqs:${pseudoParameters['AWS::Region']}:${pseudoParameters['AWS::AccountId']}:${url.split('/').at(-1)}`;
}
