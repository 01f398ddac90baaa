import type { Contact, ContactIngest, ContactMerge } from '../../../contract/contacts.ts';
import { answers, ids, times, type OperationExamples } from './shared.ts';

const body = {
  name: 'Ann Lee',
  firstName: 'Ann',
  lastName: 'Lee',
  emails: ['ann.lee@example.com'],
  phones: ['+4930901820'],
  company: 'Northwind GmbH',
  title: 'Head of Purchasing',
  country: 'DE',
  custom: { segment: 'retail' },
};
const contact: Contact = {
  id: ids.contact,
  ...body,
  crm: { id: null, syncedAt: null, pending: true, error: null },
  createdAt: times.began,
  updatedAt: times.began,
};
const ingest: ContactIngest = {
  id: ids.contactIngest,
  status: 'completed',
  source: 'api',
  format: 'csv',
  name: 'fair.csv',
  country: 'DE',
  lines: 8,
  counts: { pending: 0, added: 4, merged: 2, unchanged: 0, rejected: 2 },
  createdAt: times.asked,
  endedAt: times.ended,
};
const merge: ContactMerge = {
  id: ids.contactMerge,
  contactId: ids.contact,
  ingestId: ids.contactIngest,
  line: 5,
  reason: 'phone',
  incoming: { ...body, emails: [] },
  absorbedId: null,
  createdAt: times.began,
  undoneAt: null,
  partedId: null,
};

const csv = 'name,email,phone,company\r\nAnn Lee,ann.lee@example.com,+49 30 901820,Northwind GmbH\r\n';

export const contactExamples: Record<string, OperationExamples> = {
  ingestContacts: {
    parameters: { name: 'fair.csv', country: 'DE', source: 'api' },
    body: {
      'application/json': [{ name: 'Ann Lee', email: 'ann.lee@example.com', phone: '+49 30 901820' }],
      'application/jsonl': '{"name":"Ann Lee","email":"ann.lee@example.com"}\n',
      'text/csv': csv,
      'text/vcard': 'BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ann Lee\r\nEMAIL:ann.lee@example.com\r\nEND:VCARD\r\n',
    },
    responses: answers(202, { ...ingest, status: 'running', counts: { ...ingest.counts, pending: 0 }, endedAt: null }),
  },
  listContacts: { parameters: { q: 'ann north' }, responses: answers(200, { contacts: [contact], nextCursor: null }) },
  getContact: { responses: answers(200, contact) },
  deleteContact: {},
  listContactMerges: {
    parameters: { contactId: ids.contact, ingestId: ids.contactIngest },
    responses: answers(200, { merges: [merge], nextCursor: null }),
  },
  undoContactMerge: {
    responses: answers(200, { ...merge, undoneAt: times.ended, partedId: ids.partedContact }),
  },
  listContactIngests: { responses: answers(200, { ingests: [ingest], nextCursor: null }) },
  getContactIngest: { responses: answers(200, ingest) },
  listRejectedContacts: {
    responses: {
      200: {
        'text/csv': 'alfred_line,alfred_reason,name,email\r\n6,"email: ""ann@"" is no e-mail address",Ann Lee,ann@\r\n',
        'application/jsonl': '{"alfred_line":6,"alfred_reason":"is not a JSON object","alfred_raw":"ann"}\n',
      },
    },
  },
  cancelContactIngest: { responses: answers(200, { ...ingest, status: 'cancelled' }) },
  deleteContactIngest: {},
};
