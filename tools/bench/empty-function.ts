/** Called by AWS: does nothing. What it takes to start and call is Node's own share, the 1.00 of every ratio. */
export async function handler() {
  return { statusCode: 200, batchItemFailures: [] };
}
