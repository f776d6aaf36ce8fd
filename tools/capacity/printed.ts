import { durationMetric } from '../../functions/domain/metric-names.ts';

/** One embedded-metric line of a function; `records` tells a worker's. Each metric is its namespace, dimensions and name. */
export type Printed = {
  /** The event type that it is about. */
  readonly event: string;
  readonly records: number | undefined;
  readonly bytes: number;
  readonly metrics: readonly string[];
};

type Line = {
  readonly service?: string;
  readonly event?: string;
  readonly records?: string;
  readonly deliveryId?: string;
  readonly deliveryIds?: string;
  readonly _aws?: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string }[];
    }[];
  };
};

// An id of API Gateway's, as its documentation shows one; the local gateway's are longer.
const gatewayId = 'JKJaXmPLvHcESHA=';

/** Reads a printed line; undefined if it carries no metrics. Bytes are as with ids of API Gateway and a usual duration. */
export function readPrinted(text: string): Printed | undefined {
  if (!text.startsWith('{')) return undefined;
  const line = JSON.parse(text) as Line;
  if (!line._aws) return undefined;
  const asDeployed = {
    ...line,
    [durationMetric]: 12,
    ...(line.deliveryId !== undefined && { deliveryId: gatewayId }),
    ...(line.deliveryIds !== undefined && { deliveryIds: line.deliveryIds.replaceAll(/\S+/g, gatewayId) }),
  };
  return {
    event: line.event ?? line.service ?? '',
    records: line.records === undefined ? undefined : Number(line.records),
    bytes: Buffer.byteLength(JSON.stringify(asDeployed)),
    metrics: line._aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
      Dimensions.flatMap((names) => {
        const values = names.map((name) => `${name}=${(line as Record<string, unknown>)[name]}`);
        return Metrics.map(({ Name }) => [Namespace, ...values, Name].join(' '));
      }),
    ),
  };
}
