import { normaliseLine } from '../../../activities/contacts/normalise-contact.ts';
import type { ContactBody, ContactFormat } from '../../../contract/contacts.ts';
import type { ContactIngests, Contacts } from '../../../contract/ports/index.ts';

export const scope = { tenant: 'local', subject: 'ann' };

async function* once(text: string) {
  yield Buffer.from(text);
}

type Stores = { contacts: Contacts; contactIngests: ContactIngests };

/** What an upload brings, and what it leaves. */
export const useContacts = ({ contacts, contactIngests }: Stores) => {
  const receive = (
    text: string,
    { by = scope, format = 'csv', key }: { by?: typeof scope; format?: ContactFormat; key?: string } = {},
  ) =>
    contactIngests.receive(
      by,
      { format, charset: undefined, source: 'api', name: undefined, country: 'DE', idempotencyKey: key },
      once(text),
    );
  const refOf = (ingestId: string, by = scope) => ({ ingestId, ...by });

  return {
    receive,
    refOf,
    /** Stores what is left of an upload, as the workflow does. */
    async storeRest(ingestId: string, by = scope) {
      while (await contactIngests.storeBatch(refOf(ingestId, by), normaliseLine));
      await contactIngests.end(refOf(ingestId, by), 'completed');
      const ingest = await contactIngests.get(by, ingestId);
      if (!ingest) throw new Error(`no upload ${ingestId}`);
      return ingest;
    },
    async ingest(text: string, options: Parameters<typeof receive>[1] = {}) {
      const { ingest } = await receive(text, options);
      return this.storeRest(ingest.id, options.by);
    },
    /** Everybody, without what differs from run to run, in an order of their own. */
    async everybody(tenant = 'local'): Promise<ContactBody[]> {
      const all: ContactBody[] = [];
      let cursor: string | undefined;
      do {
        const page = await contacts.list(tenant, { limit: 200, cursor });
        all.push(...page.contacts.map(({ id: _, crm: __, createdAt: ___, updatedAt: ____, ...body }) => body));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      const keyOf = (body: ContactBody) => JSON.stringify([body.emails, body.phones, body.name]);
      return all.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    },
    merges: (ingestId: string, tenant = 'local') =>
      contacts.listMerges(tenant, { limit: 200, ingestId }).then(({ merges }) => merges.toReversed()),
  };
};
