/** Names of the stack's outputs, shared with the tools that read them. Imports nothing, so that tools load no CDK. */
export const outputNames = {
  webhookUrl: 'WebhookUrl',
  webhookSecretArn: 'WebhookSecretArn',
  uploadTableName: 'UploadTableName',
  /** The URL of each event's queue, as a JSON object by event. */
  queueUrls: 'QueueUrls',
  quarantineQueueUrl: 'QuarantineQueueUrl',
  /** The names of the functions' log groups, as a JSON object by service. */
  logGroupNames: 'LogGroupNames',
  /** Exists only with `publishChanges`. */
  changeBusName: 'ChangeBusName',
  /** These exist only with `argyleCredentials`. */
  reconciliationFunctionName: 'ReconciliationFunctionName',
  subscriptionFunctionName: 'SubscriptionFunctionName',
  subscriptionName: 'SubscriptionName',
  stateTableName: 'StateTableName',
} as const;
