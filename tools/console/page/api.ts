/** The answer of `GET /console/overview`. */
export type Overview = {
  readonly stackName: string;
  readonly webhookUrl: string;
  readonly events: readonly { readonly event: string; readonly meaning: string; readonly slot: string }[];
  /** Webhooks since the start, by the status that ingest answered. */
  readonly answers: Readonly<
    Record<'accepted' | 'quarantined' | 'bad_signature' | 'too_large' | 'unavailable', number>
  >;
  readonly throughput: Throughput;
  readonly lanes: readonly Lane[];
  readonly quarantine: { readonly visible: number; readonly inFlight: number };
  readonly records: { readonly total: number; readonly newest: readonly UploadRecord[] };
  /** Whether there is a fake Argyle. */
  readonly hasArgyle: boolean;
};

/** Webhooks in each of the last seconds, the oldest first. */
export type Throughput = { readonly received: readonly number[]; readonly applied: readonly number[] };

/** Results of a worker. Each failed attempt counts as retried. */
export type LaneCounts = { readonly applied: number; readonly repeated: number; readonly retried: number };

/** The queue and worker of one event. */
export type Lane = LaneCounts & {
  readonly event: string;
  readonly visible: number;
  readonly inFlight: number;
  /** The dead letters, including those that a reader has received. */
  readonly dead: number;
  readonly deadBeingRead: number;
};

/** A record with its status. Attributes whose names end in `At` and contain a time are slots. */
export type UploadRecord = Readonly<Record<string, unknown>> & { readonly userUpload: string; readonly status: string };

/** A webhook that was seen in the log. Without `answer` it did not pass through ingest. */
export type Delivery = {
  readonly deliveryId: string;
  readonly event?: string;
  readonly receivedAt?: string;
  readonly answer?: string;
  readonly attempts: readonly { readonly at: string; readonly outcome: string }[];
};

/** The answer of `GET /console/uploads/{id}/history`. */
export type UploadHistory = {
  readonly record: UploadRecord | null;
  /** Newest first, from the last few thousand webhooks. */
  readonly deliveries: readonly Delivery[];
  /** Whether the fake Argyle lists the document. */
  readonly isAtArgyle: boolean;
};

/** The answer of `POST /console/scenario`: how often the scenario received each answer. */
export type ScenarioResult = { readonly answers: Readonly<Record<string, number>> };

/** The answer of `POST /console/redrive`. `left` includes `failed`; `beingRead`: how many another reader has received. */
export type RedriveResult = Readonly<Record<'moved' | 'left' | 'failed' | 'beingRead', number>>;

/** The answer of `GET /console/changes`, the newest first. */
export type PublishedChanges = {
  readonly isPublishing: boolean;
  readonly changes: readonly {
    readonly id: string;
    readonly time: string;
    readonly detail: {
      readonly userUpload: string;
      readonly statusBefore: string | null;
      readonly statusAfter: string | null;
    };
  }[];
};

/** Throws when the pipeline does not answer 200. */
export async function getJson<T>(path: string): Promise<T> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} was answered ${response.status}.`);
  return (await response.json()) as T;
}

/** Throws the pipeline's error message when it refuses. */
export async function postJson<T>(path: string, parameters: Readonly<Record<string, string>>): Promise<T> {
  const response = await fetch(`${path}?${new URLSearchParams(parameters)}`, { method: 'POST' });
  const answer = (await response.json()) as T & { readonly message?: string };
  if (!response.ok) throw new Error(answer.message);
  return answer;
}
