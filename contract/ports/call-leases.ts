/**
 * Whether an attempt at a model call still runs somewhere. An attempt holds a lease while it runs. The lease ends with
 * the attempt, or with its process, however that process ends.
 */
export interface CallLeases {
  /** Connects ahead of the first use, so that `stateOf` is certain soon after the start of a worker. */
  open(): void;

  /** Takes the lease of a call in the background. @returns gives it back; may be called twice */
  hold(callId: string): () => void;

  /**
   * Reads whether any of these calls has a lease.
   *
   * @returns `unsettled`: none has, but the database was away a moment ago, and living processes take their leases
   *   again; `unknown`: the database is away
   */
  stateOf(callIds: string[]): Promise<'leased' | 'free' | 'unsettled' | 'unknown'>;
}
