import { z } from 'zod';
import { TaskUsage } from './task.ts';

export const usageGroups = ['day', 'agent', 'tenant', 'model'] as const;
export type UsageGroup = (typeof usageGroups)[number];

/** The longest report, in days. */
export const maxUsageDays = 366;
/** Length of a report without `from`, in days. */
const defaultDays = 30;

const groupPattern = `(${usageGroups.join('|')})`;

/** No call is older than 1970, and the limit keeps out days that Postgres cannot parse. */
const Day = z.iso.date().refine((day) => day >= '1970-01-01', 'expected 1970-01-01 or later');

export const UsageQuery = z.strictObject({
  of: z
    .enum(['own', 'tenant'])
    .optional()
    .describe(
      '`tenant`: all of your tenant, with the role viewer, operator or admin, who get it by default; `own`: your tasks alone',
    ),
  from: Day.optional().describe(`First day (UTC); default ${defaultDays} days up to and including the last`),
  to: Day.optional().describe('Last day (UTC), included; default today'),
  by: z
    .string()
    .regex(
      new RegExp(`^${groupPattern}(,${groupPattern})*$`),
      `expected some of ${usageGroups.join(', ')}, separated by commas`,
    )
    .default('day,agent,model')
    .describe(`What to sum by: some of ${usageGroups.join(', ')}, separated by commas`),
});
export type UsageQuery = z.infer<typeof UsageQuery>;

/** The days of a report (UTC), `from` and `to` included, and what the report sums by. */
export type UsageSpan = { from: string; to: string; by: UsageGroup[] };

/** Fills in the defaults of a query. The caller checks the order and number of days with `usageDays`. */
export function usageSpan({ from, to, by }: UsageQuery, now: Date): UsageSpan {
  const last = to ?? dayOf(now.getTime());
  return {
    from: from ?? dayOf(Date.parse(last) - (defaultDays - 1) * dayMs),
    to: last,
    by: [...new Set(by.split(','))] as UsageGroup[],
  };
}

/** Number of days in a span. Less than 1 when `to` is before `from`. */
export const usageDays = ({ from, to }: Pick<UsageSpan, 'from' | 'to'>) =>
  (Date.parse(to) - Date.parse(from)) / dayMs + 1;

const dayMs = 86_400_000;
const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

export const UsageRow = z.object({
  day: z.iso.date().optional(),
  agent: z.string().optional(),
  tenant: z.string().optional(),
  model: z.string().optional().describe('provider:model'),
  usage: TaskUsage.describe('modelCalls: every attempt, failed and wasted ones too'),
  outcomes: z
    .record(z.string(), z.int())
    .describe('Attempts by what became of them: `completed`, `wasted`, `lost`, or an error code'),
});
export type UsageRow = z.infer<typeof UsageRow>;

export const UsageReport = z.object({
  from: z.iso.date(),
  to: z.iso.date(),
  rows: z.array(UsageRow).describe('In the order of `by`; days with no call have none'),
  total: TaskUsage,
});
export type UsageReport = z.infer<typeof UsageReport>;
