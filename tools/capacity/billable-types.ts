import { isCustom, type Template } from '../local/template.ts';

/** The types of resources, without `AWS::`, that bill.ts prices. */
const priced = [
  ...['ApiGatewayV2::Api', 'ApiGatewayV2::Stage', 'CloudWatch::Alarm', 'CloudWatch::Dashboard', 'DynamoDB::Table'],
  ...['Events::EventBus', 'Lambda::EventSourceMapping', 'Lambda::Function', 'Logs::LogGroup', 'Pipes::Pipe'],
  ...['SQS::Queue', 'SecretsManager::Secret'],
];

/** The types that cost nothing, or next to nothing, by reason. */
const free = {
  'permissions are free': ['IAM::Policy', 'IAM::Role', 'Lambda::Permission', 'SNS::TopicPolicy', 'SQS::QueuePolicy'],
  'included in the price of what it belongs to': [
    ...['ApiGatewayV2::Integration', 'ApiGatewayV2::Route', 'SNS::Subscription'],
    ...['Lambda::Alias', 'Lambda::EventInvokeConfig', 'Lambda::Version'],
  ],
  'CodeDeploy deploys to Lambda free of charge': ['CodeDeploy::Application', 'CodeDeploy::DeploymentGroup'],
  'CloudWatch bills a query when it runs, by the data that it reads': ['Logs::QueryDefinition'],
  'an e-mail costs 0.00002 dollars and is sent only when an alarm fires': ['SNS::Topic'],
  'one reconciliation a day, 5 minutes of Lambda, costs less than 0.1 dollars a month': ['Scheduler::Schedule'],
  'a few seconds of Lambda every few months': ['SecretsManager::RotationSchedule'],
};

const knownTypes = new Set([...priced, ...Object.values(free).flat()].map((type) => `AWS::${type}`));

/** Throws when the template has a resource whose price is unknown. */
export function rejectUnpriced({ resources, stackName }: Template): void {
  const unpriced = resources.filter((resource) => !isCustom(resource) && !knownTypes.has(resource.type));
  if (unpriced.length === 0) return;
  const names = unpriced.map(({ type, logicalId }) => `${type} (${logicalId})`).join(', ');
  throw new Error(
    `The price of ${names} in ${stackName} is unknown: list its type in tools/capacity/billable-types.ts and price it in bill.ts.`,
  );
}
