import { Counter, type Registry } from 'prom-client';

/** Contacts that uploads bring, and those that a CRM has taken. */
export const createContactMetrics = (registers: Registry[]) => ({
  contactsIngested: new Counter({
    name: 'contact_ingest_total',
    help: 'Lines of uploads of contacts that were stored, by how the upload came and what became of them',
    labelNames: ['source', 'outcome'],
    registers,
  }),
  contactsSynced: new Counter({
    name: 'contact_sync_total',
    help: 'Contacts for the CRM, by whether it confirmed them',
    labelNames: ['outcome'],
    registers,
  }),
});
