import { type CostLine, costLine, monthSeconds } from './cost-line.ts';
import { pipeLines, streamReaderLines } from './outbound-lines.ts';
import type { Priced } from './request-lines.ts';

// Ingest reads three stages of the webhook secret once in 60 s, a worker Argyle's key once in 5 minutes.
const webhookSecret = { reads: 3, everySeconds: 60 } as const;
const argyleKey = { reads: 1, everySeconds: 300 } as const;

/** What comes with webhooks beside the way to the record: idle polls, secrets, documents, what others read of the table. */
export function otherLines(priced: Priced): readonly CostLine[] {
  const { facts, measured, load } = priced;
  const webhooks = load.webhooksPerSecond * monthSeconds;
  const fetchingShare = facts.fetching / facts.eventSources.length;
  const ingestReads = readsPerSecond(webhookSecret, load.ingestEnvironments, load.webhooksPerSecond);
  const lines = [
    costLine(
      'rest',
      'SQS: polls of the queues that brought nothing',
      'sqsRequest',
      load.emptyReceivesPerSecond * monthSeconds,
    ),
    costLine('rest', 'Secrets Manager: reads of the webhook secret', 'secretRead', ingestReads * monthSeconds),
    costLine('rest', 'Secrets Manager: secrets', 'secret', facts.template.ofType('AWS::SecretsManager::Secret').length),
    costLine('rest', 'KMS: keys', 'key', facts.template.ofType('AWS::KMS::Key').length),
    ...scheduledLines(priced),
    ...streamReaderLines(priced),
    ...pipeLines(priced),
  ];
  if (facts.fetching > 0) {
    const batches = (load.webhooksPerSecond * fetchingShare) / load.batchFill;
    const keyReads = readsPerSecond(argyleKey, load.pollers * facts.fetching, batches);
    const writeUnits = Math.ceil(measured.recordBytes / 1_024);
    lines.push(
      costLine(
        'rest',
        "DynamoDB: writes of documents from Argyle's API",
        'dynamodbWrite',
        webhooks * fetchingShare * writeUnits,
      ),
      costLine('rest', "Secrets Manager: reads of Argyle's key", 'secretRead', keyReads * monthSeconds),
      costLine('rest', "Secrets Manager: the secret with Argyle's key", 'secret', 1),
    );
  }
  return lines.filter(({ units }) => units > 0);
}

// Each execution environment reads again with the first request after its copy is too old.
function readsPerSecond(
  { reads, everySeconds }: { readonly reads: number; readonly everySeconds: number },
  environments: number,
  requestsPerSecond: number,
): number {
  return (environments * reads) / (everySeconds + environments / requestsPerSecond);
}

function scheduledLines({ facts, assumed }: Priced): readonly CostLine[] {
  return facts.template.ofType('AWS::Scheduler::Schedule').flatMap(({ properties }) => {
    const runs = monthSeconds / everySeconds(properties.ScheduleExpression);
    const seconds = runs * assumed.reconciliationMinutes * 60;
    return [
      costLine('rest', 'Scheduler: runs of reconciliation', 'scheduledInvocation', runs),
      costLine('rest', 'Lambda: requests of reconciliation', 'lambdaRequest', runs),
      costLine('rest', 'Lambda: time of reconciliation', facts.worker.duration, seconds * facts.worker.gigabytes),
    ];
  });
}

function everySeconds(expression: unknown): number {
  const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(String(expression)) ?? [];
  const seconds = { minute: 60, hour: 3_600, day: 86_400 }[unit];
  if (!count || !seconds) throw new Error(`The schedule ${expression} cannot be priced: only rate(…) is understood.`);
  return Number(count) * seconds;
}
