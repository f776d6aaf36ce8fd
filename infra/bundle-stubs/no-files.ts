/**
 * Stands in for node:fs/promises in the bundles: the SDK would look for settings in files that no function has, and what reads
 * files is loaded at each cold start. A setting that is not there and a file that is not there are the same to the SDK.
 */
export async function readFile(path: string): Promise<never> {
  throw new Error(`${path} is not read: take the stand-in for node:fs/promises out.`);
}
