/** What the page is told once a second by `/console/overview`. */
export type Overview = {
  readonly stackName: string;
  readonly webhookUrl: string;
  /** The catalogue's events, with what each means. */
  readonly events: readonly { readonly event: string; readonly meaning: string; readonly slot: string }[];
  readonly funnel: Funnel;
  readonly throughput: Throughput;
  readonly lanes: readonly Lane[];
  readonly quarantine: { readonly visible: number; readonly inFlight: number };
  /** The newest records, of how many. */
  readonly records: { readonly total: number; readonly newest: readonly UploadRecord[] };
  /** Whether there is a fake Argyle to drive. */
  readonly hasArgyle: boolean;
};

/** How many webhooks came how far since the start, as the functions printed it. */
export type Funnel = {
  readonly received: number;
  readonly verified: number;
  readonly badSignature: number;
  readonly unavailable: number;
  readonly tooLarge: number;
  readonly queued: number;
  readonly quarantined: number;
  /** Repeats included. */
  readonly applied: number;
  readonly repeated: number;
};

/** Webhooks in each of the last seconds, the oldest first. */
export type Throughput = { readonly received: readonly number[]; readonly applied: readonly number[] };

/** What a worker did with messages; one that is retried counts each time. */
export type LaneCounts = {
  readonly applied: number;
  readonly repeated: number;
  readonly retried: number;
  readonly givenUp: number;
};

/** One event's queue and worker. */
export type Lane = LaneCounts & {
  readonly event: string;
  readonly visible: number;
  readonly inFlight: number;
  readonly dead: number;
};

/** A record with its status; the names that end in `At` and hold a time are slots. */
export type UploadRecord = Readonly<Record<string, unknown>> & { readonly userUpload: string; readonly status: string };

/** One webhook as it was seen; without `answer` it did not come through ingest. */
export type Delivery = {
  readonly deliveryId: string;
  readonly event?: string;
  readonly receivedAt?: string;
  readonly answer?: string;
  readonly attempts: readonly { readonly at: string; readonly outcome: string }[];
};

/** What `/console/uploads/{id}/history` tells of a document. */
export type UploadHistory = {
  readonly record: UploadRecord | null;
  /** Newest first; only those of the last few thousand webhooks. */
  readonly deliveries: readonly Delivery[];
  /** Whether the fake Argyle has the document. */
  readonly isAtArgyle: boolean;
};

/** What an action came to: how often each answer came. */
export type ActionResult = { readonly answers: Readonly<Record<string, number>> };

/** A change of a record as it went to the event bus. */
export type PublishedChange = {
  readonly id: string;
  readonly time: string;
  readonly detail: {
    readonly userUpload: string;
    readonly statusBefore: string | null;
    readonly statusAfter: string | null;
  };
};
