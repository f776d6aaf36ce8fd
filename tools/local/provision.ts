import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { createSecret, type LocalSecret } from './secret.ts';
import {
  type Identities,
  isCustom,
  type Properties,
  pseudoParameters,
  type Resource,
  resolve,
  type Template,
} from './template.ts';

/** Where resources are made. */
export type Provisioning = {
  readonly sqs: SQSClient;
  readonly dynamodb: DynamoDBClient;
  readonly secrets: Map<string, LocalSecret>;
  readonly sqsEndpoint: string;
  readonly gatewayUrl: string;
  readonly webhookSecret: string;
};

type Identity = { readonly ref: string; readonly attributes: Readonly<Record<string, string>> };

const account = pseudoParameters['AWS::AccountId'];
const region = pseudoParameters['AWS::Region'];

// What CloudFormation makes and this machine does not need: permissions, logs, metrics and their alarms; and schedules:
// what they start is started on demand. Of a function there is one version here, so nothing is rolled out bit by bit.
const withoutLocalPart =
  /^AWS::(IAM|Logs|CloudWatch|SNS|Scheduler|CodeDeploy)::|^AWS::(SQS::QueuePolicy|Lambda::(Permission|EventInvokeConfig)|SecretsManager::RotationSchedule)$/;

/** Makes the template's queues, table and secret in the engines; gives their identities, and types it does not know. */
export async function provision(
  template: Template,
  target: Provisioning,
): Promise<{ readonly identities: Identities; readonly unknownTypes: readonly string[] }> {
  const identities = new Map<string, Identity>();
  const unknownTypes = new Set<string>();
  // A version and an alias have their function's name in theirs.
  const isQualified = ({ type }: Resource) => type === 'AWS::Lambda::Version' || type === 'AWS::Lambda::Alias';
  for (const resource of template.resources.toSorted((one, other) => +isQualified(one) - +isQualified(other))) {
    const identity = identityOf(resource, identities, template.stackName, target);
    if (identity) identities.set(resource.logicalId, identity);
    else if (!withoutLocalPart.test(resource.type) && !isCustom(resource)) unknownTypes.add(resource.type);
  }
  for (const queue of template.ofType('AWS::SQS::Queue')) await createQueue(target.sqs, queue, identities);
  for (const { logicalId, properties } of template.ofType('AWS::DynamoDB::Table'))
    await createTable(target.dynamodb, resolve({ Ref: logicalId }, identities), resolve(properties, identities));
  for (const { logicalId } of template.ofType('AWS::SecretsManager::Secret')) {
    const arn = resolve({ Ref: logicalId }, identities);
    target.secrets.set(arn, createSecret(target.webhookSecret));
  }
  return { identities, unknownTypes: [...unknownTypes] };
}

function identityOf(
  { logicalId, type, properties }: Resource,
  identities: Identities,
  stackName: string,
  target: Provisioning,
): Identity | undefined {
  const name = `${stackName}-${logicalId}`;
  const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${account}:${resource}`;
  const qualifiedArn = (qualifier: string) =>
    arn('lambda', `function:${resolve(properties.FunctionName, identities)}:${qualifier}`);
  switch (type) {
    case 'AWS::SQS::Queue':
      return {
        ref: `${target.sqsEndpoint}/${account}/${name}`,
        attributes: { Arn: arn('sqs', name), QueueName: name },
      };
    case 'AWS::DynamoDB::Table':
      return {
        ref: name,
        attributes: { Arn: arn('dynamodb', `table/${name}`), StreamArn: arn('dynamodb', `table/${name}/stream/local`) },
      };
    case 'AWS::Events::EventBus':
      return { ref: name, attributes: { Arn: arn('events', `event-bus/${name}`) } };
    case 'AWS::SecretsManager::Secret':
      return { ref: arn('secretsmanager', `secret:${name}`), attributes: {} };
    case 'AWS::Logs::LogGroup':
      return { ref: name, attributes: { Arn: arn('logs', `log-group:${name}:*`) } };
    case 'AWS::Lambda::Function':
      return { ref: logicalId, attributes: { Arn: arn('lambda', `function:${logicalId}`) } };
    case 'AWS::Lambda::Version':
      return { ref: qualifiedArn('1'), attributes: { Version: '1' } };
    case 'AWS::Lambda::Alias':
      return { ref: qualifiedArn(properties.Name), attributes: {} };
    case 'AWS::ApiGatewayV2::Api':
      return { ref: logicalId, attributes: { ApiEndpoint: target.gatewayUrl } };
    case 'AWS::ApiGatewayV2::Integration':
    case 'AWS::ApiGatewayV2::Route':
    case 'AWS::ApiGatewayV2::Stage':
    case 'AWS::Lambda::EventSourceMapping':
    case 'AWS::Pipes::Pipe':
      return { ref: logicalId, attributes: {} };
    default:
      return undefined;
  }
}

async function createQueue(sqs: SQSClient, queue: Resource, identities: Identities): Promise<void> {
  // CloudFormation's names are those of SQS's attributes; only the values' types differ.
  const { Tags, ...properties } = resolve<Properties>(queue.properties, identities);
  const attributes = Object.entries(properties).map(([name, value]) => [
    name,
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  ]);
  const QueueName = resolve({ 'Fn::GetAtt': [queue.logicalId, 'QueueName'] }, identities);
  await sqs.send(new CreateQueueCommand({ QueueName, Attributes: Object.fromEntries(attributes) }));
}

/** Makes a table of the template. Not TTL, stream and recovery: the engine has none of them, and nothing here reads them. */
export async function createTable(dynamodb: DynamoDBClient, name: string, properties: Properties): Promise<void> {
  const { AttributeDefinitions, KeySchema, BillingMode, GlobalSecondaryIndexes } = properties;
  await dynamodb.send(
    new CreateTableCommand({ TableName: name, AttributeDefinitions, KeySchema, BillingMode, GlobalSecondaryIndexes }),
  );
}
