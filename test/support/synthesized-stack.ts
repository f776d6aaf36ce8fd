import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { inject } from 'vitest';
import { environment } from '../../functions/aws/environment.ts';
import type { EventType } from '../../functions/domain/events.ts';
import type { AssemblyName } from './assemblies.ts';

export const stages = ['sandbox', 'production'] as const;

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
  const one = (type: string, isMeant: (resource: Resource) => boolean = () => true): Resource => {
    const [found, ...others] = all(type).filter(isMeant);
    if (!found || others.length > 0) throw new Error(`Expected one ${type}, found ${found ? 1 + others.length : 0}.`);
    return found;
  };
  const worker = (event: EventType) =>
    one('AWS::Lambda::Function', (lambda) => variablesOf(lambda)[environment.eventType] === event);
  const ingest = () => one('AWS::Lambda::Function', (lambda) => environment.quarantineQueueUrl in variablesOf(lambda));
  const aliasOf = (lambda: Resource) =>
    one('AWS::Lambda::Alias', ({ Properties }) => targetOf(Properties.FunctionName) === lambda.id);
  const mapping = (event: EventType) =>
    one('AWS::Lambda::EventSourceMapping', ({ Properties }) =>
      JSON.stringify(Properties.FunctionName).includes(`{"Ref":"${aliasOf(worker(event)).id}"}`),
    );
  const queueAt = (reference: unknown) => one('AWS::SQS::Queue', ({ id }) => id === targetOf(reference));
  const queue = (event: EventType) => queueAt(mapping(event).Properties.EventSourceArn);
  // What a role allows and denies.
  const statementsOfRole = (role: Resource): Statement[] => {
    const policies = all('AWS::IAM::Policy').filter((policy) =>
      policy.Properties.Roles.map(targetOf).includes(role.id),
    );
    return [role, ...policies].flatMap(statementsIn).filter(({ actions }) => !actions.includes('sts:AssumeRole'));
  };

  return {
    name,
    template,
    /** The manifest's entry of the stack, which holds what is no part of the template. */
    manifest: readJson(join(folder, 'manifest.json')).artifacts[name].properties,
    all,
    one,
    worker,
    ingest,
    /** What callers of a function call. */
    aliasOf,
    mapping,
    queue,
    deadLetterQueue: (event: EventType) => queueAt(queue(event).Properties.RedrivePolicy.deadLetterTargetArn),
    quarantine: () => queueAt(variablesOf(ingest())[environment.quarantineQueueUrl]),
    table: () => one('AWS::DynamoDB::Table', ({ Properties }) => Properties.GlobalSecondaryIndexes),
    statementsOfRole,
    /** What a function's role allows and denies. */
    statementsOf: (lambda: Resource): Statement[] =>
      statementsOfRole(one('AWS::IAM::Role', ({ id }) => id === targetOf(lambda.Properties.Role))),
    /** The folder of a function's code. */
    codeOf: (lambda: Resource): string => {
      const asset = readJson(join(folder, `${name}.assets.json`)).files[
        lambda.Properties.Code.S3Key.replace('.zip', '')
      ];
      return join(folder, asset.source.path);
    },
  };
}

/** The logical id that a Ref or Fn::GetAtt points to. */
export function targetOf(reference: unknown): string | undefined {
  const { Ref, 'Fn::GetAtt': attribute } = Object(reference);
  return Ref ?? attribute?.[0];
}

export function variablesOf(lambda: Resource): Readonly<Record<string, unknown>> {
  return lambda.Properties.Environment?.Variables ?? {};
}

/** Every statement that stands anywhere in a resource. */
export function statementsIn(resource: unknown): Statement[] {
  if (typeof resource !== 'object' || resource === null) return [];
  const own = 'Statement' in resource ? [resource.Statement].flat() : [];
  const statements = own.map((statement) => {
    const { Effect, Action, NotAction, Resource: resources, NotResource, Principal, Condition } = Object(statement);
    return {
      effect: Effect,
      // A list of exceptions is as wide as a star.
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
