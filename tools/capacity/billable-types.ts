import { isCustom, type Template } from '../local/template.ts';

/** How a type of resource is billed: by which lines of the cost, or why by none. */
export type Billing = { readonly lines: string } | { readonly free: string };

const access = { free: 'access rights cost nothing' };
const part = { free: 'billed with what it belongs to' };

/** Every type that the stack has or may get. */
export const billableTypes: Readonly<Record<string, Billing>> = {
  'AWS::ApiGatewayV2::Api': { lines: 'requests' },
  'AWS::ApiGatewayV2::Integration': part,
  'AWS::ApiGatewayV2::Route': part,
  'AWS::ApiGatewayV2::Stage': { lines: 'access log' },
  'AWS::CloudFormation::CustomResource': { free: 'an invocation at each deployment' },
  'AWS::CloudWatch::Alarm': { lines: 'metrics of alarms' },
  'AWS::CloudWatch::CompositeAlarm': { lines: 'metrics of alarms' },
  'AWS::CloudWatch::Dashboard': { lines: 'dashboards' },
  'AWS::CodeDeploy::Application': { free: 'deployments to Lambda cost nothing' },
  'AWS::CodeDeploy::DeploymentConfig': { free: 'deployments to Lambda cost nothing' },
  'AWS::CodeDeploy::DeploymentGroup': { free: 'deployments to Lambda cost nothing' },
  'AWS::DynamoDB::Table': { lines: 'writes, index entries, what stays' },
  'AWS::Events::EventBus': { lines: 'events, where something puts them' },
  'AWS::Events::EventBusPolicy': access,
  'AWS::Events::Rule': { free: 'deliveries within the account cost nothing' },
  'AWS::IAM::ManagedPolicy': access,
  'AWS::IAM::Policy': access,
  'AWS::IAM::Role': access,
  'AWS::KMS::Alias': part,
  'AWS::KMS::Key': { lines: 'keys' },
  'AWS::Lambda::Alias': { free: 'billed as the function' },
  'AWS::Lambda::EventInvokeConfig': part,
  'AWS::Lambda::EventSourceMapping': { lines: 'receives and deletes, readers of a stream' },
  'AWS::Lambda::Function': { lines: 'invocations, durations, lines printed' },
  'AWS::Lambda::Permission': access,
  'AWS::Lambda::Version': { free: 'only its invocations are billed' },
  'AWS::Logs::LogGroup': { lines: 'logs' },
  'AWS::Logs::MetricFilter': { lines: 'metrics' },
  'AWS::Logs::QueryDefinition': { free: 'a query is billed when it runs, by what it reads' },
  'AWS::Pipes::Pipe': { lines: 'pipe' },
  'AWS::SNS::Subscription': part,
  'AWS::SNS::Topic': { free: 'a mail costs 0.00002 dollars, and comes when an alarm fires' },
  'AWS::SNS::TopicPolicy': access,
  'AWS::SQS::Queue': { lines: 'sends, receives and deletes, idle polls' },
  'AWS::SQS::QueuePolicy': access,
  'AWS::Scheduler::Schedule': { lines: 'scheduled runs' },
  'AWS::Scheduler::ScheduleGroup': part,
  'AWS::SecretsManager::ResourcePolicy': access,
  'AWS::SecretsManager::RotationSchedule': { free: 'a few seconds of Lambda in months' },
  'AWS::SecretsManager::Secret': { lines: 'secrets, reads of secrets' },
};

/** Throws a sentence when the template has a type of which nobody knows what it costs. */
export function refuseUnpriced({ resources, stackName }: Template): void {
  const unpriced = resources.filter((resource) => !isCustom(resource) && !(resource.type in billableTypes));
  if (unpriced.length === 0) return;
  const names = unpriced.map(({ type, logicalId }) => `${type} (${logicalId})`).join(', ');
  throw new Error(
    `Nobody knows what ${names} of ${stackName} costs: add it to figures/billable-types.ts, with its lines.`,
  );
}
