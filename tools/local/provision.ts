import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { environment } from '../../functions/aws/environment.ts';
import type { Emulators } from './emulators.ts';
import { createSecret } from './secrets-manager.ts';
import {
  type Identities,
  type Identity,
  isCustom,
  type LocalStack,
  type Properties,
  pseudoParameters,
  type Resource,
  readTemplate,
  resolve,
} from './template.ts';
import { valuesOf } from './wiring.ts';

/** The fake Argyle: the base URL of its API, its control URL and the content of the credentials' secret. */
export type FakeArgyleAccess = {
  readonly url: string;
  readonly controlUrl: string;
  readonly credentials: { readonly apiKeyId: string; readonly apiKeySecret: string };
};

export type StackOptions = {
  /** The folder of a cloud assembly, outside of the repository. */
  readonly assembly: string;
  readonly webhookSecret: string;
  /** Required by a stack that has credentials for Argyle. */
  readonly argyle?: FakeArgyleAccess;
  readonly onWarning: (text: string) => void;
};

type Endpoints = { readonly sqs: string; readonly gateway: string };

const account = pseudoParameters['AWS::AccountId'];
const region = pseudoParameters['AWS::Region'];

// Types that need nothing local: permissions, logs, metrics, alarms and schedules. Tests and the CLI invoke the functions of
// schedules. There is one version of each function, so no traffic is shifted.
const withoutLocalPart =
  /^AWS::(IAM|Logs|CloudWatch|SNS|Scheduler|CodeDeploy)::|^AWS::(SQS::QueuePolicy|Lambda::(Permission|EventInvokeConfig)|SecretsManager::RotationSchedule)$/;

/**
 * Creates the queues, tables and secrets of the synthesized stack in the emulators. Warns about resource types that the
 * local pipeline does not support.
 */
export async function provisionStack(
  { assembly, webhookSecret, argyle, onWarning }: StackOptions,
  { endpoints, sqs, dynamodb, secrets }: Emulators,
  gateway: string,
): Promise<LocalStack> {
  const template = readTemplate(assembly);
  const identities = identify(template.resources, template.stackName, { sqs: endpoints.sqs, gateway });
  const unsupported = template.resources.filter(
    (resource) => !identities.has(resource.logicalId) && !withoutLocalPart.test(resource.type) && !isCustom(resource),
  );
  for (const type of new Set(unsupported.map((resource) => resource.type)))
    onWarning(`The local pipeline leaves out ${type}: it does not support that resource type.`);

  const refOf = ({ logicalId }: Resource) => resolve({ Ref: logicalId }, identities);
  for (const queue of template.ofType('AWS::SQS::Queue')) await createQueue(sqs, queue, identities);
  for (const table of template.ofType('AWS::DynamoDB::Table'))
    await createTable(dynamodb, refOf(table), resolve(table.properties, identities));
  for (const secret of template.ofType('AWS::SecretsManager::Secret'))
    secrets.set(refOf(secret), createSecret(webhookSecret));
  const stack = { template, identities };
  // The customer creates the credentials' secret: the template only refers to it.
  for (const id of argyle ? valuesOf(environment.argyleCredentialsId, stack) : [])
    secrets.set(id, createSecret(JSON.stringify(argyle?.credentials)));
  return stack;
}

function identify(resources: readonly Resource[], stackName: string, endpoints: Endpoints): Identities {
  const identities = new Map<string, Identity>();
  // The ARN of a version or alias contains its function's name, so these come last.
  const isQualified = ({ type }: Resource) => type === 'AWS::Lambda::Version' || type === 'AWS::Lambda::Alias';
  for (const resource of resources.toSorted((one, other) => +isQualified(one) - +isQualified(other))) {
    const identity = identityOf(resource, identities, stackName, endpoints);
    if (identity) identities.set(resource.logicalId, identity);
  }
  return identities;
}

function identityOf(
  { logicalId, type, properties }: Resource,
  identities: Identities,
  stackName: string,
  endpoints: Endpoints,
): Identity | undefined {
  const name = `${stackName}-${logicalId}`;
  const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${account}:${resource}`;
  const named = (Arn: string, attributes = {}) => ({ ref: name, attributes: { Arn, ...attributes } });
  const qualifiedArn = (qualifier: string) =>
    arn('lambda', `function:${resolve(properties.FunctionName, identities)}:${qualifier}`);
  switch (type) {
    case 'AWS::SQS::Queue':
      return {
        ref: `${endpoints.sqs}/${account}/${name}`,
        attributes: { Arn: arn('sqs', name), QueueName: name },
      };
    case 'AWS::DynamoDB::Table':
      return named(arn('dynamodb', `table/${name}`), { StreamArn: arn('dynamodb', `table/${name}/stream/local`) });
    case 'AWS::Events::EventBus':
      return named(arn('events', `event-bus/${name}`));
    case 'AWS::Logs::LogGroup':
      return named(arn('logs', `log-group:${name}:*`));
    case 'AWS::SecretsManager::Secret':
      return { ref: arn('secretsmanager', `secret:${name}`), attributes: {} };
    case 'AWS::Lambda::Function':
      return { ref: logicalId, attributes: { Arn: arn('lambda', `function:${logicalId}`) } };
    case 'AWS::Lambda::Version':
      return { ref: qualifiedArn('1'), attributes: { Version: '1' } };
    case 'AWS::Lambda::Alias':
      return { ref: qualifiedArn(properties.Name), attributes: {} };
    case 'AWS::ApiGatewayV2::Api':
      return { ref: logicalId, attributes: { ApiEndpoint: endpoints.gateway } };
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
  // CloudFormation's property names are SQS's attribute names; only the types of the values differ.
  const { Tags, ...properties } = resolve<Properties>(queue.properties, identities);
  const attributes = Object.entries(properties).map(([name, value]) => [
    name,
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  ]);
  const QueueName = resolve({ 'Fn::GetAtt': [queue.logicalId, 'QueueName'] }, identities);
  await sqs.send(new CreateQueueCommand({ QueueName, Attributes: Object.fromEntries(attributes) }));
}

/** Creates a table of the template, without TTL, stream and point-in-time recovery, which the emulator does not have. */
export async function createTable(dynamodb: DynamoDBClient, name: string, properties: Properties): Promise<void> {
  const { AttributeDefinitions, KeySchema, BillingMode, GlobalSecondaryIndexes } = properties;
  await dynamodb.send(
    new CreateTableCommand({ TableName: name, AttributeDefinitions, KeySchema, BillingMode, GlobalSecondaryIndexes }),
  );
}
