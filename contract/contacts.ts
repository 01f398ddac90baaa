import { z } from 'zod';
import { NextCursor, pageQuery } from './paging.ts';

/** The most contacts that one upload may have. */
export const mostLines = 100_000;
/** The most e-mail addresses, and the most phone numbers, of one contact. */
export const mostAddresses = 20;
/** The most columns of one upload that Alfred does not know. They are kept as they are. */
export const mostCustom = 50;
/** The most columns of one upload. */
export const mostColumns = 100;
/** The longest name of a column, in UTF-16 code units. Each line has the names of its columns. */
export const longestColumn = 200;
/** The longest value of a field, in UTF-16 code units. */
export const longestValue = 1_000;

export const contactFormats = ['csv', 'json', 'jsonl', 'vcard'] as const;
export type ContactFormat = (typeof contactFormats)[number];

export const contactSources = ['api', 'cli', 'folder', 'slack'] as const;
export type ContactSource = (typeof contactSources)[number];

/** What became of a line. */
export const contactOutcomes = ['added', 'merged', 'unchanged', 'rejected'] as const;
export type ContactOutcome = (typeof contactOutcomes)[number];

/** What is known of a person. `name` is the whole name, as it is written. */
export const ContactBody = z.object({
  name: z.string().nullable(),
  firstName: z.string().nullable(),
  lastName: z.string().nullable(),
  emails: z.array(z.string()).describe('In lower case; the first one is the one that a CRM gets'),
  phones: z.array(z.string()).describe('As E.164, with `;ext=` and the extension where there is one'),
  company: z.string().nullable(),
  title: z.string().nullable(),
  country: z.string().nullable().describe('ISO 3166-1 alpha-2'),
  custom: z.record(z.string(), z.string()).describe('Columns that Alfred does not know, as they came'),
});
export type ContactBody = z.infer<typeof ContactBody>;

const Values = z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]);

/** A contact as it is sent. Fields that are not known are kept as they are. */
const ContactInput = z.looseObject({
  name: Values.optional().describe('The whole name, or `Lee, Ann`'),
  firstName: Values.optional(),
  lastName: Values.optional(),
  email: Values.optional().describe('Also `emails`. Each contact has an e-mail address or a phone number'),
  phone: Values.optional().describe('Also `phones`'),
  company: Values.optional(),
  title: Values.optional(),
  country: Values.optional().describe('A code of ISO 3166-1, or a name'),
});
/** Checked contact by contact, and not as a whole: what is wrong with one does not refuse the others. */
export const ContactInputs = z.array(ContactInput);

export const Contact = ContactBody.extend({
  id: z.uuid(),
  crm: z
    .object({
      id: z.string().nullable().describe('The id of the contact in the CRM'),
      syncedAt: z.iso.datetime().nullable().describe('When the CRM confirmed it last'),
      pending: z.boolean().describe('Whether the CRM does not have the newest state'),
      error: z.string().nullable().describe('Why the CRM did not take it'),
    })
    .describe('Everything is pending where `ALFRED_CRM` is `none`, or belongs to another tenant'),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type Contact = z.infer<typeof Contact>;

/** Why a line was merged: which of the three rules found the contact. */
export const mergeReasons = ['email', 'phone', 'name'] as const;
export type MergeReason = (typeof mergeReasons)[number];

export const ContactMerge = z.object({
  id: z.uuid(),
  contactId: z.uuid().describe('The contact that it became part of'),
  ingestId: z.uuid(),
  line: z.int(),
  reason: z.enum(mergeReasons).describe('What both had in common'),
  incoming: ContactBody.describe('What was merged into the contact'),
  absorbedId: z.uuid().nullable().describe('The contact that was there before, when it was one; null: a line'),
  createdAt: z.iso.datetime(),
  undoneAt: z.iso.datetime().nullable(),
  partedId: z.uuid().nullable().describe('The contact that the undo made, or brought back'),
});
export type ContactMerge = z.infer<typeof ContactMerge>;

export const ContactIngest = z.object({
  id: z.uuid(),
  status: z.enum(['running', 'completed', 'failed', 'cancelled']),
  source: z.enum(contactSources),
  format: z.enum(contactFormats),
  name: z.string().nullable(),
  country: z.string().nullable().describe('For phone numbers without a country code'),
  lines: z.int(),
  counts: z.object({
    pending: z.int(),
    added: z.int(),
    merged: z.int().describe('Lines of contacts that were there, or stood above, and brought something new'),
    unchanged: z.int().describe('Lines that brought nothing new'),
    rejected: z.int(),
  }),
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
});
export type ContactIngest = z.infer<typeof ContactIngest>;

export const ContactIngestQuery = z.strictObject({
  country: z
    .string()
    .regex(/^[A-Za-z]{2}$/, 'expected a country as ISO 3166-1 alpha-2, like DE')
    .transform((code) => code.toUpperCase())
    .optional()
    .describe('For phone numbers without a country code. Default: ALFRED_CONTACTS_COUNTRY'),
  name: z.string().trim().min(1).max(200).optional().describe('How the upload is shown in lists, like a file name'),
  source: z.enum(contactSources).optional().describe('How it came. Default: api'),
});
export type ContactIngestQuery = z.infer<typeof ContactIngestQuery>;

export const ContactListQuery = z.strictObject({
  ...pageQuery(),
  q: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .optional()
    .describe('Words, or beginnings of words, of the name, the company, the e-mail address or the phone number'),
});
export type ContactListQuery = z.infer<typeof ContactListQuery>;
export const ContactList = z.object({ contacts: z.array(Contact), nextCursor: NextCursor });
export type ContactList = z.infer<typeof ContactList>;

export const ContactIngestListQuery = z.strictObject(pageQuery());
export const ContactIngestList = z.object({ ingests: z.array(ContactIngest), nextCursor: NextCursor });
export type ContactIngestList = z.infer<typeof ContactIngestList>;

export const ContactMergeListQuery = z.strictObject({
  ...pageQuery(),
  contactId: z.uuid().optional().describe('Only what was merged into this contact'),
  ingestId: z.uuid().optional().describe('Only what this upload has brought'),
});
export type ContactMergeListQuery = z.infer<typeof ContactMergeListQuery>;
export const ContactMergeList = z.object({ merges: z.array(ContactMerge), nextCursor: NextCursor });
export type ContactMergeList = z.infer<typeof ContactMergeList>;

/** A line as it was read. `fault` says why it could not be. */
export type ContactLine = { line: number; fields: Record<string, string>; fault?: string };
