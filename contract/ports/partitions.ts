/**
 * What became of a partition: `made`, `dropped`, `put_off` (its lock was not free), or why it cannot be made.
 * `occupied`: the default partition has rows that belong in it. `too_large`: Postgres would read that one for long.
 */
export type PartitionChange = {
  partition: string;
  change: 'made' | 'dropped' | 'put_off' | 'occupied' | 'too_large';
};

/** The parts of tables that grow for ever, one a month. */
export interface Partitions {
  /**
   * Makes the partitions of this month and the next ones, and drops those of past months that have no rows. Waits long
   * for no lock: what cannot be done now is put off until the next time. Safe to run twice at once.
   */
  align(signal: AbortSignal): Promise<PartitionChange[]>;
}
