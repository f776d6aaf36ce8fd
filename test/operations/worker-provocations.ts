import { until } from '../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../support/fakes/argyle-sender.ts';
import {
  endTrouble,
  failedRecords,
  type Provocations,
  purge,
  putOnQueue,
  refused,
  stateOfQueue,
  workerOf,
} from './scene.ts';

/** Makes the alarms fire that watch the way from the queues to the records. */
export const workerProvocations: Provocations = {
  'dead-letters': async ({ pipeline, event }) => {
    await putOnQueue(pipeline, event, 'poison');
    await until(async () => (await stateOfQueue(pipeline, event)).dead > 0);
    return { mend: () => purge(pipeline, pipeline.queueOf(event).deadLetterUrl) };
  },

  'oldest-message': async ({ pipeline, event }) => {
    const signal = (name: NodeJS.Signals) => {
      for (const pid of workerOf(pipeline, event).pids()) process.kill(pid, name);
    };
    signal('SIGSTOP');
    await putOnQueue(pipeline, event, webhookBody(event, newUpload()));
    await until(async () => (await stateOfQueue(pipeline, event)).inFlight > 0);
    const mend = async () => {
      signal('SIGCONT');
      await pipeline.drained();
    };
    return { laterMs: 16 * 60_000, mend };
  },

  'worker-errors': async (scene) => {
    const { pipeline, event, disturb } = scene;
    disturb(({ service }) => (service === 'dynamodb' ? refused(500, 'InternalServerError') : undefined));
    // Four records that cannot be stored, and one batch that dies with its function.
    const before = failedRecords(pipeline, event);
    for (let count = 0; count < 4; count += 1) await putOnQueue(pipeline, event, webhookBody(event, newUpload()));
    await until(async () => failedRecords(pipeline, event) >= before + 4);
    const { name, counts, pids } = workerOf(pipeline, event);
    const { Errors } = counts();
    let isStuck = false;
    disturb(({ service, caller }) => {
      isStuck ||= service === 'dynamodb' && caller === name;
      return { kind: 'stall' };
    });
    await putOnQueue(pipeline, event, webhookBody(event, newUpload()));
    await until(async () => isStuck);
    for (const pid of pids()) process.kill(pid, 'SIGKILL');
    await until(async () => counts().Errors > Errors);
    return { mend: () => endTrouble(scene) };
  },

  // Lambda here never refuses to start a function: what it would report then is added.
  throttled: async ({ metrics, alarm }) => {
    for (const { namespace, metricName, dimensions } of alarm.metrics)
      metrics.add({ namespace, metricName, dimensions, value: alarm.threshold, timeMs: Date.now() });
    return {};
  },

  'table-throttled': async (scene) => {
    const { pipeline, event, disturb, metrics } = scene;
    let refusals = 0;
    disturb(({ service, action, resource }) => {
      if (service !== 'dynamodb') return undefined;
      refusals += 1;
      const dimensions = { TableName: resource, Operation: action };
      metrics.add({
        ...{ namespace: 'AWS/DynamoDB', metricName: 'ThrottledRequests', dimensions },
        ...{ value: 1, timeMs: Date.now() },
      });
      return refused(400, 'ThrottlingException');
    });
    for (let count = 0; count < 5; count += 1) await putOnQueue(pipeline, event, webhookBody(event, newUpload()));
    await until(async () => refusals >= 10);
    return { mend: () => endTrouble(scene) };
  },
};
