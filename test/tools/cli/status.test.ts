import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createReport } from '../../../tools/cli/report.ts';
import { showStatus } from '../../../tools/cli/status.ts';
import { findTarget } from '../../../tools/cli/target.ts';
import { close, type Listening, listen } from '../../../tools/local/loopback.ts';
import { type ServedQueues, serveQueues } from './served-queues.ts';

let firing: readonly string[];
let requests: { readonly action: string | undefined; readonly input: Readonly<Record<string, unknown>> }[];
let cloudWatch: Listening;
let it: ServedQueues;
beforeEach(async () => {
  firing = [];
  requests = [];
  cloudWatch = await listen(async (request, response) => {
    const action = String(request.headers['x-amz-target']).split('.')[1];
    requests.push({ action, input: JSON.parse(await text(request)) });
    const MetricDataResults = [
      { Id: 'accepted', Timestamps: [1_000_000_060, 1_000_000_000], Values: [1, 2] },
      { Id: 'age0', Timestamps: [1_000_000_000], Values: [42] },
    ];
    const MetricAlarms = firing.map((AlarmName) => ({ AlarmName }));
    response.end(JSON.stringify(action === 'DescribeAlarms' ? { MetricAlarms } : { MetricDataResults }));
  }, 0);
  it = await serveQueues();
});
afterEach(async () => {
  await it.close();
  await close(cloudWatch.server);
});

test('status of a deployed stack shows the last webhook and ages, and needs no action without alarms', async () => {
  const { isFine, status } = await deployedStatus();

  expect(isFine).toBe(true);
  expect(status).toMatchObject({ alarms: [], lastWebhookAt: '2001-09-09T01:47:40.000Z', quarantined: 0 });
  expect(status.queues[0]).toMatchObject({ visible: 0, inFlight: 0, dead: 0, oldestSeconds: 42 });
  expect(status.queues[1]).not.toHaveProperty('oldestSeconds');
  const alarms = requests.find(({ action }) => action === 'DescribeAlarms');
  expect(alarms?.input).toMatchObject({ AlarmNamePrefix: 'test/', StateValue: 'ALARM' });
});

test('action is needed when an alarm of a deployed stack fires', async () => {
  firing = ['test/user_uploads.added/dead-letters'];

  const { isFine, status } = await deployedStatus();

  expect({ isFine, alarms: status.alarms }).toEqual({ isFine: false, alarms: firing });
});

test('action is needed when a message is in quarantine', async () => {
  await it.put(it.quarantineUrl, 'not JSON', {});

  expect(await deployedStatus()).toMatchObject({ isFine: false, status: { quarantined: 1 } });
});

test('action is needed when there is a dead letter', async () => {
  await it.put(it.deadUrl('user_uploads.removed'), 'not JSON', {});

  expect((await deployedStatus()).isFine).toBe(false);
});

async function deployedStatus() {
  const local = await findTarget({ local: true, stage: 'sandbox', port: it.port });
  const clientOptions = (service: string) =>
    service === 'CLOUDWATCH'
      ? { ...local.clientOptions('SQS'), endpoint: cloudWatch.endpoint }
      : local.clientOptions(service);
  let out = '';
  const write = (part: string) => {
    out += part;
  };
  const isFine = await showStatus(
    { ...local, isLocal: false, clientOptions },
    createReport({ write, writeError: write }, true),
  );
  return { isFine, status: JSON.parse(out) };
}
