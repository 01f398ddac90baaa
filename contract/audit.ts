import { z } from 'zod';
import { NextCursor, pageQuery } from './paging.ts';

export const auditOutcomes = ['ok', 'refused', 'failed', 'signal'] as const;
export type AuditOutcome = (typeof auditOutcomes)[number];

/** What the audit log keeps about something that was done, or tried. It holds ids, codes and counts, never content. */
export type AuditRecord = {
  /** Empty: not known, as at a sign-in that failed. */
  tenant: string;
  subject: string;
  kind?: string | undefined;
  via?: string | undefined;
  /** Like `task.start`. */
  action: string;
  resource?: { type: string; id: string } | undefined;
  outcome: AuditOutcome;
  /** Why it was refused or failed. */
  code?: string | undefined;
  /** How often; default: once. */
  count?: number | undefined;
  requestId?: string | undefined;
  address?: string | undefined;
  country?: string | undefined;
  client?: string | undefined;
};

/** The text of an address that is a moment: a time with its zone. */
const Moment = z.iso.datetime({ offset: true, error: 'expected a time like 2026-11-24T08:00:00Z' });

export const AuditQuery = z
  .strictObject({
    subject: z.string().min(1).max(500).optional().describe('Only what this subject did'),
    action: z
      .string()
      .regex(/^[\w.]{1,100}$/, 'expected an action, like task.start')
      .optional()
      .describe('Only this action, like `task.start`'),
    outcome: z.enum(auditOutcomes).optional().describe('Only what came out like this'),
    from: Moment.optional().describe('Only what was done at this time or later'),
    to: Moment.optional().describe('Only what was done before this time'),
    ...pageQuery({ fits: (cursor) => /^\d{1,15}\.[0-9a-f]{64}$/.test(cursor) }),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || new Date(from) < new Date(to), {
    error: 'expected a time before `to`',
    path: ['from'],
  });
export type AuditQuery = z.infer<typeof AuditQuery>;

export const AuditEntry = z.object({
  id: z.string().describe('The hash of the entry, which later entries sign too'),
  at: z.iso.datetime(),
  subject: z.string().describe('Who did it. Empty: not known, as at a sign-in that failed'),
  kind: z.string().nullable().describe('`person` or `service`'),
  via: z.string().nullable().describe('How the subject proved who it is'),
  action: z.string().describe('What was done or tried, like `task.start`'),
  resource: z.object({ type: z.string(), id: z.string() }).nullable().describe('What it was done to, or what was made'),
  outcome: z.enum(auditOutcomes).describe('`signal`: a rule found something that looks like an intrusion'),
  code: z.string().nullable().describe('Why it was refused or failed; of a signal, its rule'),
  count: z.int().describe('More than 1: so many like this within a minute or an hour'),
  requestId: z.string().nullable(),
  address: z.string().nullable().describe('From where'),
  country: z.string().nullable(),
  client: z.string().nullable().describe('The program, by the first name in its `User-Agent`'),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

export const AuditList = z.object({ entries: z.array(AuditEntry), nextCursor: NextCursor });
export type AuditList = z.infer<typeof AuditList>;
