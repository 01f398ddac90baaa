import { createSemaphore } from '../../runtime/semaphore.ts';
import type { Logger } from '../../runtime/logger.ts';
import { judgeFailure } from './call-error.ts';
import type { Clock } from './clock.ts';
import { limitsOf } from './method-limits.ts';
import { createPace } from './pace.ts';

export type SlackCall = {
  team: string;
  /** A method of the Web API: `chat.postMessage`. */
  method: string;
  /** The channel that is written to. Calls to it are paced. */
  channel?: string;
  /** Calls with the same name are made one after the other, in the order in which they were asked for. */
  order?: string;
  /** Asked right before each attempt, so that what has come meanwhile goes along. Undefined: no call is needed. */
  arguments: () => Record<string, unknown> | undefined;
  /** Goes before calls that are not. */
  isUrgent?: boolean;
  /** Takes the call back while it waits. A call that has been sent is waited for: its effect must be known. */
  signal?: AbortSignal;
};

/** The answers of methods, as far as callers read them. */
export type SlackAnswer = { ok: boolean; [field: string]: unknown };

/** Slack's Web API within its limits. */
export type SlackCalls = {
  /**
   * Makes a call when the limits of its method and channel allow it. A call that is refused with 429 waits as long as
   * Slack says and is made again: none is lost.
   *
   * @returns Slack's answer; undefined when `arguments` gave none
   * @throws SlackCallError when Slack refused the call or did not answer
   * @throws the signal's reason, when it fired before the call was sent
   */
  call(call: SlackCall): Promise<SlackAnswer | undefined>;
  /** How long a call would wait at the moment, about. */
  expectedWaitMs(call: Pick<SlackCall, 'team' | 'method' | 'channel'>): number;
  /** How many calls wait. */
  depth(): number;
  /** Takes back the calls that wait, and resolves when those that were sent are answered. */
  stop(): Promise<void>;
};

export type CallMetrics = {
  /** `outcome`: `ok`, `ratelimited`, `unavailable`, or Slack's name of the error. */
  observe(call: { method: string; outcome: string; durationMs: number }): void;
};

type Deps = {
  /** Makes one call, with no retries. */
  send: (team: string, method: string, args: Record<string, unknown>) => Promise<SlackAnswer>;
  clock: Clock;
  log: Pick<Logger, 'warn'>;
  metrics: CallMetrics;
  /** Calls that wait in the queue. Further callers wait for a place in it. */
  mostWaiting?: number;
  /** Calls under way. */
  mostSent?: number;
};

type Waiting = SlackCall & {
  number: number;
  resolve: (answer: SlackAnswer | undefined) => void;
  reject: (error: Error) => void;
};

const never = new AbortController().signal;

/**
 * The queue of calls to Slack's Web API, one in each process. Among the calls whose limits are open, the urgent ones go
 * first, then the oldest.
 */
