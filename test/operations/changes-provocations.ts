import { workerMetrics } from '../../functions/domain/metric-names.ts';
import { functionOf } from '../../tools/local/lambda.ts';
import { type Properties, resolve } from '../../tools/local/template.ts';
import { queueUrlOf } from '../../tools/local/wiring.ts';
import { until } from '../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../support/fakes/argyle-sender.ts';
import { type Provocations, purge, visibleMessages } from './scene.ts';

/** Makes the alarms fire that watch the publishing of changes. */
export const changesProvocations: Provocations = {
  // The function that describes changes dies whenever it is asked.
  'changes-not-published': async ({ pipeline, metrics, event }) => {
    const { identities, template, functions } = pipeline;
    const [pipe] = template.ofType('AWS::Pipes::Pipe');
    const describe = functionOf(resolve(pipe?.properties.Enrichment, identities), functions);
    const queueUrl = queueUrlOf(
      resolve<Properties>(pipe?.properties.SourceParameters, identities).DynamoDBStreamParameters.DeadLetterConfig.Arn,
      pipeline,
    );
    // One that is described between two kills is published: others follow it.
    await until(async () => {
      await metrics.post(webhookBody(event, newUpload()));
      for (const pid of describe.pids()) process.kill(pid, 'SIGKILL');
      return (await visibleMessages(pipeline, queueUrl)) > 0;
    });
    return { mend: () => purge(pipeline, queueUrl) };
  },

  // Nobody waits here for an hour: what a worker really prints of a change is told once more for each half of the hour to
  // come. What the function in the pipe prints of it lies before that hour.
  'nothing-published': async ({ pipeline, metrics, event, alarm }) => {
    const ids = newUpload();
    const startMs = Date.now();
    await metrics.post(webhookBody(event, ids));
    await pipeline.drained();
    await until(async () => (await (await pipeline.fetchConsole('/console/changes')).text()).includes(ids.userUpload));
    const applied = (await metrics.since(startMs, Date.now())).filter(
      ({ metricName, dimensions }) => metricName === workerMetrics.applied && dimensions.service === event,
    );
    for (const half of [1, 2])
      metrics.add(...applied.map((sample) => ({ ...sample, timeMs: sample.timeMs + half * alarm.periodMs })));
    return { laterMs: 2 * alarm.periodMs };
  },
};
