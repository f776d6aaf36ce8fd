import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { CloudFormationCustomResourceEvent, CloudFormationCustomResourceResponse } from 'aws-lambda';
import { functionOf, type Lambda } from './lambda.ts';
import { type Emulator, startHttpEmulator } from './loopback.ts';
import { isCustom, type LocalStack, type Properties, pseudoParameters, resolve } from './template.ts';

export type ResourceAnswer = CloudFormationCustomResourceResponse;

/** A CloudFormation emulator: reports the stack's status and receives the answers of custom resources. */
export type CloudFormation = Emulator & {
  readonly setStackStatus: (status: string) => void;
  /** Sends a request to a custom resource's function and returns its answer. Throws when there is no answer. */
  readonly change: (invoke: Lambda['invoke'], request: ChangeRequest) => Promise<ResourceAnswer>;
};

/** The part of a custom resource's request that differs between requests, with resolved properties. */
export type ChangeRequest = {
  readonly RequestType: CloudFormationCustomResourceEvent['RequestType'];
  readonly LogicalResourceId: string;
  readonly ResourceType: string;
  readonly ResourceProperties: Properties;
  /** Of an Update. */
  readonly OldResourceProperties?: Properties;
  /** Of an Update or a Delete. */
  readonly PhysicalResourceId?: string;
};

/** Starts the emulator with a stack in the status CREATE_IN_PROGRESS. */
export async function startCloudFormation(): Promise<CloudFormation> {
  const answers = new Map<string, ResourceAnswer>();
  let status = 'CREATE_IN_PROGRESS';
  const emulator = await startHttpEmulator(async (request, response) => {
    const body = await text(request);
    // The answer's upload URL is signed for an empty content type: S3 refuses any other.
    if (request.method === 'PUT' && request.headers['content-type'] === '') {
      answers.set(request.url ?? '', JSON.parse(body));
      response.end();
    } else if (new URLSearchParams(body).get('Action') === 'DescribeStacks') {
      response.setHeader('content-type', 'text/xml').end(describeStacks(status));
    } else response.writeHead(403).end();
  });
  return {
    ...emulator,
    setStackStatus: (next) => {
      status = next;
    },
    change: async (invoke, request) => {
      const RequestId = randomUUID();
      const StackId = pseudoParameters['AWS::StackId'];
      const ResponseURL = `${emulator.endpoint}/${RequestId}`;
      const { ServiceToken } = request.ResourceProperties;
      await invoke({ ...request, RequestId, StackId, ResponseURL, ServiceToken } as CloudFormationCustomResourceEvent);
      const answer = answers.get(`/${RequestId}`);
      if (!answer) throw new Error(`The function of ${request.LogicalResourceId} did not answer.`);
      return answer;
    },
  };
}

/** Creates the template's custom resources. Throws with the reason of the first one that fails. */
export async function createCustomResources(
  stack: LocalStack,
  functions: ReadonlyMap<string, Lambda>,
  cloudformation: CloudFormation,
): Promise<void> {
  for (const resource of stack.template.resources.filter(isCustom)) {
    const ResourceProperties = resolve<Properties>(resource.properties, stack.identities);
    const { Status, Reason } = await cloudformation.change(
      functionOf(ResourceProperties.ServiceToken, functions).invoke,
      {
        RequestType: 'Create',
        LogicalResourceId: resource.logicalId,
        ResourceType: resource.type,
        ResourceProperties,
      },
    );
    if (Status === 'FAILED') throw new Error(`${resource.logicalId} was not created: ${Reason}`);
  }
  cloudformation.setStackStatus('CREATE_COMPLETE');
}

function describeStacks(status: string): string {
  const member = `<StackName>local</StackName><CreationTime>2026-11-24T00:00:00Z</CreationTime><StackStatus>${status}</StackStatus>`;
  return `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member>${member}</member></Stacks></DescribeStacksResult></DescribeStacksResponse>`;
}
