import { CfnOutput, Lazy, Stack } from 'aws-cdk-lib';
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
  TextWidget,
  type TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';

/** What the monitoring is made from; `rows` are the dashboard's first ones, in their order. */
export type MonitoringProps = {
  readonly alarmEmail: string | undefined;
  readonly runbookUrl: string;
  readonly rows: readonly string[];
};

/** When an alarm fires, and what it means. */
export type Watch = {
  /** The row of the dashboard that its graph stands in: an event type, or a part of the stack. */
  readonly row: string;
  /** Its period is the alarm's. */
  readonly metric: IMetric;
  readonly threshold: number;
  /** At or above the threshold when absent. */
  readonly comparison?: ComparisonOperator;
  /** How many periods in a row must breach; one when absent. */
  readonly periods?: number;
  /** What users of the records miss, in one sentence. */
  readonly failureImpact: string;
  /** What a period without data means; say why beside it. */
  readonly whenMissing: TreatMissingData;
};

/** Alarms, their topic and the dashboard: the one way in which every construct is watched. */
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
    // A policy of its own replaces the topic's default one, which would have let the account's alarms publish.
    this.topic.grantPublish(
      new ServicePrincipal('cloudwatch.amazonaws.com').withConditions({
        StringEquals: { 'aws:SourceAccount': account },
      }),
    );
    if (alarmEmail) this.topic.addSubscription(new EmailSubscription(alarmEmail));

    this.rows = new Map(rows.map((row): [string, IWidget[]] => [row, []]));
    // The names of dashboards are an account's, not a region's.
    const dashboardName = `${stackName}-${region}`;
    // Not the construct of CDK's own: its rows are laid out before the other constructs put anything into them.
    new CfnDashboard(this, 'Dashboard', {
      dashboardName,
      dashboardBody: Lazy.string({ produce: () => Stack.of(this).toJsonString(this.dashboard()) }),
    });
    new CfnOutput(Stack.of(this), 'DashboardUrl', {
      value: `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#dashboards/dashboard/${dashboardName}`,
    });
  }

  /**
   * Makes an alarm that tells the topic, with the threshold drawn on a graph of the dashboard. Its `id` in kebab case is
   * its section in the runbook: `DeadLetters` is explained by `docs/runbook.md#dead-letters`.
   */
  watch(scope: Construct, id: string, { row, metric, failureImpact, ...watch }: Watch): Alarm {
    const section = id.replaceAll(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
    const alarm = new Alarm(scope, id, {
      metric,
      threshold: watch.threshold,
      comparisonOperator: watch.comparison ?? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: watch.periods ?? 1,
      treatMissingData: watch.whenMissing,
      // Who is woken reads the name first.
      alarmName: `${Stack.of(this).stackName}/${row}/${section}`,
      alarmDescription: `${failureImpact}\n\nRunbook: ${this.runbookUrl}#${section}`,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
    this.alarms.push(alarm);
    this.graph(row, titleOf(section), { left: [metric], leftAnnotations: [alarm.toAnnotation()] });
    return alarm;
  }

  /** Puts a graph into a row of the dashboard. */
  graph(row: string, title: string, props: GraphWidgetProps): void {
    // Six in a row: each event's graphs stand below those of the one before.
    this.show(row, new GraphWidget({ title, width: 4, height: 5, leftYAxis: { min: 0 }, ...props }));
  }

  /** Puts any widget into a row of the dashboard. */
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
