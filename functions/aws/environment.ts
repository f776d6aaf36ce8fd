import type { EventType } from '../domain/events.ts';

/** Names of the functions' environment variables: infra sets them, the entries read them. */
export const environment = {
  webhookSecretId: 'WEBHOOK_SECRET_ID',
  quarantineQueueUrl: 'QUARANTINE_QUEUE_URL',
  eventType: 'EVENT_TYPE',
  queueUrl: 'QUEUE_URL',
  tableName: 'TABLE_NAME',
  retentionDays: 'RETENTION_DAYS',
  /** The base URL of Argyle's API, without a slash at its end. */
  argyleApiUrl: 'ARGYLE_API_URL',
  /** The name or ARN of the secret with Argyle's API key. */
  argyleCredentialsId: 'ARGYLE_CREDENTIALS_ID',
  /** The table of what the stack remembers about Argyle: leases, and how far reconciliation has come. */
  stateTableName: 'STATE_TABLE_NAME',
  /** The namespace of all metrics, one per stack. */
  metricsNamespace: 'METRICS_NAMESPACE',
  /** The dimension `service` of all metrics, one per function. */
  serviceName: 'SERVICE_NAME',
} as const;

/** The name of ingest's variable that holds the URL of an event's queue. */
export function eventQueueUrl(event: EventType): string {
  return `QUEUE_URL_${event.toUpperCase().replaceAll('.', '_')}`;
}

/** The value of a variable that infra sets for some functions only. */
export function readOptionalVariable(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** The value of a variable; throws when it is missing, which only a wrong deployment can cause. */
export function readVariable(name: string): string {
  const value = readOptionalVariable(name);
  if (!value) throw new Error(`The environment variable ${name} is missing: deploy the stack again.`);
  return value;
}
