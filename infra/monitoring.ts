import { CfnOutput, Duration, Lazy, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmStatusWidget,
  CfnDashboard,
  Column,
  ComparisonOperator,
  GraphWidget,
  type GraphWidgetProps,
  type IMetric,
  type IWidget,
  Row,
  Stats,
  TextWidget,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export type MonitoringProps = {
  readonly alarmEmail: string | undefined;
  readonly runbookUrl: string;
  /** The first rows of the dashboard, in order. Other rows follow in the order of their first widget. */
  readonly rows: readonly string[];
};

/** Properties of every alarm. */
type AlarmProps = {
  /** The dashboard row of its graph: an event type, or a part of the stack. */
  readonly row: string;
  /** The consequence for users of the records while the alarm fires, in one sentence. */
  readonly failureImpact: string;
};

export type WatchProps = AlarmProps & {
  /** The metric's period is also the alarm's period. */
  readonly metric: IMetric;
  readonly threshold: number;
  /** @default at or above the threshold */
  readonly comparison?: ComparisonOperator;
  /** How many periods are evaluated. @default 1 */
  readonly periods?: number;
  /** How many of the evaluated periods must breach. @default all of them */
  readonly breachingPeriods?: number;
  /** What a period without data means. @default not breaching: most metrics are reported only when something happens */
  readonly whenMissing?: TreatMissingData;
};

/** The alarms, their topic and the dashboard. Every construct adds its alarms and graphs here. */
export class Monitoring extends Construct {
  private readonly topic: Topic;
  private readonly runbookUrl: string;
  private readonly rows: Map<string, IWidget[]>;
  private readonly alarms: Alarm[] = [];

  constructor(scope: Construct, id: string, { alarmEmail, runbookUrl, rows }: MonitoringProps) {
    super(scope, id);
    const { stackName, account, region } = Stack.of(this);
    this.runbookUrl = runbookUrl;
    this.topic = new Topic(this, 'AlarmTopic', { enforceSSL: true });
    // `enforceSSL` replaces the topic's default policy, which allows the account's alarms to publish. This statement allows it
    // again.
    this.topic.grantPublish(
      new ServicePrincipal('cloudwatch.amazonaws.com').withConditions({
        StringEquals: { 'aws:SourceAccount': account },
      }),
    );
    if (alarmEmail) this.topic.addSubscription(new EmailSubscription(alarmEmail));

    this.rows = new Map(rows.map((row): [string, IWidget[]] => [row, []]));
    // Dashboard names are unique per account, not per region.
    const dashboardName = `${stackName}-${region}`;
    // CDK's Dashboard construct lays its rows out immediately, before other constructs have added their widgets.
    new CfnDashboard(this, 'Dashboard', {
      dashboardName,
      dashboardBody: Lazy.string({ produce: () => Stack.of(this).toJsonString(this.dashboard()) }),
    });
    new CfnOutput(Stack.of(this), 'DashboardUrl', {
      value: `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#dashboards/dashboard/${dashboardName}`,
    });
  }

  /**
   * Creates an alarm that notifies the topic, and a graph of it on the dashboard. Its `id` in kebab case is its section in
   * the runbook: `DeadLetters` links to `docs/runbook.md#dead-letters`.
   */
  watch(scope: Construct, id: string, { row, metric, failureImpact, ...watch }: WatchProps): Alarm {
    const section = id.replaceAll(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
    const alarm = new Alarm(scope, id, {
      metric,
      threshold: watch.threshold,
      comparisonOperator: watch.comparison ?? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: watch.periods ?? 1,
      ...(watch.breachingPeriods && { datapointsToAlarm: watch.breachingPeriods }),
      treatMissingData: watch.whenMissing ?? TreatMissingData.NOT_BREACHING,
      // The on-call engineer sees the alarm name first.
      alarmName: `${Stack.of(this).stackName}/${row}/${section}`,
      alarmDescription: `${failureImpact}\n\nRunbook: ${this.runbookUrl}#${section}`,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
    this.alarms.push(alarm);
    this.graph(row, titleOf(section), { left: [metric], leftAnnotations: [alarm.toAnnotation()] });
    return alarm;
  }

  /** Creates an alarm that fires while a queue has a visible message, for queues that nothing consumes. */
  watchMessages(scope: Construct, id: string, { queue, ...props }: AlarmProps & { readonly queue: IQueue }): Alarm {
    return this.watch(scope, id, {
      ...props,
      metric: queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1), statistic: Stats.MAXIMUM }),
      threshold: 1,
      // SQS may report nothing for a queue that was not used for six hours. Its messages are still there.
      whenMissing: TreatMissingData.IGNORE,
    });
  }

  /** Adds a graph to a row of the dashboard. */
  graph(row: string, title: string, props: GraphWidgetProps): void {
    // Six graphs of this width fill one line of the dashboard.
    this.show(row, new GraphWidget({ title, width: 4, height: 5, leftYAxis: { min: 0 }, ...props }));
  }

  /** Adds a widget to a row of the dashboard. */
  show(row: string, widget: IWidget): void {
    this.rows.set(row, [...(this.rows.get(row) ?? []), widget]);
  }

  private dashboard(): object {
    const column = new Column(new AlarmStatusWidget({ title: 'Alarms', alarms: this.alarms, width: 24, height: 6 }));
    for (const [row, widgets] of this.rows) {
      column.addWidget(new TextWidget({ markdown: `## ${row}`, width: 24, height: 1 }));
      column.addWidget(new Row(...widgets));
    }
    column.position(0, 0);
    return { start: '-PT3H', widgets: column.toJson() };
  }
}

function titleOf(section: string): string {
  return section.charAt(0).toUpperCase() + section.slice(1).replaceAll('-', ' ');
}
