import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readConfig } from './config.ts';
import { ConfigError } from './settings.ts';
import { UploadsStack } from './uploads-stack.ts';

// The CDK CLI starts this file through tools/run.mjs and passes the context of cdk.json and of `-c`.
try {
  const app = new App();
  const config = readConfig(app.node);
  new UploadsStack(app, `argyle-uploads-${config.stage}`, { config });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
