import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import type { ChangeRequest } from '../../../tools/local/cloudformation.ts';
import { functionOf } from '../../../tools/local/lambda.ts';
import type { Pipeline } from '../../../tools/local/pipeline.ts';
import { isCustom, type Properties, resolve } from '../../../tools/local/template.ts';

/** Sends a request to the function of the template's custom resource, with some of its properties changed. */
export async function changeSubscription(
  {
    template,
    identities,
    functions,
    cloudformation,
  }: Pick<Pipeline, 'template' | 'identities' | 'functions' | 'cloudformation'>,
  RequestType: CloudFormationCustomResourceEvent['RequestType'],
  changed: Properties,
  PhysicalResourceId?: string,
) {
  const [resource] = template.resources.filter(isCustom);
  if (!resource) throw new Error('The template has no custom resource.');
  const OldResourceProperties = resolve<Properties>(resource.properties, identities);
  const ResourceProperties = { ...OldResourceProperties, ...changed };
  const request = {
    RequestType,
    LogicalResourceId: resource.logicalId,
    ResourceType: resource.type,
    ResourceProperties,
    ...(RequestType === 'Update' && { OldResourceProperties }),
    ...(PhysicalResourceId && { PhysicalResourceId }),
  };
  return cloudformation.change(
    functionOf(OldResourceProperties.ServiceToken, functions).invoke,
    request as unknown as ChangeRequest,
  );
}
