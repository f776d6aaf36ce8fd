import { fromEnv } from '@aws-sdk/credential-provider-env';

/**
 * Replaces @aws-sdk/credential-provider-node in the bundles. Lambda passes credentials in the environment, so the providers
 * for files, SSO and instance metadata would only slow down each cold start.
 */
export const defaultProvider = fromEnv;
