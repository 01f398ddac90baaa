import type { ContactOutcome } from '../../contract/contacts.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { ContactIngests, Contacts, Crm, CrmAnswer, Workflows } from '../../contract/ports/index.ts';
import type { ContactIngestRef } from '../../contract/references.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { withHeartbeat } from '../activity-context.ts';
import { normaliseLine } from './normalise-contact.ts';

export type ContactDeps = {
  contacts: Pick<Contacts, 'listDue' | 'recordAnswers'>;
  contactIngests: Pick<ContactIngests, 'storeBatch' | 'end'>;
  /** Absent when contacts are written to no CRM. */
  crm: Crm | undefined;
  workflows: Pick<Workflows, 'syncContacts'>;
  metrics: Metrics;
  log: Logger;
};

/** How long one activity stores or sends batches: its result is the progress that people see. In milliseconds. */
const longestMs = 5_000;

type Counts = Record<ContactOutcome, number>;
const none: Counts = { added: 0, merged: 0, unchanged: 0, rejected: 0 };

export const createContactActivities = (deps: ContactDeps) => {
  const { contacts, contactIngests, crm, workflows, metrics, log } = deps;
  return {
    /**
     * Stores the next batches of an upload. A batch is stored once, however often this is attempted.
     *
     * @returns what became of the lines of these batches; `more`: whether batches may be left
     */
    ingestContacts: ({ ingest }: { ingest: ContactIngestRef }): Promise<Counts & { more: boolean }> =>
      withHeartbeat(async (signal) => {
        const endsAt = Date.now() + longestMs;
        const counts = { ...none };
        while (Date.now() < endsAt) {
          signal.throwIfAborted();
          const stored = await contactIngests.storeBatch(ingest, normaliseLine);
          if (!stored) return { ...counts, more: false };
          for (const [outcome, lines] of Object.entries(stored.outcomes) as [ContactOutcome, number][]) {
            counts[outcome] += lines;
            if (lines > 0) metrics.contactsIngested.inc({ source: stored.source, outcome }, lines);
          }
        }
        return { ...counts, more: true };
      }),

    async endContactIngest({
      ingest,
      status,
    }: {
      ingest: ContactIngestRef;
      status: 'completed' | 'failed' | 'cancelled';
    }): Promise<void> {
      if (await contactIngests.end(ingest, status))
        log.info({ ingestId: ingest.ingestId, status }, 'an upload of contacts ended');
    },

    /** Starts to write the tenant's contacts to the CRM, where it has one. The sweep makes up for a failure. */
    async requestContactSync({ tenant }: { tenant: string }): Promise<void> {
      if (crm?.tenant !== tenant) return;
      await workflows.syncContacts(tenant).catch((error: unknown) => {
        log.warn({ err: error }, 'contacts could not be begun to be written to the CRM');
      });
    },

    /**
     * Writes the next contacts to the CRM that it does not have. A repeat sends them again, and changes nothing there.
     *
     * @returns how many the CRM has confirmed and refused; `more`: whether contacts may be left
     * @throws AlfredError `crm_unavailable`
     */
    syncContacts: ({ tenant }: { tenant: string }): Promise<{ confirmed: number; refused: number; more: boolean }> =>
      withHeartbeat(async (signal) => {
        const endsAt = Date.now() + longestMs;
        const counts = { confirmed: 0, refused: 0 };
        // A workflow may run from the time when the CRM belonged to another tenant.
        if (crm?.tenant !== tenant) return { ...counts, more: false };
        while (Date.now() < endsAt) {
          signal.throwIfAborted();
          const due = await contacts.listDue(tenant, crm.batchSize);
          if (due.length === 0) return { ...counts, more: false };
          const blocked = due.flatMap(({ id, revision, blocked: error }) =>
            error === undefined ? [] : [{ id, revision, error }],
          );
          const sendable = due.filter((contact) => contact.blocked === undefined);
          const answers = sendable.length > 0 ? await crm.upsert(sendable, signal) : [];
          await contacts.recordAnswers(tenant, [...answers, ...blocked]);
          const confirmed = answers.filter(isConfirmed).length;
          counts.confirmed += confirmed;
          counts.refused += answers.length - confirmed;
          count(metrics, { confirmed, refused: answers.length - confirmed, skipped: blocked.length });
          // The others may pass later: they stay due, and the next attempt waits.
          if (answers.length < sendable.length) throw new AlfredError('crm_unavailable');
        }
        return { ...counts, more: true };
      }),
  };
};

const isConfirmed = (answer: CrmAnswer) => 'crmId' in answer;

function count(metrics: Metrics, outcomes: Record<'confirmed' | 'refused' | 'skipped', number>): void {
  for (const [outcome, contacts] of Object.entries(outcomes))
    if (contacts > 0) metrics.contactsSynced.inc({ outcome }, contacts);
}
