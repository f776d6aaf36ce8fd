import { environment, eventQueueUrl } from '../../functions/aws/environment.ts';
import { eventTypes } from '../../functions/domain/events.ts';

// The entries read these when they are imported; tests call `createIngest` and `createWorker` with dependencies of their own.
process.env.AWS_REGION = 'us-east-1';
process.env.AWS_ACCESS_KEY_ID = 'test';
process.env.AWS_SECRET_ACCESS_KEY = 'test';
for (const name of [...Object.values(environment), ...eventTypes.map(eventQueueUrl)]) process.env[name] = 'unused';
// Ingest reads its secret ahead when it is imported: nobody answers here, and no other machine is asked.
process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = 'http://127.0.0.1:9';
