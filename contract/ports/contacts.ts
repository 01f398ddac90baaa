import type {
  Contact,
  ContactBody,
  ContactFormat,
  ContactIngest,
  ContactIngestList,
  ContactLine,
  ContactList,
  ContactListQuery,
  ContactMerge,
  ContactMergeList,
  ContactMergeListQuery,
  ContactOutcome,
  ContactSource,
} from '../contacts.ts';
import type { ContactIngestRef, Scope } from '../references.ts';

/** Reads contacts from bytes as they come. A CSV first gives its columns. @throws InvalidRequest */
export type ContactReader = (
  bytes: AsyncIterable<Uint8Array>,
  how: { format: ContactFormat; charset: string | undefined },
) => AsyncIterable<{ columns: string[] } | ContactLine>;

/** An upload of contacts as it arrives. */
export type ContactUpload = {
  format: ContactFormat;
  charset: string | undefined;
  source: ContactSource;
  name: string | undefined;
  country: string | undefined;
  idempotencyKey: string | undefined;
};

/** A line after its check: what it says of a person, or why it is rejected. */
export type CheckedLine =
  { line: number; body: ContactBody } | { line: number; reason: string; fields: Record<string, string> };

/** A line that was rejected, with its values as they came. */
export type RejectedLine = { line: number; reason: string; fields: Record<string, string> };

/** How a batch of lines was stored. */
export type StoredBatch = {
  source: ContactSource;
  outcomes: Record<ContactOutcome, number>;
};

/** A contact that the CRM does not have in this revision. */
export type DueContact = { id: string; revision: number; body: ContactBody };

/** `blocked`: why the CRM does not get it, for people. */
export type FoundDueContact = DueContact & { blocked: string | undefined };

/** What a CRM answers about one contact of a batch. An error is final for this revision. */
export type CrmAnswer = { id: string; revision: number } & ({ crmId: string } | { error: string });

/** Contacts of a tenant. Who asks was let in by the policy; every query filters by tenant. */
export interface Contacts {
  get(tenant: string, id: string): Promise<Contact | undefined>;

  /** Lists contacts, newest first. @param query `q`: words, each of which a contact has or begins with */
  list(tenant: string, query: ContactListQuery): Promise<ContactList>;

  /** Deletes a contact with all that was merged into it. @returns whether there was one */
  delete(tenant: string, id: string): Promise<boolean>;

  listMerges(tenant: string, query: ContactMergeListQuery): Promise<ContactMergeList>;

  /**
   * Takes back one merge: what came by it leaves the contact, and is a contact of its own again. Both stay apart from
   * then on. A repeat changes nothing.
   */
  undoMerge(tenant: string, mergeId: string): Promise<ContactMerge | undefined>;

  /** The next contacts that the CRM does not have, in the order of their ids. */
  listDue(tenant: string, limit: number): Promise<FoundDueContact[]>;

  /** Records what the CRM has answered. A contact that has changed meanwhile stays due. */
  recordAnswers(tenant: string, answers: CrmAnswer[]): Promise<void>;

  /** Tenants with contacts that have been due for so long. */
  listTenantsDue(olderThanMs: number): Promise<string[]>;
}

/** Uploads of contacts, and what was rejected of them. */
export interface ContactIngests {
  /**
   * Stores the lines of an upload as they come.
   *
   * @returns the upload; `isNew` is false for a repeat by its key, of which nothing is kept
   * @throws InvalidRequest for a file that cannot be read, has no line or too many
   * @throws AlfredError `idempotency_key_reused`
   */
  receive(
    by: Scope,
    upload: ContactUpload,
    bytes: AsyncIterable<Uint8Array>,
  ): Promise<{ ingest: ContactIngest; isNew: boolean }>;

  get(by: Scope, id: string): Promise<ContactIngest | undefined>;

  list(by: Scope, page: { limit: number; cursor?: string | undefined }): Promise<ContactIngestList>;

  /** Deletes an upload that has ended, with its rejected lines. Its contacts stay. */
  delete(by: Scope, id: string): Promise<boolean>;

  /** The rejected lines in their order, a page at a time. @param after the last line of the page before */
  listRejects(by: Scope, id: string, after: number, limit: number): Promise<RejectedLine[]>;

  /** The columns of a CSV; undefined for other formats. */
  columnsOf(by: Scope, id: string): Promise<string[] | undefined>;

  /**
   * Stores the next batch, once: lines, contacts, merges and the position in one transaction.
   *
   * @param check checks a line
   * @returns undefined when no batch is left, or the upload has ended
   */
  storeBatch(
    ingest: ContactIngestRef,
    check: (line: ContactLine, country: string | null) => CheckedLine,
  ): Promise<StoredBatch | undefined>;

  /** Ends an upload that runs, and deletes what was not stored. @returns whether it was running */
  end(ingest: ContactIngestRef, status: 'completed' | 'failed' | 'cancelled'): Promise<boolean>;

  /** Removes an upload whose workflow could not be started. */
  remove(ingest: ContactIngestRef): Promise<void>;

  /** Uploads that run. */
  listOpen(page: {
    olderThanMs: number;
    after?: string | undefined;
    limit: number;
  }): Promise<(ContactIngestRef & { createdAt: Date })[]>;

  /** Removes uploads that broke off, and rejected lines that were kept long enough. @returns how many */
  removeExpired(limit: number): Promise<number>;
}

/** A customer database of others that contacts are written to. */
export interface Crm {
  /** The tenant that it belongs to. Contacts of no other are written to it. */
  readonly tenant: string;

  /** How many contacts a request may have. */
  readonly batchSize: number;

  /**
   * Creates or updates contacts by their first e-mail address. A repeat changes nothing.
   *
   * @param contacts each with an e-mail address, none twice
   * @returns fewer answers than contacts when it took some, and was away for the others
   * @throws AlfredError `crm_unavailable`, with the pause that the CRM asked for
   */
  upsert(contacts: DueContact[], signal: AbortSignal): Promise<CrmAnswer[]>;
}
