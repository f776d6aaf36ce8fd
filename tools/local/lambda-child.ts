import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';

// One execution environment of a function: loads the bundle, then handles one invocation at a time.
const root = process.env.LAMBDA_TASK_ROOT ?? '';
const [file, name = ''] = (process.env._HANDLER ?? '').split('.');
const { [name]: handler } = createRequire(join(root, 'index.js'))(join(root, `${file}.js`));

process.on('disconnect', () => process.exit());
process.on('message', async ({ event, remainingMs }: { event: unknown; remainingMs: number }) => {
  const endsMs = Date.now() + remainingMs;
  const context = {
    awsRequestId: randomUUID(),
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    getRemainingTimeInMillis: () => endsMs - Date.now(),
  };
  try {
    process.send?.({ result: await handler(event, context) });
  } catch (error) {
    console.error(error);
    process.send?.({ error: String(error) });
  }
});
process.send?.('started');
