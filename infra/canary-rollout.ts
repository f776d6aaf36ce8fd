import { Stack, Validations } from 'aws-cdk-lib';
import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { LambdaApplication, LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import { Grant, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

/** The alias that all callers of a function use, and the alarms that fire when a release of it is bad. */
export type Release = { readonly alias: Alias; readonly alarms: readonly IAlarm[] };

/**
 * Deploys with CodeDeploy: the new version of each function gets a tenth of the calls for ten minutes, then all of them.
 * If one of the release's alarms fires in this time, CodeDeploy moves the alias back and CloudFormation rolls the stack back.
 */
export class CanaryRollout extends Construct {
  constructor(scope: Construct, id: string, releases: readonly Release[]) {
    super(scope, id);
    const application = new LambdaApplication(this, 'Application');
    const { role, permissions } = this.serviceRole(releases);
    for (const { alias, alarms } of releases) {
      // The function is the scope, so that the logical id contains its name.
      const group = new LambdaDeploymentGroup(alias.lambda, 'Rollout', {
        application,
        alias,
        alarms: [...alarms],
        // The alarms' periods are five minutes, and metrics arrive one or two minutes late: a five-minute canary is too short.
        deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_10MINUTES,
        autoRollback: { deploymentInAlarm: true, failedDeployment: true, stoppedDeployment: true },
        // CDK would attach AWS's managed policy, which covers every function of the account.
        role: role.withoutPolicyUpdates(),
      });
      for (const permission of permissions) permission.applyBefore(group);
    }
  }

  // The permissions of AWSCodeDeployRoleForLambdaLimited (read 2026-11-24) for our functions, without hooks and S3 objects.
  private serviceRole(releases: readonly Release[]): { readonly role: Role; readonly permissions: readonly Grant[] } {
    const role = new Role(this, 'Role', {
      // CodeDeploy sends the source account ("Cross-service confused deputy prevention" in its user guide, read 2026-11-24).
      assumedBy: new ServicePrincipal('codedeploy.amazonaws.com').withConditions({
        StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
      }),
    });
    const functions = releases.map(({ alias }) => alias.lambda.functionArn);
    const moveAliases = Grant.addToPrincipal({
      grantee: role,
      actions: ['lambda:GetAlias', 'lambda:UpdateAlias', 'lambda:GetProvisionedConcurrencyConfig'],
      resourceArns: [...functions, ...releases.map(({ alias }) => `${alias.lambda.functionArn}:${alias.aliasName}`)],
    });
    const readAlarms = Grant.addToPrincipal({
      grantee: role,
      actions: ['cloudwatch:DescribeAlarms'],
      resourceArns: [Stack.of(this).formatArn({ service: 'cloudwatch', resource: 'alarm:*' })],
    });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:*]',
      reason:
        'CloudWatch requires DescribeAlarms on alarm:*, whatever alarms the call names. The action only reads alarms.',
    });
    return { role, permissions: [moveAliases, readAlarms] };
  }
}
