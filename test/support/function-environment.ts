import { environment, eventQueueUrl } from '../../functions/aws/environment.ts';
import { eventTypes } from '../../functions/domain/events.ts';

// The handlers read these when they are imported. Tests call `createIngest` and `createWorker` with their own dependencies.
process.env.AWS_REGION = 'us-east-1';
process.env.AWS_ACCESS_KEY_ID = 'test';
process.env.AWS_SECRET_ACCESS_KEY = 'test';
for (const name of [...Object.values(environment), ...eventTypes.map(eventQueueUrl)]) process.env[name] = 'unused';
// Ingest reads its secret when it is imported. This endpoint refuses connections, so that no request leaves the machine.
process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = 'http://127.0.0.1:9';
