import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { CloudFormationCustomResourceEvent, CloudFormationCustomResourceResponse } from 'aws-lambda';
import type { Engine } from './engine.ts';
import { functionOf, type Lambda } from './lambda.ts';
import { startSmallEngine } from './loopback.ts';
import type { LocalStack } from './template.ts';
import { isCustom, type Properties, pseudoParameters, resolve } from './template.ts';

/** What a custom resource's function answered. */
export type ResourceAnswer = CloudFormationCustomResourceResponse;

/** A small CloudFormation: it says in which state the stack is, and takes the answers of custom resources. */
export type CloudFormation = Engine & {
  readonly setStackStatus: (status: string) => void;
  /** Asks a custom resource's function for a change, and gives its answer. Throws when it did not answer. */
  readonly change: (invoke: Lambda['invoke'], request: ChangeRequest) => Promise<ResourceAnswer>;
};

/** What differs between the requests; properties are those of the template, resolved. */
export type ChangeRequest = { readonly LogicalResourceId: string; readonly ResourceType: string } & (
  | { readonly RequestType: 'Create'; readonly ResourceProperties: Properties }
  | { readonly RequestType: 'Delete'; readonly ResourceProperties: Properties; readonly PhysicalResourceId: string }
  | {
      readonly RequestType: 'Update';
      readonly ResourceProperties: Properties;
      readonly OldResourceProperties: Properties;
      readonly PhysicalResourceId: string;
    }
);

/** Starts it, with a stack that is being created. */
export async function startCloudFormation(): Promise<CloudFormation> {
  const answers = new Map<string, ResourceAnswer>();
  let status = 'CREATE_IN_PROGRESS';
  const engine = await startSmallEngine(async (request, response) => {
    const body = await text(request);
    // As S3 does, whose upload URL is signed for an empty content type.
    if (request.method === 'PUT' && request.headers['content-type'] === '') {
      answers.set(request.url ?? '', JSON.parse(body));
      response.end();
    } else if (new URLSearchParams(body).get('Action') === 'DescribeStacks') {
      response.setHeader('content-type', 'text/xml').end(describeStacks(status));
    } else response.writeHead(403).end();
  });
  return {
    ...engine,
    setStackStatus: (next) => {
      status = next;
    },
    change: async (invoke, request) => {
      const RequestId = randomUUID();
      const StackId = pseudoParameters['AWS::StackId'];
      const ResponseURL = `${engine.endpoint}/${RequestId}`;
      const { ServiceToken } = request.ResourceProperties;
      await invoke({ ...request, RequestId, StackId, ResponseURL, ServiceToken } as CloudFormationCustomResourceEvent);
      const answer = answers.get(`/${RequestId}`);
      if (!answer) throw new Error(`The function of ${request.LogicalResourceId} did not answer.`);
      return answer;
    },
  };
}

/** Creates the template's custom resources. Throws with the reason of the first that fails. */
export async function createCustomResources(
  stack: LocalStack,
  functions: ReadonlyMap<string, Lambda>,
  cloudformation: CloudFormation,
): Promise<void> {
  for (const resource of stack.template.resources.filter(isCustom)) {
    const ResourceProperties = resolve<Properties>(resource.properties, stack.identities);
    const { invoke } = functionOf(ResourceProperties.ServiceToken, functions);
    const about = { LogicalResourceId: resource.logicalId, ResourceType: resource.type, ResourceProperties };
    const answer = await cloudformation.change(invoke, { RequestType: 'Create', ...about });
    if (answer.Status === 'FAILED') throw new Error(`${resource.logicalId} was not created: ${answer.Reason}`);
  }
  cloudformation.setStackStatus('CREATE_COMPLETE');
}

function describeStacks(status: string): string {
  const member = `<StackName>local</StackName><CreationTime>2026-11-24T00:00:00Z</CreationTime><StackStatus>${status}</StackStatus>`;
  return `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member>${member}</member></Stacks></DescribeStacksResult></DescribeStacksResponse>`;
}
