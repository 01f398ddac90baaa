import { z } from 'zod';
import type { OwnAgent } from './agent-settings.ts';

const count = z.int().nonnegative().max(1_000_000_000);

/** What a tenant may use at the most. A missing limit means no limit. Days are those of UTC. */
export const TenantLimits = z.strictObject({
  /** Model calls, as a budget of the day: tasks wait for the next one. */
  costUsdPerDay: z.number().nonnegative().max(1_000_000_000).optional(),
  tasksPerDay: count.optional(),
  /** Queued and running ones. Those that wait for something are not counted. */
  tasksAtOnce: count.optional(),
  documents: count.optional(),
  /** Files of documents as they were added, in megabytes of 1,000,000 bytes. */
  documentMb: count.optional(),
});
export type TenantLimits = z.infer<typeof TenantLimits>;

/** `unlisted`: no row names it, and only listed tenants count here. */
export type TenantState = {
  name: string;
  state: 'active' | 'suspended' | 'unlisted';
  /** Why it is suspended, for its people to read. */
  reason: string | null;
  limits: TenantLimits;
  /** What the tenant has set for agents, by their names. */
  agents: ReadonlyMap<string, OwnAgent>;
};

/** What a tenant uses now: numbers, no content. Tasks and cost are those of this day (UTC). */
export type TenantUse = {
  tasksAtOnce: number;
  tasksWaiting: number;
  tasksToday: number;
  costUsdToday: number;
  documents: number;
  documentMb: number;
};
