import { Duration, Stack } from 'aws-cdk-lib';
import { Alarm, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/** What the monitoring is made from. */
export type MonitoringProps = { readonly alarmEmail: string | undefined };

/** The alarms' topic, and the ways in which the other constructs raise an alarm. */
export class Monitoring extends Construct {
  private readonly topic: Topic;

  constructor(scope: Construct, id: string, { alarmEmail }: MonitoringProps) {
    super(scope, id);
    this.topic = new Topic(this, 'AlarmTopic', { enforceSSL: true });
    // A policy of its own replaces the topic's default one, which would have let the account's alarms publish.
    this.topic.grantPublish(
      new ServicePrincipal('cloudwatch.amazonaws.com').withConditions({
        StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
      }),
    );
    if (alarmEmail) this.topic.addSubscription(new EmailSubscription(alarmEmail));
  }

  /** Fires as soon as a queue that should be empty holds a message. */
  alarmOnMessages(scope: Construct, id: string, queue: Queue, failureImpact: string): void {
    const metric = queue.metricApproximateNumberOfMessagesVisible({
      period: Duration.minutes(1),
      statistic: Stats.MAXIMUM,
    });
    this.alarm(scope, id, metric, failureImpact);
  }

  /** Fires as soon as a function counts one of these: a metric that it prints itself. */
  alarmOnMetric(scope: Construct, id: string, service: string, metricName: string, failureImpact: string): void {
    const metric = new Metric({
      namespace: Stack.of(this).stackName,
      metricName,
      dimensionsMap: { service },
      period: Duration.minutes(1),
      statistic: Stats.SUM,
    });
    this.alarm(scope, id, metric, failureImpact);
  }

  /** Fires as soon as a function throws, dies or runs out of time. */
  alarmOnErrors(scope: Construct, id: string, lambda: IFunction, failureImpact: string): void {
    this.alarm(scope, id, lambda.metricErrors({ period: Duration.minutes(1), statistic: Stats.SUM }), failureImpact);
  }

  private alarm(scope: Construct, id: string, metric: Metric, failureImpact: string): void {
    const alarm = new Alarm(scope, id, {
      metric,
      threshold: 1,
      evaluationPeriods: 1,
      alarmDescription: failureImpact,
      // SQS reports nothing for a queue that nobody used, and a function nothing that did not happen: all is well.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
  }
}
