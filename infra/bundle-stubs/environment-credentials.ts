import { fromEnv } from '@aws-sdk/credential-provider-env';

/**
 * Stands in for @aws-sdk/credential-provider-node in the bundles: Lambda hands credentials over in the environment,
 * so the providers for files, SSO and instance metadata are dead weight at each cold start.
 */
export const defaultProvider = fromEnv;
