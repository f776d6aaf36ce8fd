/**
 * Stands in for @smithy/core/event-streams in the bundles: no action that the functions call answers with a stream of
 * events, and what reads one would be parsed at each cold start.
 */
export class EventStreamSerde {
  constructor() {
    throw new Error(
      'This action answers with a stream of events: take the stand-in for @smithy/core/event-streams out.',
    );
  }
}

/** What a client that could ask for such an action is configured with. */
export const eventStreamSerdeProvider = (): undefined => undefined;

/** Leaves the client's configuration as it is. */
export function resolveEventStreamSerdeConfig<Config>(config: Config): Config {
  return config;
}
