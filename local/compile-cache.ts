/**
 * The variable that tells a child process where this one keeps what Node compiles, if it does: else each strips its types and
 * compiles its bundle anew. Nothing else of this machine's environment is for the children.
 */
export function compileCacheVariable(): Record<string, string> {
  const { NODE_COMPILE_CACHE } = process.env;
  return NODE_COMPILE_CACHE ? { NODE_COMPILE_CACHE } : {};
}
