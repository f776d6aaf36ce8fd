import type { Properties, Resource } from '../local/template.ts';
import { type CostLine, costLine, monthSeconds } from './cost-line.ts';
import type { Priced } from './request-lines.ts';
import { functionAt } from './stack-facts.ts';

/** Functions that read a stream of the table: an invocation for each batch. Lambda's own reads of a stream are free. */
export function streamReaderLines({ facts, assumed, load }: Priced): readonly CostLine[] {
  return facts.template
    .ofType('AWS::Lambda::EventSourceMapping')
    .filter(({ properties }) => mentions(properties.EventSourceArn, 'StreamArn'))
    .flatMap(({ logicalId, properties }) => {
      const memory = functionAt(facts.template, properties.FunctionName)?.properties.MemorySize ?? 128;
      const invocations = changesPerMonth(load.webhooksPerSecond);
      const seconds = (invocations * assumed.workerMs) / 1_000;
      return [
        costLine('rest', `Lambda: requests of ${logicalId}`, 'lambdaRequest', invocations),
        costLine('rest', `Lambda: time of ${logicalId}`, facts.worker.duration, (seconds * memory) / 1_024),
      ];
    });
}

/**
 * Pipes from the table's stream: each change is a request, none filtered out, none batched: what it costs at most. An enrichment
 * by a function is its invocation; a target that is a bus is a custom event, one that is a queue a send.
 */
export function pipeLines({ facts, assumed, load }: Priced): readonly CostLine[] {
  const { template } = facts;
  const changes = changesPerMonth(load.webhooksPerSecond);
  return template.ofType('AWS::Pipes::Pipe').flatMap(({ logicalId, properties }) => {
    const enrichment = functionAt(template, properties.Enrichment);
    const seconds = (changes * assumed.workerMs) / 1_000;
    const memory = enrichment?.properties.MemorySize ?? 128;
    return [
      costLine('rest', `Pipes: requests of ${logicalId}`, 'pipeRequest', changes),
      // Four reads a second of each shard, and an idle table has one.
      costLine('rest', `Pipes: reads of the stream by ${logicalId}`, 'dynamodbStreamRead', 4 * monthSeconds),
      ...(enrichment
        ? [
            costLine('rest', `Lambda: requests of ${enrichment.logicalId}`, 'lambdaRequest', changes),
            costLine(
              'rest',
              `Lambda: time of ${enrichment.logicalId}`,
              facts.worker.duration,
              (seconds * memory) / 1_024,
            ),
          ]
        : []),
      ...targetLines(template.resources, properties, changes),
    ];
  });
}

function targetLines(resources: readonly Resource[], { Target }: Properties, changes: number): readonly CostLine[] {
  const target = resources.find(({ logicalId }) => mentions(Target, logicalId));
  if (target?.type === 'AWS::Events::EventBus')
    return [costLine('rest', `EventBridge: events on ${target.logicalId}`, 'customEvent', changes)];
  if (target?.type === 'AWS::SQS::Queue')
    return [costLine('rest', `SQS: sends to ${target.logicalId}`, 'sqsRequest', changes)];
  // A bus that the account has anyway.
  if (JSON.stringify(Target ?? '').includes(':event-bus/'))
    return [costLine('rest', 'EventBridge: events', 'customEvent', changes)];
  return [];
}

// Every webhook is one change of its record.
function changesPerMonth(webhooksPerSecond: number): number {
  return webhooksPerSecond * monthSeconds;
}

function mentions(value: unknown, text: string): boolean {
  return (JSON.stringify(value) ?? '').includes(`"${text}"`);
}
