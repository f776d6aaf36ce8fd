import type { Measured } from './measure.ts';
import type { FunctionFacts } from './stack-facts.ts';

/** Lines in a log: how many bytes and how many lines, for one webhook or one invocation. */
export type LogLines = { readonly bytes: number; readonly lines: number };

const requestId = 'c793869b-ee49-115b-a5b6-4fd21e8dedac';

// As Lambda prints them of an invocation that was not the first of its execution environment.
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html and monitoring-cloudwatchlogs-advanced.html, read 2026-11-24.
const platformLines = {
  none: [],
  text: [
    `START RequestId: ${requestId} Version: $LATEST`,
    `END RequestId: ${requestId}`,
    `REPORT RequestId: ${requestId}\tDuration: 11.42 ms\tBilled Duration: 12 ms\tMemory Size: 512 MB\tMax Memory Used: 98 MB\t`,
  ],
  json: [
    `{"time":"2026-11-24T12:00:00.000Z","type":"platform.start","record":{"requestId":"${requestId}","version":"$LATEST"}}`,
    `{"time":"2026-11-24T12:00:00.012Z","type":"platform.report","record":{"requestId":"${requestId}","metrics":{"durationMs":11.42,"billedDurationMs":12,"memorySizeMB":512,"maxMemoryUsedMB":98},"status":"success"}}`,
  ],
} as const;

/** What Lambda itself prints of an invocation. */
export function platformLinesOf({ platformLines: kind }: FunctionFacts): LogLines {
  return linesOf(platformLines[kind]);
}

/** What a worker prints of a batch of so many records, fractions allowed. */
export function workerLine({ workerBytes: { first, further } }: Measured, records: number): LogLines {
  return { bytes: first + (records - 1) * further, lines: 1 };
}

// What stands in the place of a variable when a webhook was accepted.
const accessLogValues: Readonly<Record<string, string>> = {
  '$context.requestId': 'JKJaXmPLvHcESHA=',
  '$context.requestTime': '24/Nov/2026:12:00:00 +0000',
  '$context.identity.sourceIp': '34.27.251.226',
  '$context.routeKey': 'POST /webhooks/argyle',
  '$context.status': '200',
  '$context.responseLength': '21',
  '$context.responseLatency': '25',
  '$context.integrationStatus': '200',
  '$context.integrationLatency': '23',
  '$context.integrationErrorMessage': '-',
};

/** The line of the access log in the template's format. A variable that is not known counts as ten characters. */
export function accessLogLine(format: string | undefined): LogLines {
  if (!format) return linesOf([]);
  return linesOf([format.replaceAll(/\$context(\.\w+)+/g, (variable) => accessLogValues[variable] ?? '-'.repeat(10))]);
}

function linesOf(lines: readonly string[]): LogLines {
  return { bytes: lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0), lines: lines.length };
}
