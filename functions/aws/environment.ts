import type { EventType } from '../domain/events.ts';

/** Names of the functions' environment variables. Infra sets them, and the functions read them. */
export const environment = {
  webhookSecretId: 'WEBHOOK_SECRET_ID',
  quarantineQueueUrl: 'QUARANTINE_QUEUE_URL',
  eventType: 'EVENT_TYPE',
  queueUrl: 'QUEUE_URL',
  deadLetterQueueUrl: 'DEAD_LETTER_QUEUE_URL',
  tableName: 'TABLE_NAME',
  retentionDays: 'RETENTION_DAYS',
  /** The base URL of Argyle's API, without a trailing slash. */
  argyleApiUrl: 'ARGYLE_API_URL',
  /** The name or ARN of the secret with Argyle's API key. */
  argyleCredentialsId: 'ARGYLE_CREDENTIALS_ID',
  /** The table of leases, managed subscriptions and the progress of reconciliation. */
  stateTableName: 'STATE_TABLE_NAME',
  /** The namespace of all metrics of the stack. */
  metricsNamespace: 'METRICS_NAMESPACE',
  /** The `service` dimension of all metrics of a function. */
  serviceName: 'SERVICE_NAME',
} as const;

/** Returns the name of the variable with the URL of an event's queue, for ingest. */
export function eventQueueUrl(event: EventType): string {
  return `QUEUE_URL_${event.toUpperCase().replaceAll('.', '_')}`;
}

/** Returns a variable that infra sets for some functions only. */
export function readOptionalVariable(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** Returns a variable. Throws when it is missing, which only a faulty deployment can cause. */
export function readVariable(name: string): string {
  const value = readOptionalVariable(name);
  if (!value) throw new Error(`The environment variable ${name} is missing: deploy the stack again.`);
  return value;
}
