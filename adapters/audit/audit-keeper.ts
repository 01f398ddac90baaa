import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditKeys } from '../../runtime/audit-key-text.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { AuditStore, HeadRow } from '../postgres/audit/audit-store.ts';
import { checkpointMac, headMac, isGenuineHead, isSame } from './chain.ts';
import type { CheckpointPlace } from './checkpoint-place.ts';

const dayMs = 86_400_000;
/** So many entries get a checkpoint before its time. */
const entriesOfCheckpoint = 10_000;
const retentionEveryMs = 3_600_000;
const removedAtOnce = 10_000;
const scanEveryMs = 60_000;
const usualTickMs = 10_000;
/** How long the end waits for a job. A mounted place of checkpoints may hang for ever. */
const usualStopMs = 5_000;

type Deps = {
  store: AuditStore;
  keys: () => Promise<AuditKeys>;
  /** Takes into the log what was done without a request. */
  seal: () => Promise<void>;
  /** Looks for intrusions. */
  scan: () => Promise<void>;
  /** undefined: checkpoints are in the database alone. */
  place: CheckpointPlace | undefined;
  log: Pick<Logger, 'error' | 'info'>;
  metrics?: Pick<Metrics, 'auditCheckpointAge' | 'auditSealFailures'> | undefined;
  checkpointMs: number;
  keptDays: number;
  now?: () => number;
  /** How often it looks what is to be done. */
  tickMs?: number;
  stopMs?: number;
};

/**
 * Takes into the audit log what workers have done, signs checkpoints, and removes entries whose time is over. Several
 * processes may do so at once.
 */
export function createAuditKeeper(deps: Deps) {
  const { store, keys, scan, place, log, metrics, checkpointMs, keptDays, now = Date.now } = deps;
  const { tickMs = usualTickMs, stopMs = usualStopMs } = deps;
  let isStopping = false;
  let waitingSince: number | undefined;
  let retentionAt = 0;
  let scanAt = 0;

  /** @returns whether a checkpoint was written */
  async function writeCheckpoint({ evenIfEarly = false } = {}): Promise<boolean> {
    // Before the end is read: another process may sign a checkpoint of a later one in between.
    const newest = await store.newestCheckpoint();
    const head = await store.readHead();
    const { seq, hash } = head;
    if (seq < (newest?.seq ?? 0))
      throw new Error(`the audit log ends with entry ${seq}, but a checkpoint signed entry ${newest?.seq}`);
    if (seq === (newest?.seq ?? 0)) {
      waitingSince = undefined;
      metrics?.auditCheckpointAge.set(0);
      return false;
    }
    waitingSince ??= now();
    metrics?.auditCheckpointAge.set((now() - waitingSince) / 1_000);
    const isDue =
      newest === undefined || now() - newest.at.getTime() >= checkpointMs || seq - newest.seq >= entriesOfCheckpoint;
    if (!isDue && !evenIfEarly) return false;
    const { signing, byId } = await keys();
    if (!isGenuineHead(head, { byId })) throw new Error('the end of the audit log is not what Alfred wrote');
    const unsigned = { seq, hash, at: new Date(now()), key_id: signing.id };
    const checkpoint = { ...unsigned, mac: checkpointMac(signing.secret, unsigned) };
    await place?.write(checkpoint);
    await store.saveCheckpoint(checkpoint);
    waitingSince = undefined;
    metrics?.auditCheckpointAge.set(0);
    return true;
  }

  /** Moves the beginning of the log to the newest checkpoint of before, and removes what is in front of it. */
  async function removeExpired(): Promise<number> {
    const { byId, signing } = await keys();
    const last = await store.checkpointBefore(new Date(now() - keptDays * dayMs));
    if (last) {
      const secret = byId.get(last.key_id);
      if (secret === undefined || !isSame(checkpointMac(secret, last), last.mac))
        throw new Error(`the checkpoint of entry ${last.seq} is not genuine, so nothing is removed`);
      const head = await store.readHead();
      if (last.seq > head.base_seq)
        await store.moveBase((current): HeadRow | undefined => {
          // Another process may have moved it since.
          if (last.seq <= current.base_seq) return undefined;
          if (!isGenuineHead(current, { byId })) throw new Error('the end of the audit log is not what Alfred wrote');
          const moved = { ...current, base_seq: last.seq, base_hash: last.hash, key_id: signing.id };
          return { ...moved, mac: headMac(signing.secret, moved) };
        });
    }
    const removed = await removeRows(store, () => isStopping);
    if (last) await store.removeCheckpointsBefore(last.seq);
    if (removed > 0) log.info({ removed }, 'entries of the audit log were removed, because their time is over');
    return removed;
  }

  /** One job that fails keeps no other from its work. */
  async function tick(): Promise<void> {
    await orLogged(writeCheckpoint);
    if (isStopping) return;
    if (now() - scanAt >= scanEveryMs) {
      scanAt = now();
      await orLogged(scan);
    }
    if (isStopping || now() - retentionAt < retentionEveryMs) return;
    retentionAt = now();
    await orLogged(removeExpired);
  }

  const orLogged = (job: () => Promise<unknown>) =>
    job().catch((error: unknown) => log.error({ err: error }, 'the audit log cannot be looked after'));

  return {
    writeCheckpoint,
    removeExpired,

    /** Looks every few seconds what is to be done. @returns a function that ends that */
    start(): () => Promise<void> {
      // A place of checkpoints that hangs keeps nothing out of the log.
      const stops = [createSealJob(deps), tick].map((job) => repeat(job, tickMs));
      return async () => {
        isStopping = true;
        await Promise.race([Promise.all(stops.map((stop) => stop())), sleep(stopMs, undefined, { ref: false })]);
      };
    },
  };
}

/** Each failure is counted, and the first of an outage is logged: what could not be taken in stays where it is. */
function createSealJob({ seal, log, metrics }: Pick<Deps, 'seal' | 'log' | 'metrics'>) {
  let hasFailed = false;
  return async (): Promise<void> => {
    try {
      await seal();
      if (hasFailed) log.info('what was done without a request is taken into the audit log again');
      hasFailed = false;
    } catch (error) {
      metrics?.auditSealFailures.inc();
      if (!hasFailed) log.error({ err: error }, 'what was done without a request cannot be taken into the audit log');
      hasFailed = true;
    }
  };
}

/** Runs a job again and again, never twice at once. @returns ends that, when the job that runs has ended */
function repeat(job: () => Promise<void>, everyMs: number): () => Promise<void> {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= job().finally(() => {
      running = undefined;
    });
  }, everyMs).unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}

async function removeRows(store: Pick<AuditStore, 'removeExpired'>, isStopping: () => boolean): Promise<number> {
  let removed = 0;
  let some = removedAtOnce;
  while (some === removedAtOnce && !isStopping()) {
    some = await store.removeExpired(removedAtOnce);
    removed += some;
  }
  return removed;
}
