import { functionOf, type Lambda } from './lambda.ts';
import type { LocalStack } from './template.ts';
import { type Properties, resolve } from './template.ts';

/** A schedule of the template: the function that it starts, and what that is started with. */
export type Schedule = { readonly lambda: Lambda; readonly input: unknown };

/** The template's schedules, by logical id. */
export function schedulesOf(
  { template, identities }: LocalStack,
  functions: ReadonlyMap<string, Lambda>,
): ReadonlyMap<string, Schedule> {
  const schedules = template.ofType('AWS::Scheduler::Schedule').map(({ logicalId, properties }) => {
    const { Arn } = resolve<Properties>({ Arn: properties.Target.Arn }, identities);
    return [logicalId, { lambda: functionOf(Arn, functions), input: JSON.parse(properties.Target.Input) }] as const;
  });
  return new Map(schedules);
}
