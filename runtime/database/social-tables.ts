import type { Generated } from 'kysely';
import type { Owned } from './task-tables.ts';

/** What monitors of social-intel have seen. */
export interface SocialTables {
  social_watches: Owned & {
    watch: string;
    baseline_task: string | null;
    failures: Generated<number>;
    failed_task: string | null;
    seen_at: Generated<Date>;
  };
  social_seen: Owned & { watch: string; item: string; task_id: string; seen_at: Generated<Date> };
}
