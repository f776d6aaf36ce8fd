/**
 * An error whose message and `code` are safe to log and to show: telemetry prints both, and CloudFormation shows the
 * message to the person who deploys. Neither may ever contain a payload, a secret or a file name.
 */
export class LoggableError extends Error {
  // A string, because minified bundles have no class names.
  override name = 'LoggableError';
  readonly code: string | undefined;

  constructor(message: string, options: ErrorOptions & { readonly code?: string } = {}) {
    super(message, options);
    this.code = options.code;
  }
}
