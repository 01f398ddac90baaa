import type { AuditRecord } from '../../contract/audit.ts';
import type { Audit } from '../../contract/ports/index.ts';
import { networkOf } from '../../contract/rules/network.ts';
import type { AuditStore } from '../postgres/audit/audit-store.ts';
import { createAuditWriter } from './audit-writer.ts';
import { createRepeats } from './repeats.ts';

type Deps = Parameters<typeof createAuditWriter>[0] & {
  store: Pick<AuditStore, 'list'>;
  /** ALFRED_AUDIT: false writes nothing. */
  isOn: boolean;
};

/**
 * What is counted together, and how many kinds of it are kept apart. A flood of strangers must not hide who was refused
 * or who has read what.
 */
const floods = {
  strangers: { mostKinds: 200 },
  refusals: { mostKinds: 1_000 },
  reads: { mostKinds: 5_000 },
  // A sign-in is written when it is the first of its kind in an hour.
  signIns: { mostKinds: 10_000, windowMs: 3_600_000 },
} as const;
const flushEveryMs = 5_000;

/** The audit log. It connects to nothing until the first entry. */
export function createAuditLog({ isOn, ...deps }: Deps): Audit & { close(): Promise<void> } {
  const writer = createAuditWriter(deps);
  const write = (entry: AuditRecord) => void writer.write(entry).catch(() => undefined);
  const strangers = createRepeats({ write, ...floods.strangers });
  const refusals = createRepeats({ write, ...floods.refusals });
  const reads = createRepeats({ write, ...floods.reads });
  const signIns = createRepeats({ write, ...floods.signIns });
  const flush = (all = false) => {
    for (const repeats of [strangers, refusals, reads, signIns]) repeats.flush(all);
  };
  const repeatsOf = ({ action, outcome, subject }: AuditRecord) => {
    if (subject === '') return strangers;
    if (outcome !== 'ok') return refusals;
    return action === 'sign_in' ? signIns : reads;
  };
  let timer: NodeJS.Timeout | undefined;

  return {
    check() {
      if (isOn) writer.check();
    },

    async record(entry) {
      if (isOn) await writer.write(entry);
    },

    note(entry) {
      if (!isOn) return;
      timer ??= setInterval(() => flush(), flushEveryMs).unref();
      repeatsOf(entry).add(kindOf(entry), entry);
    },

    list: (tenant, query) => deps.store.list(tenant, query),

    async close() {
      clearInterval(timer);
      flush(true);
      await writer.close();
    },
  };
}

/** What entries have in common that are counted together. Who guesses asks for many things, from one network. */
const kindOf = ({ tenant, subject, via, action, resource, outcome, code, address, client, country }: AuditRecord) =>
  JSON.stringify([
    tenant,
    subject,
    via,
    action,
    outcome,
    code,
    address === undefined ? undefined : networkOf(address),
    country,
    ...(outcome === 'ok' ? [client, resource?.type, resource?.id] : []),
  ]);
