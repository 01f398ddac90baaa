import type { AuditOutcome } from '../../contract/audit.ts';
import type { AuditKeys } from '../../runtime/audit-key-text.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { AuditStore, PendingRow } from '../postgres/audit/audit-store.ts';
import { chainOn, fieldsOf } from './chain.ts';

/** The most entries in one transaction: others wait for the head meanwhile. */
const mostAtOnce = 500;

type Deps = {
  store: Pick<AuditStore, 'sealPending'>;
  keys: () => Promise<AuditKeys>;
  metrics?: Pick<Metrics, 'auditEntries'> | undefined;
};

/** Takes into the log what workers have done, with the time when they did it. Several processes may do so at once. */
export const createPendingSeal =
  ({ store, keys, metrics }: Deps) =>
  async (): Promise<void> => {
    let sealed: PendingRow[];
    do {
      sealed = await store.sealPending(mostAtOnce, async () => {
        const known = await keys();
        return (head, rows) => chainOn(head, rows.map(toFields), known);
      });
      for (const { action, outcome } of sealed) metrics?.auditEntries.inc({ action, outcome });
    } while (sealed.length === mostAtOnce);
  };

const toFields = ({ at, tenant, subject, via, action, resource_type: type, resource_id: id, ...rest }: PendingRow) =>
  fieldsOf(
    {
      tenant,
      subject,
      via,
      action,
      resource: { type, id },
      outcome: rest.outcome as AuditOutcome,
      code: rest.code ?? undefined,
      client: rest.client ?? undefined,
    },
    at,
  );