export function createApiCalls({ send, clock, log, metrics, mostWaiting = 2_000, mostSent = 50 }: Deps): SlackCalls {
  const pace = createPace(clock);
  const withPlace = createSemaphore(mostWaiting);
  const stopping = new AbortController();
  /** In the order of sending. */
  const waiting: Waiting[] = [];
  /** The `order` of calls under way. */
  const ordersSent = new Set<string>();
  const sent = new Set<Promise<void>>();
  let asked = 0;
  let cancelTimer = () => {};

  function insert(call: Waiting) {
    const goesBefore = (other: Waiting) =>
      Number(call.isUrgent ?? false) - Number(other.isUrgent ?? false) || other.number - call.number;
    const index = waiting.findIndex((other) => goesBefore(other) > 0);
    waiting.splice(index < 0 ? waiting.length : index, 0, call);
  }

  /** Sends all calls that may be sent, and comes back when the next may be. */
  function sendDue(): void {
    cancelTimer();
    let nextMs = Infinity;
    let isAnyDropped = false;
    const first = firstOfEachOrder();
    for (const call of [...waiting]) {
      if (sent.size >= mostSent) return;
      if (call.order !== undefined && first.get(call.order) !== call) continue;
      const { all } = limitsOf(call.team, call.method, call.channel);
      const waitMs = pace.waitMs(all);
      if (waitMs > 0) nextMs = Math.min(nextMs, waitMs);
      else if (!begin(call)) isAnyDropped = true;
    }
    if (isAnyDropped) return sendDue();
    if (nextMs < Infinity) cancelTimer = clock.after(Math.ceil(nextMs), sendDue);
  }

  /** Also an urgent call waits for the earlier ones of its order. */
  function firstOfEachOrder() {
    const first = new Map<string, Waiting | undefined>();
    for (const order of ordersSent) first.set(order, undefined);
    for (const call of waiting) {
      if (call.order === undefined || ordersSent.has(call.order)) continue;
      const other = first.get(call.order);
      if (!other || call.number < other.number) first.set(call.order, call);
    }
    return first;
  }

  /** @returns whether it was sent */
  function begin(call: Waiting): boolean {
    waiting.splice(waiting.indexOf(call), 1);
    let args: Record<string, unknown> | undefined;
    try {
      args = call.arguments();
    } catch (error) {
      call.reject(error as Error);
      return false;
    }
    if (!args) {
      call.resolve(undefined);
      return false;
    }
    pace.take(limitsOf(call.team, call.method, call.channel).all);
    if (call.order !== undefined) ordersSent.add(call.order);
    const attempt = makeAttempt(call, args).finally(() => {
      sent.delete(attempt);
      sendDue();
    });
    sent.add(attempt);
    return true;
  }

  async function makeAttempt(call: Waiting, args: Record<string, unknown>) {
    const { method } = call;
    const startedAt = clock.now();
    const observe = (outcome: string) => metrics.observe({ method, outcome, durationMs: clock.now() - startedAt });
    try {
      const answer = await send(call.team, method, args);
      observe('ok');
      call.resolve(answer);
    } catch (error) {
      const failure = judgeFailure(method, error);
      if (failure instanceof Error) {
        observe(failure.code);
        call.reject(failure);
        return;
      }
      observe('ratelimited');
      log.warn({ method, retryAfterMs: failure.retryAfterMs }, 'Slack limits the rate of calls');
      pace.close(limitsOf(call.team, method, call.channel).blocked, failure.retryAfterMs);
      const abort = abortOf(call);
      if (abort) call.reject(abort);
      else insert(call);
    } finally {
      if (call.order !== undefined) ordersSent.delete(call.order);
    }
  }

  const abortOf = (call: SlackCall): Error | undefined =>
    [stopping.signal, call.signal].find((signal) => signal?.aborted)?.reason as Error | undefined;

  function takeBack(call: Waiting) {
    const index = waiting.indexOf(call);
    if (index < 0) return;
    waiting.splice(index, 1);
    call.reject(abortOf(call) ?? new Error('taken back'));
    sendDue();
  }

  async function enqueue(call: SlackCall): Promise<SlackAnswer | undefined> {
    const abort = abortOf(call);
    if (abort) throw abort;
    const { promise, resolve, reject } = Promise.withResolvers<SlackAnswer | undefined>();
    const entry: Waiting = { ...call, number: asked++, resolve, reject };
    const onAbort = () => takeBack(entry);
    call.signal?.addEventListener('abort', onAbort, { once: true });
    insert(entry);
    sendDue();
    try {
      return await promise;
    } finally {
      call.signal?.removeEventListener('abort', onAbort);
    }
  }

  return {
    call: (call) => withPlace(call.signal ?? never, () => enqueue(call)),

    expectedWaitMs({ team, method, channel }) {
      const { all } = limitsOf(team, method, channel);
      const before = waiting.filter((call) => call.team === team && call.method === method).length;
      return pace.waitMs(all) + before * (all[0]?.intervalMs ?? 0);
    },

    depth: () => waiting.length,

    async stop() {
      stopping.abort(new Error('the process stops'));
      for (const call of [...waiting]) takeBack(call);
      cancelTimer();
      await Promise.all(sent);
    },
  };
}
