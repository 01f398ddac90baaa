import type { ClaimedSlackDelivery, SlackInbox } from '../../../contract/ports/index.ts';

type Row = ClaimedSlackDelivery & { owner: string | null; leasedUntil: number; dueAt: number; isCompleted: boolean };

/** An inbox whose clock is the test's. It behaves as that of `adapters/postgres/slack`. */
export function createMemoryInbox() {
  const rows = new Map<string, Row>();
  let completesThatFail = 0;
  const owned = (owner: string, key: string) => {
    const row = rows.get(key);
    return row?.owner === owner ? row : undefined;
  };
  const inbox: SlackInbox = {
    store: async () => true,
    async claim(owner, leaseMs, { teams, without = [] }) {
      const now = Date.now();
      const row = [...rows.values()]
        .filter((one) => teams.includes(one.team) && !without.includes(one.lane.split(':')[1] ?? ''))
        .find((one) => !one.isCompleted && one.dueAt <= now && (one.owner === null || one.leasedUntil <= now));
      if (!row) return undefined;
      Object.assign(row, { owner, leasedUntil: now + leaseMs, attempts: row.attempts + 1 });
      return row;
    },
    async renew(owner, leaseMs, keys) {
      for (const key of keys) {
        const row = owned(owner, key);
        if (row) row.leasedUntil = Date.now() + leaseMs;
      }
    },
    async keep(owner, key, what) {
      const row = owned(owner, key);
      if (row) row.kept ??= what;
      return row?.kept ?? undefined;
    },
    async complete(owner, key) {
      if (completesThatFail > 0) {
        completesThatFail--;
        throw new Error('Postgres is away');
      }
      const row = owned(owner, key);
      if (row) Object.assign(row, { isCompleted: true, owner: null });
    },
    async retry(owner, key, afterMs) {
      const row = owned(owner, key);
      if (row) Object.assign(row, { owner: null, dueAt: Date.now() + afterMs });
    },
    depth: async () => rows.size,
    removeOld: async () => 0,
    removeAbandoned: async () => [],
  };

  return {
    ...inbox,
    add(key: string, more: Partial<Row> = {}): void {
      const delivery = { key, kind: 'event' as const, team: 'T1', lane: `T1:C${key}:1.0`, body: {} };
      const lease = { owner: null, leasedUntil: 0, dueAt: 0 };
      const state = { attempts: 0, receivedAt: new Date(), kept: null, isCompleted: false };
      rows.set(key, { ...delivery, ...lease, ...state, ...more });
    },
    row(key: string): Row {
      const row = rows.get(key);
      if (!row) throw new Error(`no delivery ${key}`);
      return row;
    },
    failNextComplete: () => void completesThatFail++,
  };
}
