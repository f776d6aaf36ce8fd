import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { callDeadline } from './clients.ts';

/** Updates an item and returns its attributes as `ReturnValues` selects them, or undefined when the condition failed. */
export async function updateIf(
  client: DynamoDBClient,
  input: UpdateItemCommandInput & { readonly ConditionExpression: string },
  deadline?: AbortSignal,
): Promise<Readonly<Record<string, AttributeValue>> | undefined> {
  try {
    const { Attributes } = await client.send(new UpdateItemCommand(input), { abortSignal: callDeadline(deadline) });
    return Attributes ?? {};
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}
