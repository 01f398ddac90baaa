import { z } from 'zod';

export const Health = z.object({ status: z.literal('ok'), version: z.string(), uptime_s: z.number() });

export const DependencyState = z.object({
  status: z
    .enum(['ok', 'degraded', 'down'])
    .describe('`degraded`: the process serves without it, but not as well; `detail` says what to do'),
  detail: z.string().optional(),
  latencyMs: z.number().optional(),
});
export type DependencyState = z.infer<typeof DependencyState>;

export const Readiness = z.object({
  status: z.enum(['ready', 'starting', 'draining', 'unready']),
  dependencies: z.record(z.string(), DependencyState),
});
export type Readiness = z.infer<typeof Readiness>;
