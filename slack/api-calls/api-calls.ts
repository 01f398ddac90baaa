import { createSemaphore } from '../../runtime/semaphore.ts';
import type { Logger } from '../../runtime/logger.ts';
import { judgeFailure } from './call-error.ts';
import type { Clock } from './clock.ts';
import { limitsOf } from './method-limits.ts';
import { createPace } from './pace.ts';
import type { SlackAnswer, SlackCall } from './slack-call.ts';
import { createWaitingCalls, type WaitingCall } from './waiting-calls.ts';

export type { SlackAnswer, SlackCall };

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
  observe(call: { team: string; method: string; outcome: string; durationMs: number }): void;
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

const never = new AbortController().signal;

/** @returns what to send; undefined when the call was ended without it */
function readArguments(call: WaitingCall): Record<string, unknown> | undefined {
  try {
    const args = call.arguments();
    if (!args) call.resolve(undefined);
    return args;
  } catch (error) {
    call.reject(error as Error);
    return undefined;
  }
}

/** @returns undefined when the call is answered; else how long to wait: Slack has refused it with 429 */
async function sendOnce(
  call: WaitingCall,
  args: Record<string, unknown>,
  { send, clock, metrics }: Pick<Deps, 'send' | 'clock' | 'metrics'>,
): Promise<number | undefined> {
  const { team, method } = call;
  const startedAt = clock.now();
  const observe = (outcome: string) => metrics.observe({ team, method, outcome, durationMs: clock.now() - startedAt });
  try {
    const answer = await send(team, method, args);
    observe('ok');
    call.resolve(answer);
  } catch (error) {
    const failure = judgeFailure(method, error);
    if (!(failure instanceof Error)) {
      observe('ratelimited');
      return failure.retryAfterMs;
    }
    observe(failure.code);
    call.reject(failure);
  }
  return undefined;
}

/**
 * The queue of calls to Slack's Web API, one in each process. Among the calls whose limits are open, the urgent ones go
 * first, then the oldest.
 */
export function createApiCalls({ send, clock, log, metrics, mostWaiting = 2_000, mostSent = 50 }: Deps): SlackCalls {
  const pace = createPace(clock);
  const withPlace = createSemaphore(mostWaiting);
  const stopping = new AbortController();
  const waiting = createWaitingCalls();
  const sent = new Set<Promise<void>>();
  let asked = 0;
  let cancelTimer = () => {};

  /** Sends all calls that may be sent, and comes back when the next may be. */
  function sendDue(): void {
    cancelTimer();
    let nextMs = Infinity;
    let isAnyDropped = false;
    for (const call of waiting.free()) {
      if (sent.size >= mostSent) return;
      const waitMs = pace.waitMs(limitsOf(call).all);
      if (waitMs > 0) nextMs = Math.min(nextMs, waitMs);
      else if (!begin(call)) isAnyDropped = true;
    }
    if (isAnyDropped) return sendDue();
    if (nextMs < Infinity) cancelTimer = clock.after(Math.ceil(nextMs), sendDue);
  }

  /** @returns whether it was sent */
  function begin(call: WaitingCall): boolean {
    waiting.remove(call);
    const args = readArguments(call);
    if (!args) return false;
    pace.take(limitsOf(call).all);
    waiting.beginOrder(call);
    const attempt = makeAttempt(call, args).finally(() => {
      sent.delete(attempt);
      waiting.endOrder(call);
      sendDue();
    });
    sent.add(attempt);
    return true;
  }

  async function makeAttempt(call: WaitingCall, args: Record<string, unknown>) {
    const retryAfterMs = await sendOnce(call, args, { send, clock, metrics });
    if (retryAfterMs === undefined) return;
    log.warn({ method: call.method, retryAfterMs }, 'Slack limits the rate of calls');
    pace.close(limitsOf(call).blocked, retryAfterMs);
    const abort = abortOf(call);
    if (abort) call.reject(abort);
    else waiting.insert(call);
  }

  const abortOf = (call: SlackCall): Error | undefined =>
    [stopping.signal, call.signal].find((signal) => signal?.aborted)?.reason as Error | undefined;

  function takeBack(call: WaitingCall) {
    if (!waiting.remove(call)) return;
    call.reject(abortOf(call) ?? new Error('taken back'));
    sendDue();
  }

  async function enqueue(call: SlackCall): Promise<SlackAnswer | undefined> {
    const abort = abortOf(call);
    if (abort) throw abort;
    const { promise, resolve, reject } = Promise.withResolvers<SlackAnswer | undefined>();
    const entry: WaitingCall = { ...call, number: asked++, resolve, reject };
    const onAbort = () => takeBack(entry);
    call.signal?.addEventListener('abort', onAbort, { once: true });
    waiting.insert(entry);
    sendDue();
    try {
      return await promise;
    } finally {
      call.signal?.removeEventListener('abort', onAbort);
    }
  }

  return {
    call: (call) => withPlace(call.signal ?? never, () => enqueue(call)),
    depth: waiting.size,

    expectedWaitMs(call) {
      const { all } = limitsOf(call);
      const before = waiting.all().filter(({ team, method }) => team === call.team && method === call.method).length;
      return pace.waitMs(all) + before * (all[0]?.intervalMs ?? 0);
    },

    async stop() {
      stopping.abort(new Error('the process stops'));
      waiting.all().forEach(takeBack);
      cancelTimer();
      await Promise.all(sent);
    },
  };
}
