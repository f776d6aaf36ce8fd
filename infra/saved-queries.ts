import { Lazy, Stack } from 'aws-cdk-lib';
import { CfnQueryDefinition, LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { durationMetric } from '../functions/domain/metric-names.ts';

/** Saved CloudWatch Logs Insights queries, in a folder named after the stack. Each reads all log groups of the stack. */
export class SavedQueries extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const stack = Stack.of(this);
    // Constructs that are created later add their log groups.
    const logGroupNames = Lazy.list({
      produce: () =>
        stack.node
          .findAll()
          .filter((found) => found instanceof LogGroup)
          .map(({ logGroupName }) => logGroupName),
    });
    for (const [name, lines] of Object.entries(queries)) {
      new CfnQueryDefinition(this, name.replaceAll(' ', '-'), {
        name: `${stack.stackName}/${name}`,
        queryString: lines.join('\n| '),
        logGroupNames,
      });
    }
  }
}

// Fields of the log lines: ingest writes `userUpload` and `deliveryId` per delivery, a worker writes the lists `userUploads`
// and `deliveryIds` per batch, an error has `message` and `reason`. API Gateway's `requestId` is the delivery id.
const queries: Readonly<Record<string, readonly string[]>> = {
  'by upload id': [
    'fields @timestamp, service, event, status, message, reason, deliveryId, deliveryIds, @log',
    'filter userUpload = "PUT-THE-ID-HERE" or userUploads like "PUT-THE-ID-HERE"',
    'sort @timestamp asc',
  ],
  'by delivery id': [
    'fields @timestamp, service, event, status, message, reason, cause.name, userUpload, userUploads, @log',
    'filter deliveryId = "PUT-THE-ID-HERE" or requestId = "PUT-THE-ID-HERE" or deliveryIds like "PUT-THE-ID-HERE"',
    'sort @timestamp asc',
  ],
  slowest: [
    `fields @timestamp, service, ${durationMetric}, status, records, deliveryId, deliveryIds, @log`,
    `filter ispresent(${durationMetric})`,
    `sort ${durationMetric} desc`,
    'limit 50',
  ],
  refusals: [
    'fields @timestamp, sourceIp, requestId, responseLatencyMs',
    'filter routeKey like "POST" and (status = "401" or status = "413")',
    'stats count(*) as refusals, min(@timestamp) as first, max(@timestamp) as last by sourceIp, status',
    'sort refusals desc',
  ],
  failures: [
    'filter level = "ERROR"',
    'stats count(*) as lines, max(@timestamp) as last by service, message, kind, reason, cause.name, cause.code',
    'sort last desc',
  ],
  'errors of the gateway': [
    'filter ispresent(routeKey) and (status like /^5/ or status = "429")',
    'stats count(*) as answers, max(@timestamp) as last by status, integrationStatus, integrationError',
    'sort last desc',
  ],
};
