import { z } from 'zod';
import { Json } from './json-schema.ts';
import { NextCursor, pageQuery } from './paging.ts';

const names = z.array(z.string().min(1).max(256)).max(100);
const seconds = z.number().positive().max(31_536_000);

export const Approvers = z
  .strictObject({
    subjects: names.optional().describe('These people'),
    roles: names.optional().describe('Everyone who has one of these roles'),
  })
  .describe('Who may decide. Without any: everybody in the tenant');
export type Approvers = z.infer<typeof Approvers>;

/**
 * A condition on one argument of a tool call. `argument` is a path like `amount` or `recipient.country`.
 * An argument of an unexpected type meets the condition, so that a call that cannot be judged needs approval.
 * A missing argument meets only `over` and `notIn`.
 */
const ArgumentCondition = z
  .strictObject({
    argument: z.string().min(1).max(256).describe('Name of an argument; dots lead into objects'),
    over: z.number().optional().describe('It is a number and more than this'),
    equals: Json.optional().describe('It is this'),
    notIn: z.array(Json).max(100).optional().describe('It is none of these'),
    notEndingWith: names.optional().describe('It is a text, or several, that end with none of these'),
  })
  .refine(
    ({ over, equals, notIn, notEndingWith }) => [over, equals, notIn, notEndingWith].some((test) => test !== undefined),
    { message: 'expected one of over, equals, notIn or notEndingWith' },
  );

/** Which calls of a tool need approval, who may approve them, and how long an approval stays open. */
export const ApprovalRule = z.strictObject({
  tool: z.string().min(1).max(64).describe('A tool’s name, or * for every tool that changes something'),
  when: z.array(ArgumentCondition).max(20).optional().describe('Only when one of these holds; absent: always'),
  unlessRoles: names.optional().describe('Not when the requester has one of these roles'),
  approvers: Approvers.optional(),
  fourEyes: z
    .boolean()
    .default(false)
    .describe('Another person than the requester decides: no API key, and not who made the key that requested'),
  expiresS: seconds.default(7 * 86_400).describe('Seconds until `onExpiry` decides'),
  escalateS: seconds.optional().describe('Seconds until `escalateTo` may decide too'),
  escalateTo: Approvers.optional(),
  onExpiry: z.enum(['approve', 'deny']).default('deny'),
});
export type ApprovalRule = z.infer<typeof ApprovalRule>;
/** A rule as agents and the configuration write it, before the defaults are filled in. */
export type ApprovalRuleInput = z.input<typeof ApprovalRule>;

export const approvalStatuses = ['pending', 'approved', 'denied', 'expired', 'withdrawn'] as const;

export const Approval = z.object({
  id: z.uuid(),
  taskId: z.uuid(),
  agent: z.string(),
  tool: z.string(),
  callId: z.string(),
  requestedBy: z.string(),
  arguments: Json.describe('What the agent wants to call the tool with'),
  argumentsHash: z.string().describe('SHA-256 of those arguments'),
  status: z.enum(approvalStatuses).describe('`expired`: its time ran out; `withdrawn`: the task ended before'),
  approvers: Approvers.describe('Who may decide, those it was escalated to among them'),
  fourEyes: z.boolean(),
  onExpiry: z.enum(['approve', 'deny']).describe('What counts when no one decides in time'),
  requestedAt: z.iso.datetime(),
  escalatesAt: z.iso.datetime().nullable(),
  escalatedAt: z.iso.datetime().nullable(),
  expiresAt: z.iso.datetime(),
  decision: z
    .object({
      runs: z.boolean().describe('Whether the call runs'),
      by: z.string().nullable().describe('The person’s subject; null when time decided'),
      at: z.iso.datetime(),
      comment: z.string().nullable(),
      edited: Json.nullable().describe('The arguments that run instead, when they were edited'),
      argumentsHash: z.string().nullable().describe('SHA-256 of the arguments that may run'),
    })
    .nullable(),
  links: z.object({ self: z.string(), task: z.string(), temporal: z.string() }),
});
export type Approval = z.infer<typeof Approval>;

export const ApprovalListQuery = z.strictObject({
  status: z
    .enum([...approvalStatuses, 'decided'])
    .optional()
    .describe('`decided`: everything but pending'),
  mine: z.enum(['true', 'false']).optional().describe('true: pending ones that I may decide'),
  taskId: z.uuid().optional().describe('Only those of this task'),
  ...pageQuery(),
});
export type ApprovalListQuery = z.infer<typeof ApprovalListQuery>;
export const ApprovalList = z.object({ approvals: z.array(Approval), nextCursor: NextCursor });
export type ApprovalList = z.infer<typeof ApprovalList>;

export const ApprovalDecision = z
  .strictObject({
    decision: z.enum(['approve', 'deny']),
    comment: z.string().trim().min(1).max(2_000).optional().describe('The agent reads it'),
    edit: z.record(z.string(), Json).optional().describe('Arguments that run instead; with approve only'),
    argumentsHash: z
      .string()
      .max(128)
      .optional()
      .describe('`argumentsHash` as you saw it: refused when something else is asked for'),
  })
  .refine(({ decision, edit }) => edit === undefined || decision === 'approve', {
    path: ['edit'],
    message: 'goes with approve only',
  });
export type ApprovalDecision = z.infer<typeof ApprovalDecision>;
