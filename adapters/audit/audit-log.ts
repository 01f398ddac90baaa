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

/** A sign-in is written when it is the first of its kind in this time. */
const signInWindowMs = 3_600_000;
const mostSignIns = 10_000;
const flushEveryMs = 5_000;

/** The audit log. It connects to nothing until the first entry. */
export function createAuditLog({ isOn, ...deps }: Deps): Audit & { close(): Promise<void> } {
  const writer = createAuditWriter(deps);
  const write = (entry: AuditRecord) => void writer.write(entry).catch(() => undefined);
  const repeats = createRepeats({ write });
  const signIns = createRepeats({ write, windowMs: signInWindowMs, mostKinds: mostSignIns });
  let timer: NodeJS.Timeout | undefined;

  return {
    async record(entry) {
      if (isOn) await writer.write(entry);
    },

    note(entry) {
      if (!isOn) return;
      timer ??= setInterval(() => {
        repeats.flush();
        signIns.flush();
      }, flushEveryMs).unref();
      const isSignIn = entry.action === 'sign_in' && entry.outcome === 'ok';
      (isSignIn ? signIns : repeats).add(kindOf(entry), entry);
    },

    list: (tenant, query) => deps.store.list(tenant, query),

    async close() {
      clearInterval(timer);
      repeats.flush(true);
      signIns.flush(true);
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
