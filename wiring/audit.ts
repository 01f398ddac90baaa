import { createAuditKeeper } from '../adapters/audit/audit-keeper.ts';
import { createAuditLog } from '../adapters/audit/audit-log.ts';
import { changedEnd, isGenuineHead } from '../adapters/audit/chain.ts';
import { createIntrusionScan } from '../adapters/audit/intrusion-scan.ts';
import { createPendingSeal } from '../adapters/audit/seal-pending.ts';
import { openCheckpointPlace } from '../adapters/audit/checkpoint-place.ts';
import { createAuditStore } from '../adapters/postgres/audit/audit-store.ts';
import { createIntrusionRows } from '../adapters/postgres/audit/intrusion-rows.ts';
import type { Webhooks } from '../contract/ports/index.ts';
import type { AuditKeys } from '../runtime/audit-key-text.ts';
import { readAuditKeys } from '../runtime/audit-keys.ts';
import { ConfigError, loopbackHosts, type Config } from '../runtime/config.ts';
import { isDatabaseUnavailable, isUndefinedTable } from '../runtime/database/database-errors.ts';
import type { Edge } from '../runtime/edge.ts';
import { issuersOf } from '../runtime/identity-settings.ts';

type AuditEdge = Pick<Edge, 'config' | 'log' | 'postgres'> & Partial<Pick<Edge, 'metrics'>>;

/** The audit log. It reads its key with the first entry, so that processes that write none need no key. */
export function createAudit({ config, log, postgres: { db }, metrics }: AuditEdge, webhooks: Webhooks) {
  const store = createAuditStore(db);
  let keys: Promise<AuditKeys> | undefined;
  const auditKeys = () =>
    (keys ??= readAuditKeys(config, { mayMake: isForThisMachine(config) }).catch((error: unknown) => {
      keys = undefined;
      throw error;
    }));
  const audit = createAuditLog({ store, keys: auditKeys, log, metrics, isOn: config.ALFRED_AUDIT === 'on' });
  const { ALFRED_INTRUSION_WEBHOOK: url, ALFRED_WEBHOOK_SECRET: secret } = config;
  const intrusions = createIntrusionScan({
    rows: createIntrusionRows(db),
    audit,
    log,
    metrics,
    hook: url !== undefined && secret !== undefined ? { url, secret, webhooks } : undefined,
  });
  return {
    audit,
    intrusions,
    auditStore: store,
    auditKeys,
    /** Signs checkpoints, removes entries whose time is over, and looks for intrusions. */
    auditKeeper: createAuditKeeper({
      store,
      keys: auditKeys,
      seal: createPendingSeal({ store, keys: auditKeys, metrics }),
      scan: intrusions.scan,
      place:
        config.ALFRED_AUDIT_CHECKPOINTS === undefined
          ? undefined
          : openCheckpointPlace(config.ALFRED_AUDIT_CHECKPOINTS, config),
      log,
      metrics,
      checkpointMs: config.ALFRED_AUDIT_CHECKPOINT_S * 1_000,
      keptDays: config.ALFRED_AUDIT_DAYS,
    }),
    tenantOfStrangers: tenantOfStrangers(config),
    /**
     * Checks that this process can go on with the chain, before it takes requests. While the database is away or not
     * migrated it says nothing: the writer checks the end again.
     *
     * @throws ConfigError when it has no key, or not the one that the log was last signed with; AlfredError when the
     *   end of the log was changed
     */
    async checkAudit(): Promise<void> {
      if (config.ALFRED_AUDIT === 'off') return log.warn('ALFRED_AUDIT is off: no audit log is kept');
      const { byId } = await auditKeys();
      const head = await store.readHead().catch((error: unknown) => {
        if (!isDatabaseUnavailable(error) && !isUndefinedTable(error)) throw error;
        log.warn({ err: error }, 'the database could not say where the audit log ends; the first entry checks it');
        return undefined;
      });
      if (!head) return;
      const { key_id: keyId } = head;
      if (keyId !== null && !byId.has(keyId))
        throw new ConfigError(
          `The audit log was signed with the key ${keyId}, which this process does not have (it has ${[...byId.keys()].join(', ')}). Give every process of the API the same ALFRED_AUDIT_KEY or ALFRED_AUDIT_KEY_FILE; after a rotation it has the key of before, too, behind the new one.`,
        );
      if (!isGenuineHead(head, { byId })) throw changedEnd();
    },
  };
}

/** Whether this Alfred is for one machine alone. Others share the log among processes, which share its key. */
const isForThisMachine = ({ OIDC_ISSUER, ALFRED_API_HOST }: Config) =>
  OIDC_ISSUER === undefined || loopbackHosts.includes(ALFRED_API_HOST);

/** A sign-in that failed names no tenant that could be believed. Where there is only one, it is that one's. */
function tenantOfStrangers(config: Config): string {
  const tenants = new Set(issuersOf(config).map(({ tenant }) => tenant ?? ''));
  const [only = 'local'] = tenants;
  return tenants.size > 1 ? '' : only;
}
