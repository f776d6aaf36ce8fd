import { environment } from '../../functions/aws/environment.ts';
import type { Resource, Template } from '../local/template.ts';

/** The way of one event type through its queue, as its event source mapping and its queue have it. */
export type EventSource = {
  readonly event: string;
  readonly worker: Resource;
  readonly batchSize: number;
  readonly windowMs: number;
  readonly maxConcurrency: number;
  readonly maxReceiveCount: number;
};

// The most batches of one mapping that Lambda works on at once, if the template says nothing.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html, read 2026-11-24.
const mostBatchesAtOnce = 1_000;

/** The mappings between a queue and the worker of an event type. */
export function eventSourcesOf(template: Template): readonly EventSource[] {
  return template.ofType('AWS::Lambda::EventSourceMapping').flatMap(({ properties }) => {
    const worker = referenced(template, 'AWS::Lambda::Function', properties.FunctionName);
    const queue = referenced(template, 'AWS::SQS::Queue', properties.EventSourceArn);
    const event = worker?.properties.Environment?.Variables?.[environment.eventType];
    if (!worker || !queue || typeof event !== 'string') return [];
    return {
      event,
      worker,
      batchSize: properties.BatchSize ?? 10,
      windowMs: (properties.MaximumBatchingWindowInSeconds ?? 0) * 1_000,
      maxConcurrency: properties.ScalingConfig?.MaximumConcurrency ?? mostBatchesAtOnce,
      maxReceiveCount: queue.properties.RedrivePolicy?.maxReceiveCount ?? Number.POSITIVE_INFINITY,
    };
  });
}

/**
 * The resource of a type that a value points to, however deep the reference is wrapped: a function may be named by the
 * reference to its alias.
 */
export function referenced(template: Template, type: string, value: unknown): Resource | undefined {
  const ids = new Set(logicalIdsIn(value));
  const found = template.resources.find((resource) => resource.type === type && ids.has(resource.logicalId));
  if (found) return found;
  const alias = template.ofType('AWS::Lambda::Alias').find(({ logicalId }) => ids.has(logicalId));
  return alias && type === 'AWS::Lambda::Function'
    ? referenced(template, type, alias.properties.FunctionName)
    : undefined;
}

function logicalIdsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [...value.matchAll(/\$\{(\w+)[.}]/g)].flatMap(([, id]) => id ?? []);
  if (typeof value !== 'object' || value === null) return [];
  const { Ref, 'Fn::GetAtt': attribute, ...others } = value as Record<string, unknown>;
  if (typeof Ref === 'string') return [Ref];
  if (Array.isArray(attribute)) return [String(attribute[0])];
  return Object.values(others).flatMap(logicalIdsIn);
}
