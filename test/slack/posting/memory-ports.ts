import type { TaskEvent } from '../../../contract/events.ts';
import { isTerminalEvent } from '../../../contract/events.ts';
import type { Artifacts, SlackPost, SlackPosts, TaskEvents } from '../../../contract/ports/index.ts';
import type { Clock } from '../../../slack/api-calls/clock.ts';

type Row = SlackPost & { dueAt: number; owner: string | null; leasedUntil: number; finishedAt: number | null };

/** Rows of posts on the clock of a test. They behave as those of `adapters/postgres/slack`, whose clock is Postgres. */
export function createMemoryPosts(clock: Clock) {
  const rows = new Map<string, Row>();
  const owned = (owner: string, id: string) => {
    const row = rows.get(id);
    return row?.owner === owner ? row : undefined;
  };
  const claimable = (team: string) =>
    [...rows.values()].filter(
      (row) =>
        row.team === team &&
        row.finishedAt === null &&
        row.dueAt <= clock.now() &&
        (row.owner === null || row.leasedUntil <= clock.now()),
    );
  const toPost = ({ dueAt: _, owner: __, leasedUntil: ___, finishedAt: ____, ...post }: Row): SlackPost =>
    structuredClone(post);

  const posts: SlackPosts = {
    async create(post) {
      if ([...rows.values()].some(({ taskId }) => taskId === post.taskId)) return;
      const own = {
        messages: [],
        seq: 0,
        attempts: 0,
        files: [],
        dueAt: clock.now(),
        owner: null,
        leasedUntil: 0,
        finishedAt: null,
      };
      rows.set(post.id, { ...post, ...own });
    },
    async claim(owner, leaseMs, team) {
      const [row] = claimable(team).sort(
        (a, b) => Number(a.attempts > 0) - Number(b.attempts > 0) || a.dueAt - b.dueAt,
      );
      if (!row) return undefined;
      Object.assign(row, { owner, leasedUntil: clock.now() + leaseMs, attempts: row.attempts + 1 });
      return toPost(row);
    },
    async claimable(team) {
      return claimable(team).length;
    },
    async renew(owner, leaseMs) {
      const kept = [...rows.values()].filter((row) => row.owner === owner);
      for (const row of kept) row.leasedUntil = clock.now() + leaseMs;
      return kept.map(({ id }) => id);
    },
    async save(owner, id, { messages, seq }) {
      const row = owned(owner, id);
      if (!row) return false;
      Object.assign(row, { messages: structuredClone(messages), seq });
      return true;
    },
    async saveFiles(owner, id, files) {
      const row = owned(owner, id);
      if (!row) return false;
      row.files = structuredClone(files);
      return true;
    },
    async finish(owner, id) {
      const row = owned(owner, id);
      if (row) Object.assign(row, { owner: null, finishedAt: clock.now() });
    },
    async showAgain(taskId) {
      for (const row of rows.values())
        if (row.taskId === taskId && row.finishedAt !== null)
          Object.assign(row, { finishedAt: null, dueAt: clock.now() });
    },
    async retry(owner, id, afterMs) {
      const row = owned(owner, id);
      if (row) Object.assign(row, { owner: null, dueAt: clock.now() + afterMs });
    },
    async ownedTs({ team, channel, threadTs }) {
      return [...rows.values()]
        .filter((row) => row.team === team && row.channel === channel && row.threadTs === threadTs)
        .flatMap((row) => row.messages.flatMap(({ ts }) => (ts === null ? [] : [ts])));
    },
    async findByTask(taskId) {
      const row = [...rows.values()].find((other) => other.taskId === taskId);
      return row && toPost(row);
    },
    async depth() {
      return [...rows.values()].filter(({ finishedAt }) => finishedAt === null).length;
    },
    async removeOld() {
      return 0;
    },
  };
  return { posts, rows };
}

type NewEvent = TaskEvent extends infer E ? (E extends TaskEvent ? Pick<E, 'type' | 'data'> : never) : never;

/** Task events that a test appends. */
export function createMemoryEvents(clock: Clock) {
  const byTask = new Map<string, TaskEvent[]>();
  const erased = new Set<string>();
  let waiters: (() => void)[] = [];
  const wakeAll = () => {
    const woken = waiters;
    waiters = [];
    for (const wake of woken) wake();
  };

  const events: Pick<TaskEvents, 'follow'> = {
    async *follow(_scope, taskId, after, signal) {
      let seq = after;
      while (!signal.aborted) {
        if (erased.has(taskId)) return;
        const batch = (byTask.get(taskId) ?? []).filter((event) => event.seq > seq);
        const last = batch.at(-1);
        if (last) {
          seq = last.seq;
          yield batch;
          if (isTerminalEvent(last)) return;
          continue;
        }
        const { promise, resolve } = Promise.withResolvers<void>();
        waiters.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
        await promise;
      }
    },
  };

  return {
    events,
    append: (taskId: string, { type, data }: NewEvent): void => {
      const known = byTask.get(taskId) ?? [];
      const at = new Date(clock.now()).toISOString();
      byTask.set(taskId, [...known, { seq: known.length + 1, at, type, data } as TaskEvent]);
      wakeAll();
    },
    erase: (taskId: string): void => {
      erased.add(taskId);
      wakeAll();
    },
    read: (taskId: string) => byTask.get(taskId) ?? [],
  };
}

type File = { name: string; content: Buffer };

/** Files of tasks that a test adds. */
export function createMemoryArtifacts() {
  const byTask = new Map<string, Map<string, File>>();
  const describe = (taskId: string, id: string, { name, content }: File) => ({
    id,
    taskId,
    name,
    mediaType: 'text/csv' as const,
    bytes: content.length,
    sha256: '',
    createdAt: '2026-01-01T00:00:00.000Z',
  });
  const artifacts: Artifacts = {
    list: async (_owner, taskId) => [...(byTask.get(taskId) ?? [])].map(([id, file]) => describe(taskId, id, file)),
    async open(_owner, taskId, id) {
      const file = byTask.get(taskId)?.get(id);
      const content = async function* () {
        if (file) yield file.content;
      };
      return file && { artifact: describe(taskId, id, file), content: content() };
    },
  };
  return {
    artifacts,
    addFile: (taskId: string, id: string, file: File) =>
      byTask.set(taskId, (byTask.get(taskId) ?? new Map<string, File>()).set(id, file)),
    removeFiles: (taskId: string) => byTask.delete(taskId),
  };
}

export type { NewEvent };
