import { Stack, Validations } from 'aws-cdk-lib';
import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { LambdaApplication, LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import { Grant, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

/** A function's alias that everything calls, and the alarms that tell a bad release of it. */
export type Release = { readonly alias: Alias; readonly alarms: readonly IAlarm[] };

/**
 * Lets CodeDeploy move each alias to a new version: a tenth of the calls for ten minutes, then all of them. While that
 * lasts any of the release's alarms takes the alias back, and CloudFormation then takes the deployment back.
 */
export class CanaryRollout extends Construct {
  constructor(scope: Construct, id: string, releases: readonly Release[]) {
    super(scope, id);
    const application = new LambdaApplication(this, 'Application');
    const { role, permissions } = this.serviceRole(releases);
    for (const { alias, alarms } of releases) {
      // Beside the function, whose name in the stack it bears.
      const group = new LambdaDeploymentGroup(alias.lambda, 'Rollout', {
        application,
        alias,
        alarms: [...alarms],
        // The alarms sum up five minutes, and metrics come a minute or two late: five minutes would be over too soon.
        deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_10MINUTES,
        autoRollback: { deploymentInAlarm: true, failedDeployment: true, stoppedDeployment: true },
        // It would be given AWS's own policy, which is for every function of the account.
        role: role.withoutPolicyUpdates(),
      });
      for (const permission of permissions) permission.applyBefore(group);
    }
  }

  // What AWSCodeDeployRoleForLambdaLimited allows (read 2026-11-24), for our functions, without hooks and their S3 objects.
  private serviceRole(releases: readonly Release[]): { readonly role: Role; readonly permissions: readonly Grant[] } {
    const role = new Role(this, 'Role', {
      // CodeDeploy says for whom it acts ("Cross-service confused deputy prevention" in its user guide, read 2026-11-24).
      assumedBy: new ServicePrincipal('codedeploy.amazonaws.com').withConditions({
        StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
      }),
    });
    const functions = releases.map(({ alias }) => alias.lambda.functionArn);
    const move = Grant.addToPrincipal({
      grantee: role,
      actions: ['lambda:GetAlias', 'lambda:UpdateAlias', 'lambda:GetProvisionedConcurrencyConfig'],
      resourceArns: [...functions, ...releases.map(({ alias }) => `${alias.lambda.functionArn}:${alias.aliasName}`)],
    });
    const alarms = Stack.of(this).formatArn({ service: 'cloudwatch', resource: 'alarm:*' });
    const watch = Grant.addToPrincipal({
      grantee: role,
      actions: ['cloudwatch:DescribeAlarms'],
      resourceArns: [alarms],
    });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:*]',
      reason:
        'CloudWatch asks for the right to describe alarms on alarm:*, whatever alarms are named in the call. It reads ' +
        'nothing but alarms.',
    });
    return { role, permissions: [move, watch] };
  }
}
