import type { AuditRecord } from '../../contract/audit.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { AuditKeys } from '../../runtime/audit-key-text.ts';
import type { AuditEntryRow } from '../../runtime/database/audit-tables.ts';
import { isDatabaseUnavailable } from '../../runtime/database/database-errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { AuditStore, HeadRow } from '../postgres/audit/audit-store.ts';
import { chainOn, fieldsOf } from './chain.ts';

/** The most entries in one statement, and the most that wait for the database. */
const mostInBatch = 500;
const mostWaiting = 10_000;
/** With the entry, which has ids and codes only: so what was done is known at least from there. */
const lostMessage = 'an entry of the audit log was not written';
const pauseMs = { first: 100, longest: 5_000 };

type Waiting = { fields: ReturnType<typeof fieldsOf>; resolve: () => void; reject: (error: unknown) => void };

type Deps = {
  store: Pick<AuditStore, 'readHead' | 'append' | 'appendLocked'>;
  keys: () => Promise<AuditKeys>;
  log: Pick<Logger, 'error' | 'warn'>;
  metrics?: Pick<Metrics, 'auditEntries' | 'auditWriteFailures'> | undefined;
};

/** Signs batches and stores them, behind what it stored last or what other processes have stored since. */
function createBatches({ store, keys }: Pick<Deps, 'store' | 'keys'>) {
  let head: HeadRow | undefined;
  /** The entries of a batch that may be stored. Its repeat has the same ones. */
  let attempt: AuditEntryRow[] | undefined;

  const prepare = (batch: Waiting[], before: HeadRow, known: AuditKeys) =>
    chainOn(
      before,
      batch.map(({ fields }) => fields),
      known,
    );

  /**
   * Stores entries, or finds that the attempt before has stored them. Its answer may have been lost, and its statement
   * may still wait in the database: so a repeat looks for its entries while no other statement can add any.
   */
  async function storeBatch(batch: Waiting[]): Promise<void> {
    const known = await keys();
    const [first] = attempt ?? [];
    if (!first) {
      const before = head ?? (await store.readHead());
      head = undefined;
      const prepared = prepare(batch, before, known);
      attempt = prepared.entries;
      if (await store.append(prepared.entries, before, prepared.after)) {
        head = prepared.after;
        return;
      }
    }
    const locked = await store.appendLocked((current) => {
      const again = prepare(batch, current, known);
      attempt = again.entries;
      return again;
    }, first);
    head = locked?.after;
  }

  return {
    /** How many of what waits are in the next batch. */
    size: () => attempt?.length ?? mostInBatch,
    async store(batch: Waiting[]): Promise<void> {
      await storeBatch(batch);
      attempt = undefined;
    },
  };
}

/**
 * Writes entries in batches: what comes while a batch is written makes the next one. A batch is one statement, which
 * writes nothing when another process has added entries in between; it is then written again with the head locked.
 */
export function createAuditWriter({ store, keys, log, metrics }: Deps) {
  let waiting: Waiting[] = [];
  const batches = createBatches({ store, keys });
  let running: Promise<void> | undefined;
  let isClosing = false;
  /** Whether the newest batch could not be stored. It is tried again until it can. */
  let isStuck = false;

  async function run(): Promise<void> {
    let pause = pauseMs.first;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, batches.size());
      try {
        await batches.store(batch);
      } catch (error) {
        isStuck = true;
        metrics?.auditWriteFailures.inc();
        // All who wait hear at once. The entries stay: what they tell has been done.
        for (const { reject } of waiting) reject(error);
        if (isDatabaseUnavailable(error)) log.warn({ waiting: waiting.length }, 'the audit log cannot be written yet');
        else log.error({ err: error, waiting: waiting.length }, 'the audit log cannot be written');
        if (isClosing) break;
        await pauseFor(pause);
        pause = Math.min(2 * pause, pauseMs.longest);
        continue;
      }
      isStuck = false;
      pause = pauseMs.first;
      waiting = waiting.slice(batch.length);
      for (const { fields, resolve } of batch) {
        metrics?.auditEntries.inc({ action: fields.action, outcome: fields.outcome }, fields.count);
        resolve();
      }
    }
    // At once, and not in a `finally`: a caller whose entry was just stored may write the next one before that.
    running = undefined;
  }

  /** Ends early when the writer closes. */
  let wake: (() => void) | undefined;
  const pauseFor = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  return {
    /** @throws when the next entry would not be stored now */
    check(): void {
      if (isStuck || waiting.length >= mostWaiting / 2)
        throw new AlfredError(
          'database_unavailable',
          'The audit log cannot be written, so nothing is changed. Repeat the request later.',
        );
    },

    /** @returns when the entry is stored */
    write(record: AuditRecord): Promise<void> {
      const fields = fieldsOf(record, new Date());
      if (waiting.length >= mostWaiting || isClosing) {
        metrics?.auditWriteFailures.inc();
        log.error({ entry: fields }, lostMessage);
        return Promise.reject(
          new AlfredError(
            'database_unavailable',
            'The audit log cannot be written. What was asked for was done, and has no entry there.',
          ),
        );
      }
      return new Promise((resolve, reject) => {
        waiting.push({ fields, resolve, reject });
        running ??= run();
      });
    },

    /** Writes what waits, if the database answers. */
    async close(): Promise<void> {
      isClosing = true;
      wake?.();
      await running;
      for (const { fields } of waiting) log.error({ entry: fields }, lostMessage);
    },
  };
}
