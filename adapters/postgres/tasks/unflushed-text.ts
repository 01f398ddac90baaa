type Piece = { type: 'text.delta'; data: { step: number; attempt: number; text: string } };
export type Unflushed = { lastSeq: number; pieces: { seq: number; event: Piece }[] };

/** The most tasks that are remembered at once. Far more than one process streams. */
const maxTasks = 2_000;
const byTask = new Map<string, Unflushed>();

/**
 * The text pieces of this process that a crash of Postgres may take back: their commits do not wait for the disk. A
 * later commit of the task that waits brings them to the disk too, because the log is written in order.
 *
 * Followers may have seen the numbers of these pieces. They must not be given to other events after a crash, so
 * `appendEvents` stores the pieces again first.
 */
export const unflushedText = {
  get: (taskId: string) => byTask.get(taskId),

  add(taskId: string, seq: number, event: Piece) {
    const pieces = byTask.get(taskId)?.pieces ?? [];
    pieces.push({ seq, event });
    byTask.delete(taskId);
    byTask.set(taskId, { lastSeq: seq, pieces });
    const [oldest] = byTask.keys();
    if (byTask.size > maxTasks && oldest !== undefined) byTask.delete(oldest);
  },

  /** Forgets the pieces up to a number: they are on the disk. */
  flushed(taskId: string, upTo: number) {
    const unflushed = byTask.get(taskId);
    const pieces = unflushed?.pieces.filter(({ seq }) => seq > upTo) ?? [];
    if (unflushed && pieces.length > 0) byTask.set(taskId, { ...unflushed, pieces });
    else byTask.delete(taskId);
  },

  forget: (taskId: string) => byTask.delete(taskId),
};
