/** Names of the stack's outputs: infra sets them, the command line and the local pipeline read them. No SDK here. */
export const outputNames = {
  webhookUrl: 'WebhookUrl',
  webhookSecretArn: 'WebhookSecretArn',
  uploadTableName: 'UploadTableName',
  /** The URL of each event's queue, as a JSON object by event. */
  queueUrls: 'QueueUrls',
  quarantineQueueUrl: 'QuarantineQueueUrl',
  /** The names of the functions' log groups, as a JSON object by service. */
  logGroupNames: 'LogGroupNames',
  /** Only where changes are published. */
  changeBusName: 'ChangeBusName',
  /** Only with credentials for Argyle. */
  reconciliationFunctionName: 'ReconciliationFunctionName',
} as const;
