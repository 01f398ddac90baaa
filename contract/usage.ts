import { z } from 'zod';
import { TaskUsage } from './task.ts';

export const usageGroups = ['day', 'agent', 'tenant', 'model'] as const;

export const UsageQuery = z.strictObject({
  from: z.iso.date().optional().describe('First day (UTC); default 30 days ago'),
  to: z.iso.date().optional().describe('Last day (UTC), included; default today'),
  by: z
    .string()
    .regex(/^(day|agent|tenant|model)(,(day|agent|tenant|model))*$/, 'expected some of day, agent, tenant, model')
    .default('day,agent,model')
    .describe('What to sum by, separated by commas'),
});
export type UsageQuery = z.infer<typeof UsageQuery>;

export const UsageRow = z.object({
  day: z.iso.date().optional(),
  agent: z.string().optional(),
  tenant: z.string().optional(),
  model: z.string().optional().describe('provider:model'),
  usage: TaskUsage,
  outcomes: z
    .record(z.string(), z.int())
    .describe('Attempts by what became of them: completed, wasted, lost, or an error code'),
});
export type UsageRow = z.infer<typeof UsageRow>;

export const UsageReport = z.object({
  from: z.iso.date(),
  to: z.iso.date(),
  rows: z.array(UsageRow),
  total: TaskUsage,
});
export type UsageReport = z.infer<typeof UsageReport>;
