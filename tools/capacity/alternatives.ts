import { type Cost, costAt } from './cost.ts';
import { monthSeconds, perMillion } from './cost-line.ts';
import { dollarsFor, type PriceName } from './prices.ts';
import type { StackFacts } from './stack-facts.ts';

/** Another shape, and how many dollars per million webhooks it costs more or less than this one. */
export type Alternative = { readonly name: string; readonly difference: number };

/** The same stack with another setting: its cost as deployed, and how many times the floor of the contract that is. */
export type WhatIf = { readonly name: string; readonly dollars: number; readonly times: number };

/** What others do, beside what the stack does, at the same rate. */
export function alternativesTo(cost: Cost): readonly Alternative[] {
  const rate = cost.load.webhooksPerSecond;
  const webhooks = rate * monthSeconds;
  const of = (name: PriceName, timesAWebhook = 1) => perMillion(dollarsFor(name, webhooks * timesAWebhook), rate);
  const now = (pattern: RegExp) =>
    perMillion(
      cost.lines.filter(({ name }) => pattern.test(name)).reduce((sum, { dollars }) => sum + dollars, 0),
      rate,
    );
  const api = now(/^API: requests/);
  return [
    { name: 'REST API instead of HTTP API', difference: of('restApiRequest') - api },
    { name: 'function URL instead of an API (no throttle, no access log)', difference: -api },
    {
      name: 'API Gateway straight to SQS (200 is said before the signature is checked)',
      difference: -now(/of ingest/),
    },
    { name: 'SNS topic before the queues', difference: of('snsPublish') - now(/^SQS: sends$/) },
    { name: 'EventBridge bus before the queues', difference: of('customEvent') },
    { name: 'idempotency table, two writes a webhook', difference: of('dynamodbWrite', 2) },
    { name: 'transaction instead of one conditional write', difference: of('dynamodbWrite') },
  ];
}

/** What the bill would be if one thing were set otherwise. */
export function whatIfs(cost: Cost): readonly WhatIf[] {
  const { facts } = cost;
  const windowed = (seconds: number): StackFacts => ({
    ...facts,
    eventSources: facts.eventSources.map((source) => ({ ...source, windowMs: seconds * 1_000 })),
  });
  const quiet = (from: StackFacts): StackFacts => ({
    ...from,
    ingest: { ...from.ingest, platformLines: 'none' },
    worker: { ...from.worker, platformLines: 'none' },
  });
  const silent = (from: StackFacts): StackFacts => ({ ...from, stage: { ...from.stage, accessLogFormat: undefined } });
  return [
    whatIf(cost, 'without START, END and REPORT (JSON logs, system level WARN)', quiet(facts)),
    whatIf(cost, 'without the access log', silent(facts)),
    whatIf(cost, 'batching window of 1 s', windowed(1)),
    whatIf(cost, 'batching window of 5 s', windowed(5)),
    whatIf(cost, 'window of 5 s, without these lines, without the access log', silent(quiet(windowed(5)))),
  ];
}

function whatIf({ load, measured, assumed }: Cost, name: string, facts: StackFacts): WhatIf {
  const [, asDeployed] = costAt(load.webhooksPerSecond, facts, measured, assumed).goals;
  const floor = asDeployed?.floors.at(-1);
  return { name, dollars: asDeployed?.dollars ?? 0, times: floor?.times ?? 0 };
}
