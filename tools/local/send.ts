import { parseArgs } from 'node:util';
import { eventTypes, isEventType } from '../../functions/domain/events.ts';
import { areAccepted, sendSamples } from '../messages/send-samples.ts';

const usage = `usage: npm run send -- EVENT [--count N] [--upload ID] [--url URL] [--secret S]

Signs and posts sample webhooks, shaped and formatted as Argyle's.
  EVENT        ${eventTypes.join('\n               ')}
  --count N    how many (default 1), each for an upload of its own unless --upload is given
  --upload ID  the document's id, 8-4-4-4-12 hex (default: a new one)
  --url URL    where to (default: the local pipeline)
  --secret S   the signing secret (default: WEBHOOK_SECRET, else local-secret)`;

try {
  process.exitCode = await send();
} catch (error) {
  console.error(`${(error as Error).message}\n\n${usage}`);
  process.exitCode = 2;
}

async function send(): Promise<number> {
  const samples = readArguments();
  const tally = await sendSamples(samples);
  for (const [answer, times] of tally) console.log(`${times} × ${samples.event}: ${answer}`);
  return areAccepted(tally) ? 0 : 1;
}

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      count: { type: 'string', default: '1' },
      upload: { type: 'string' },
      url: { type: 'string', default: `http://127.0.0.1:${process.env.PORT || 8787}/webhooks/argyle` },
      secret: { type: 'string', default: process.env.WEBHOOK_SECRET || 'local-secret' },
    },
  });
  const [event = ''] = positionals;
  if (!isEventType(event)) throw new Error(event ? `There is no event '${event}'.` : 'Say which event to send.');
  if (!/^[1-9]\d*$/.test(values.count))
    throw new Error(`--count ${values.count} is not allowed: use a whole number from 1.`);
  if (values.upload !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(values.upload))
    throw new Error(`--upload ${values.upload} is not allowed: use 8-4-4-4-12 hex digits in lower case.`);
  return { ...values, event, count: Number(values.count), upload: values.upload };
}
