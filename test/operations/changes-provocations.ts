import { functionOf } from '../../local/lambda.ts';
import { type Properties, resolve } from '../../local/template.ts';
import { queueUrlOf } from '../../local/wiring.ts';
import { newUpload, webhookBody } from '../support/argyle-sender.ts';
import { until } from '../support/local-pipeline.ts';
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
};
