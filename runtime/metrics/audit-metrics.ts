import { Counter, Gauge, type Registry } from 'prom-client';

/** The audit log, its checkpoints, and what looks like an intrusion. */
export const createAuditMetrics = (registers: Registry[]) => ({
  auditEntries: new Counter({
    name: 'audit_entries_total',
    help: 'What was done or tried, as the audit log has it',
    labelNames: ['action', 'outcome'],
    registers,
  }),
  auditWriteFailures: new Counter({
    name: 'audit_write_failures_total',
    help: 'Attempts to write to the audit log that failed; the entries are written when the database is back',
    registers,
  }),
  auditSealFailures: new Counter({
    name: 'audit_seal_failures_total',
    help: 'Attempts to take into the audit log what was done without a request that failed; it waits in the database',
    registers,
  }),
  auditCheckpointAge: new Gauge({
    name: 'audit_checkpoint_age_seconds',
    help: 'Time since entries of the audit log wait for a checkpoint; 0 when none waits',
    registers,
  }),
  intrusionSignals: new Counter({
    name: 'intrusion_signals_total',
    help: 'What looked like an intrusion, by the rule that found it',
    labelNames: ['rule'],
    registers,
  }),
});
