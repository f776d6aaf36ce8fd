/**
 * Replaces node:fs/promises in the bundles. The SDK would look for settings in files that no function has, and would load
 * the module at each cold start. The SDK treats a file that cannot be read as a missing setting.
 */
export async function readFile(path: string): Promise<never> {
  throw new Error(`${path} cannot be read: the bundle replaces node:fs/promises by a stub.`);
}
