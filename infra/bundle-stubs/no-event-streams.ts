/**
 * Replaces @smithy/core/event-streams in the bundles. No action that the functions call returns an event stream, and the
 * code that reads one would be parsed at each cold start.
 */
export class EventStreamSerde {
  constructor() {
    throw new Error('This action returns an event stream: remove the stub for @smithy/core/event-streams.');
  }
}

/** The provider in the configuration of a client with event-stream actions. */
export const eventStreamSerdeProvider = (): undefined => undefined;

/** Returns the client's configuration unchanged. */
export function resolveEventStreamSerdeConfig<Config>(config: Config): Config {
  return config;
}
