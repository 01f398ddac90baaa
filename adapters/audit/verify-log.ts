import type { AuditKeys } from '../../runtime/audit-key-text.ts';
import type { AuditStore } from '../postgres/audit/audit-store.ts';
import type { Checkpoint } from './chain.ts';
import { ChainVerification, type Verification } from './verify-chain.ts';

/** Of 400 days, one each five minutes. */
const mostCheckpoints = 200_000;

type Input = {
  store: Pick<AuditStore, 'readHead' | 'readAfter' | 'checkpointsAfter'>;
  keys: AuditKeys;
  /** Checkpoints that are kept off the machine. */
  outside: Checkpoint[];
  rowsAtOnce?: number;
};

/** Verifies the audit log, page by page, while others go on writing: what comes meanwhile is left out. */
export async function verifyLog(input: Input): Promise<Verification> {
  while (true) {
    const { base, verification } = await verifyOnce(input);
    // Entries that were removed meanwhile, because their time is over, would be missing.
    if ((await input.store.readHead()).base_seq === base) return verification;
  }
}

async function verifyOnce({ store, keys, outside, rowsAtOnce = 5_000 }: Input) {
  // Before the end is read: a checkpoint of meanwhile would be of an entry that is left out.
  const inside = await store.checkpointsAfter(0, mostCheckpoints);
  const head = await store.readHead();
  const verification = new ChainVerification({ head, keys, checkpoints: [...inside, ...outside] });
  // An entry behind the end is one of a request that came meanwhile, unless the end is still where it was.
  let rows = await store.readAfter(head.base_seq, rowsAtOnce);
  while (true) {
    const last = rows.at(-1);
    // The database reads the next page while this one is verified.
    const next = last === undefined ? [] : store.readAfter(last.seq, rowsAtOnce);
    const isBehind = rows.some(({ seq }) => seq > head.seq);
    const hasMoved = isBehind && (await store.readHead()).seq > head.seq;
    for (const row of rows) if (row.seq <= head.seq || !hasMoved) verification.check(row);
    if (last === undefined || hasMoved) {
      await next;
      return { base: head.base_seq, verification: verification.finish() };
    }
    rows = await next;
  }
}
