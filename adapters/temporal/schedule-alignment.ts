import type { Client, ScheduleSummary } from '@temporalio/client';
import { scheduleWorkflowId, sourceScheduleId } from '../../contract/ids.ts';
import type { ScheduleAlignment, Schedules, Sources } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import { missesPause, userScheduleDefinition, userScheduleState } from './schedule-control.ts';
import { sourceScheduleDefinition } from './source-control.ts';
import { createTemporalSchedules } from './temporal-schedules.ts';

type Deps = {
  client: Client;
  schedules: Pick<Schedules, 'get' | 'listScheduled' | 'markSent'>;
  sources: Pick<Sources, 'listScheduled'>;
  log: Logger;
};

/** Rows a page. */
const limit = 500;
/** A schedule whose row changed within this time is sent to Temporal again: an earlier change may have arrived last. */
const changedWithinMs = 60 * 60_000;

/**
 * Puts Temporal's schedules in line with the rows of schedules and sources: a process can end between the two writes,
 * two changes can overtake each other, and Temporal can lose its data. Idempotent.
 *
 * Temporal's list lags behind. A schedule that it does not show yet is created again, which changes nothing. Only a
 * schedule whose row says that it was deleted is deleted: a row that is missing may be in another database.
 */
export const createScheduleAlignment = ({ client, schedules, sources, log }: Deps): ScheduleAlignment => ({
  async align(signal) {
    const temporalSchedules = createTemporalSchedules(client);
    const done = { created: 0, deleted: 0 };
    // Read before the rows: each schedule that is listed here had its row first.
    const existing = new Map<string, ScheduleSummary>();
    for await (const schedule of client.schedule.list({ pageSize: 1_000 })) existing.set(schedule.scheduleId, schedule);

    /** @param options `isInLine`: whether an existing schedule is known to match its row */
    const put = async (
      scheduleId: string,
      { isWanted, isInLine }: { isWanted: boolean; isInLine: (existing: ScheduleSummary) => boolean },
      ensure: () => Promise<unknown>,
    ) => {
      const found = existing.get(scheduleId);
      if (found ? isWanted && isInLine(found) : !isWanted) return;
      signal?.throwIfAborted();
      try {
        await (isWanted ? ensure() : temporalSchedules.delete(scheduleId));
        if (isWanted && found) return;
        done[isWanted ? 'created' : 'deleted']++;
        log.warn({ scheduleId, isWanted }, 'a schedule in Temporal was put in line with its row');
      } catch (error) {
        log.warn({ err: error, scheduleId, isWanted }, 'a schedule could not be put in line with its row');
      }
    };

    for await (const { scheduleId, isWanted, isSent, updatedAt, tenant, subject } of pages((after) =>
      schedules.listScheduled({ after, limit }),
    )) {
      const isInLine = () => isSent && Date.now() - updatedAt.getTime() > changedWithinMs;
      await put(scheduleWorkflowId(scheduleId), { isWanted, isInLine }, async () => {
        const row = await schedules.get({ tenant, subject }, scheduleId);
        if (!row) return;
        const matches = await temporalSchedules.ensure(scheduleWorkflowId(scheduleId), userScheduleDefinition(row), {
          state: userScheduleState(row),
          setState: (current) => missesPause(row, current),
        });
        if (matches) await schedules.markSent(row, scheduleId, row.updatedAt);
      });
    }
    for await (const { scheduleId: sourceId, everyS, tenant, subject } of pages((after) =>
      sources.listScheduled({ after, limit }),
    )) {
      const isInLine = ({ spec }: ScheduleSummary) => spec?.intervals?.[0]?.every === (everyS ?? 0) * 1_000;
      await put(sourceScheduleId(sourceId), { isWanted: everyS !== null, isInLine }, () =>
        temporalSchedules.ensure(
          sourceScheduleId(sourceId),
          sourceScheduleDefinition({ sourceId, tenant, subject }, everyS ?? 0),
        ),
      );
    }
    return done;
  },
});

async function* pages<Row extends { scheduleId: string }>(
  read: (after: string | undefined) => Promise<Row[]>,
): AsyncIterable<Row> {
  let after: string | undefined;
  do {
    const page = await read(after);
    yield* page;
    after = page.length === limit ? page.at(-1)?.scheduleId : undefined;
  } while (after !== undefined);
}
