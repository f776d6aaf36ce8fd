import type { LocalStack } from '../../tools/local/template.ts';
import { pseudoParameters, resolve } from '../../tools/local/template.ts';
import type { AwsCall } from './emulators/aws-proxy.ts';

/** One permission of a function: an action on one resource (an ARN of the local stack). */
export type Permission = { readonly caller: string; readonly action: string; readonly resource: string };

// Lambda itself writes the logs with the function's role.
const isForLogs = (action: string) => action.startsWith('logs:');
// SQS authorizes a batch call by the action of the single call (its documentation).
const singleActions: Readonly<Record<string, string>> = { ChangeMessageVisibilityBatch: 'ChangeMessageVisibility' };

/** The permissions of each function's role in the template, without those for logs. */
export function permissionsOf(stack: LocalStack): readonly Permission[] {
  const { template, identities } = stack;
  return template.ofType('AWS::Lambda::Function').flatMap(({ logicalId, properties }) => {
    const [role] = properties.Role['Fn::GetAtt'];
    const policies = template
      .ofType('AWS::IAM::Policy')
      .filter((policy) => policy.properties.Roles.some(({ Ref }: { Ref: string }) => Ref === role));
    return policies
      .flatMap((policy) => policy.properties.PolicyDocument.Statement as Statement[])
      .filter(({ Effect, Action }) => Effect === 'Allow' && !list(Action).every(isForLogs))
      .flatMap(({ Action, Resource }) =>
        list(Action).flatMap((action) =>
          list(Resource).map((resource) => ({ caller: logicalId, action, resource: resolve(resource, identities) })),
        ),
      );
  });
}

/** The permission that a call needs. */
export function neededFor({ caller, service, action, resource }: AwsCall, stack: LocalStack): Permission {
  const name = `${service}:${singleActions[action] ?? action}`;
  return {
    caller,
    action: name,
    resource: service === 'secretsmanager' ? arnOfSecret(resource) : arnOf(resource, stack),
  };
}

/** The permissions that calls need and no role allows, as text. */
export function forbiddenCalls(calls: readonly AwsCall[], stack: LocalStack): readonly string[] {
  const allowed = new Set(permissionsOf(stack).map(textOf));
  return [...new Set(calls.map((call) => textOf(neededFor(call, stack))))].filter((needed) => !allowed.has(needed));
}

/** A permission as one line. */
export function textOf({ caller, action, resource }: Permission): string {
  return `${caller} ${action} ${resource}`;
}

type Statement = { readonly Effect: string; readonly Action: string | string[]; readonly Resource: unknown };

function arnOf(resource: string, { identities }: LocalStack): string {
  const known = [...identities.values()].find(({ ref }) => ref === resource);
  return known?.attributes.Arn ?? resource;
}

// The customer creates this secret, so the template has a wildcard for the six characters at the end of its ARN.
function arnOfSecret(nameOrArn: string): string {
  const { 'AWS::Region': region, 'AWS::AccountId': account } = pseudoParameters;
  return nameOrArn.startsWith('arn:')
    ? nameOrArn
    : `arn:aws:secretsmanager:${region}:${account}:secret:${nameOrArn}-??????`;
}

function list<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}
