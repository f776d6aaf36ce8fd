import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { inject } from 'vitest';
import { environment } from '../../functions/aws/environment.ts';
import type { EventType } from '../../functions/domain/events.ts';
import type { AssemblyName } from './assemblies.ts';

export const stages = ['sandbox', 'production'] as const;
export const allAssemblies: readonly AssemblyName[] = [...stages, 'connected'];

/** A resource of the template with its logical id. */
export type Resource = ReturnType<Template['findResources']>[string] & { readonly id: string };

/** One statement of a policy. `actions` and `resources` are lists even where the template has a single value. */
export type Statement = {
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly unknown[];
  readonly principal: unknown;
  readonly condition: unknown;
};

/** The synthesized stack of an assembly. Finds related resources by references, never by logical ids. */
export function readStack(assembly: AssemblyName) {
  const folder = inject('assemblies')[assembly];
  const name = `argyle-uploads-${assembly === 'production' ? 'production' : 'sandbox'}`;
  const template = Template.fromJSON(readJson(join(folder, `${name}.template.json`)));
  const all = (type: string): Resource[] =>
    Object.entries(template.findResources(type)).map(([id, resource]) => ({ ...resource, id }));
  const one = (type: string, matches: (resource: Resource) => boolean = () => true): Resource => {
    const [found, ...others] = all(type).filter(matches);
    if (!found || others.length > 0) throw new Error(`Expected one ${type}, found ${found ? 1 + others.length : 0}.`);
    return found;
  };
  /** The resource that a Ref or Fn::GetAtt points to. */
  const at = (type: string, reference: unknown) => one(type, ({ id }) => id === targetOf(reference));
  const worker = (event: EventType) =>
    one('AWS::Lambda::Function', (lambda) => variablesOf(lambda)[environment.eventType] === event);
  const ingest = () => one('AWS::Lambda::Function', (lambda) => environment.quarantineQueueUrl in variablesOf(lambda));
  const aliasOf = (lambda: Resource) =>
    one('AWS::Lambda::Alias', ({ Properties }) => targetOf(Properties.FunctionName) === lambda.id);
  const mapping = (event: EventType) =>
    one('AWS::Lambda::EventSourceMapping', ({ Properties }) =>
      JSON.stringify(Properties.FunctionName).includes(`{"Ref":"${aliasOf(worker(event)).id}"}`),
    );
  const queue = (event: EventType) => at('AWS::SQS::Queue', mapping(event).Properties.EventSourceArn);
  const roleOf = (lambda: Resource) => at('AWS::IAM::Role', lambda.Properties.Role);
  const policiesOf = (role: Resource) =>
    all('AWS::IAM::Policy').filter(({ Properties }) => Properties.Roles.map(targetOf).includes(role.id));
  const statementsOf = (role: Resource): Statement[] =>
    [role, ...policiesOf(role)].flatMap(statementsIn).filter(({ actions }) => !actions.includes('sts:AssumeRole'));

  return {
    name,
    template,
    outputs: template.toJSON().Outputs,
    /** The stack's entry in the manifest of the assembly: properties that are not part of the template. */
    manifest: readJson(join(folder, 'manifest.json')).artifacts[name].properties,
    all,
    one,
    at,
    worker,
    ingest,
    /** The alias that callers of a function use. */
    aliasOf,
    mapping,
    queue,
    deadLetterQueue: (event: EventType) =>
      at('AWS::SQS::Queue', queue(event).Properties.RedrivePolicy.deadLetterTargetArn),
    quarantine: () => at('AWS::SQS::Queue', variablesOf(ingest())[environment.quarantineQueueUrl]),
    table: () => one('AWS::DynamoDB::Table', ({ Properties }) => Properties.GlobalSecondaryIndexes),
    /** The table of leases and progress. Exists only with credentials for Argyle. */
    stateTable: () => one('AWS::DynamoDB::Table', ({ Properties }) => !Properties.GlobalSecondaryIndexes),
    secret: () => one('AWS::SecretsManager::Secret'),
    alarm: (row: string, section: string): Resource['Properties'] =>
      one('AWS::CloudWatch::Alarm', ({ Properties }) => Properties.AlarmName === `${name}/${row}/${section}`)
        .Properties,
    roleOf,
    policiesOf,
    statementsOf,
    /** The resources on which a role allows each action, except for the log group of its function. */
    permissionsOf: (role: Resource): Readonly<Record<string, readonly string[]>> => {
      const permissions: Record<string, string[]> = {};
      for (const { effect, actions, resources } of statementsOf(role))
        for (const action of actions.filter((name) => effect === 'Allow' && !name.startsWith('logs:')))
          permissions[action] = [...(permissions[action] ?? []), ...resources.map(textOf)].sort();
      return permissions;
    },
    /** The folder of a function's code. */
    codeOf: (lambda: Resource): string => {
      const asset = readJson(join(folder, `${name}.assets.json`)).files[
        lambda.Properties.Code.S3Key.replace('.zip', '')
      ];
      return join(folder, asset.source.path);
    },
  };
}

export function arnOf({ id }: Resource): { readonly 'Fn::GetAtt': readonly string[] } {
  return { 'Fn::GetAtt': [id, 'Arn'] };
}

/** The expected value of `permissionsOf`: pairs of resources and the actions that are allowed on each of them. */
export function permissions(...grants: readonly (readonly [resources: readonly unknown[], ...actions: string[]])[]) {
  const pairs = grants.flatMap(([resources, ...actions]) =>
    actions.map((action) => [action, resources.map(textOf).sort()] as const),
  );
  return Object.fromEntries(pairs);
}

function textOf(resource: unknown): string {
  return JSON.stringify(resource);
}

/** The logical id that a Ref or Fn::GetAtt points to. */
export function targetOf(reference: unknown): string | undefined {
  const { Ref, 'Fn::GetAtt': attribute } = Object(reference);
  return Ref ?? attribute?.[0];
}

export function variablesOf(lambda: Resource): Readonly<Record<string, unknown>> {
  return lambda.Properties.Environment?.Variables ?? {};
}

/** Every policy statement anywhere in a resource. */
export function statementsIn(resource: unknown): Statement[] {
  if (typeof resource !== 'object' || resource === null) return [];
  const own = 'Statement' in resource ? [resource.Statement].flat() : [];
  const statements = own.map((statement) => {
    const { Effect, Action, NotAction, Resource: resources, NotResource, Principal, Condition } = Object(statement);
    return {
      effect: Effect,
      // NotAction and NotResource allow as much as a wildcard.
      actions: NotAction ? ['*'] : [Action].flat(),
      resources: NotResource ? ['*'] : [resources].flat(),
      principal: Principal,
      condition: Condition,
    };
  });
  return [...statements, ...Object.values(resource).flatMap(statementsIn)];
}

function readJson(file: string) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
