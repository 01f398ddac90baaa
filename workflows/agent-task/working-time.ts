import { CancellationScope, isCancellation, patched, proxyActivities, sleep } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { TaskRef, WaitReason } from '../../contract/references.ts';
import { isOwnCancellation, sendCancellations } from '../cancellation.ts';
import { rowWriteInHandler } from '../policies.ts';
import type { WaitingRoom } from './waiting-room.ts';

// Not a local activity: it runs beside the work, whose local activities could complete in another order on replay.
const { waitedBelow } = proxyActivities<Activities>(rowWriteInHandler);

/** First and longest wait between two checks of a task below that waits when the time is over. In milliseconds. */
const checkMs = { first: 1_000, longest: 60 * 60_000 };

type Reached = { wait: WaitReason };

/**
 * Applies `maxDurationS` of a task, which limits working time: time spent waiting does not count. Nor does time in
 * which a task below waits, for a person for example.
 */
export class WorkingTime {
  /** Includes the time in which tasks below have waited. */
  workedMs: number;
  /** The time in which tasks below have waited, as far as it is known. */
  private waitedMs = 0;
  private readonly task: TaskRef;
  private readonly room: WaitingRoom;

  /** Only then may a task below have waited. */
  hasDelegated: boolean;

  /** Since when this task has worked. After a reset that is later, and waits before it are no time of this run. */
  readonly sinceMs: number | undefined;

  constructor(
    task: TaskRef,
    room: WaitingRoom,
    carried: { workedMs: number; hasDelegated?: true; sinceMs?: number } | undefined,
  ) {
    this.task = task;
    this.room = room;
    this.workedMs = carried?.workedMs ?? 0;
    this.hasDelegated = carried?.hasDelegated ?? false;
    this.sinceMs = carried ? carried.sinceMs : Date.now();
  }

  /** Works until the result, or until the time is over. */
  async limit<T>(work: () => Promise<T | Reached>): Promise<T | Reached> {
    const { maxDurationS } = this.room.budget;
    const startedAt = Date.now();
    try {
      return await (maxDurationS === undefined ? work() : this.withTimeout(maxDurationS, work));
    } finally {
      this.workedMs += Date.now() - startedAt;
    }
  }

  private async withTimeout<T>(maxDurationS: number, work: () => Promise<T | Reached>): Promise<T | Reached> {
    const leftMs = () => maxDurationS * 1_000 + this.waitedMs - this.workedMs;
    if (leftMs() <= 0) await this.noteWaits();
    const remainingMs = leftMs();
    if (remainingMs <= 0) return durationReached(maxDurationS);
    const scope = new CancellationScope();
    let reached = durationReached(maxDurationS);
    const endInTime = async () => {
      reached = await this.untilReached(maxDurationS, remainingMs);
      scope.cancel();
    };
    const run = async () => {
      const timer = new CancellationScope();
      timer.run(endInTime).catch(ignoreCancellation);
      try {
        return await work();
      } finally {
        if (!timer.consideredCancelled) timer.cancel();
      }
    };
    try {
      return await scope.run(run);
    } catch (error) {
      if (!isCancellation(error) || isOwnCancellation(error)) throw error;
      await sendCancellations();
      return reached;
    }
  }

  /** Sleeps until the working time is over. A grant that comes before that, or a wait below, gives it more time. */
  private async untilReached(maxDurationS: number, remainingMs: number): Promise<Reached> {
    await sleep(remainingMs);
    const nowS = this.room.budget.maxDurationS ?? maxDurationS;
    if (nowS > maxDurationS && patched('a-grant-before-the-wait-counts'))
      return this.untilReached(nowS, (nowS - maxDurationS) * 1_000);
    let pauseMs = checkMs.first;
    while (true) {
      const { moreMs, isWaiting } = await this.noteWaits();
      // A grant that came while a task below waited.
      const grantedS = this.room.budget.maxDurationS ?? maxDurationS;
      if (grantedS > maxDurationS && patched('a-grant-while-a-child-waits-counts'))
        return this.untilReached(grantedS, (grantedS - maxDurationS) * 1_000 + moreMs);
      if (moreMs <= 0 && !isWaiting) return durationReached(maxDurationS);
      await sleep(isWaiting ? Math.max(moreMs, pauseMs) : moreMs);
      pauseMs = Math.min(2 * pauseMs, checkMs.longest);
    }
  }

  /** Reads how long tasks below have waited. @returns `moreMs`: what was not known before */
  private async noteWaits(): Promise<{ moreMs: number; isWaiting: boolean }> {
    if (!this.hasDelegated || !patched('a-wait-below-does-not-count')) return { moreMs: 0, isWaiting: false };
    try {
      const { ms, isWaiting } = await waitedBelow({
        task: this.task,
        ...(this.sinceMs === undefined ? {} : { sinceMs: this.sinceMs }),
      });
      const moreMs = Math.max(0, Math.ceil(ms) - this.waitedMs);
      this.waitedMs += moreMs;
      return { moreMs, isWaiting };
    } catch (error) {
      if (isCancellation(error)) throw error;
      return { moreMs: 0, isWaiting: false };
    }
  }
}

/** The timer is cancelled when the work ends first. */
const ignoreCancellation = () => {};

const durationReached = (seconds: number): Reached => ({
  wait: { reason: 'budget', limit: 'maxDurationS', scope: 'task', max: seconds, charged: seconds, needed: 0 },
});
