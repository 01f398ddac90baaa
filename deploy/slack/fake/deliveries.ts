import { EventEmitter } from 'node:events';
import type { Clock } from './clock.ts';
import { deliveryLimits } from './limits.ts';
import type { Args } from './types.ts';

/** `verification`: the request that checks the address for events. */
export type DeliveryKind = 'event' | 'interactive' | 'command' | 'verification';

/** `acknowledged`, or why the attempt failed, in Slack's words for `x-slack-retry-reason`. */
export type AttemptOutcome =
  'acknowledged' | 'http_timeout' | 'http_error' | 'connection_failed' | 'timeout' | 'no_retry';

export type Attempt = {
  at: number;
  number: number;
  outcome: AttemptOutcome;
  tookMs: number;
  status: number | undefined;
};

export type Delivery = {
  /** The event's id, or the trigger of an interaction. */
  id: string;
  kind: DeliveryKind;
  payload: Args;
  attempts: Attempt[];
  state: 'pending' | 'acknowledged' | 'failed';
  /** What the app answered with its acknowledgement. */
  response: Args | undefined;
  /** After the first attempt. */
  first: Promise<Delivery>;
  /** When it is acknowledged or given up. */
  done: Promise<Delivery>;
};

export type Sent = { outcome: AttemptOutcome; status?: number | undefined; response?: Args | undefined };

/** Sends one attempt to the app: by Socket Mode or by HTTP. */
export type Transport = {
  send(delivery: Delivery, retry: { number: number; reason: string } | undefined): Promise<Sent>;
};

export type Deliveries = ReturnType<typeof createDeliveries>;

/** Delivers events with Slack's repeats. Interactions and commands are never repeated: the person sees an error. */
export function createDeliveries({ clock, transport }: { clock: Clock; transport: () => Transport }) {
  const all: Delivery[] = [];
  const changed = new EventEmitter().setMaxListeners(0);
  let copies = 1;

  const attempt = async (delivery: Delivery, number: number, reason: string | undefined): Promise<Attempt> => {
    const at = clock.now();
    const started = performance.now();
    const sent = await transport().send(delivery, reason === undefined ? undefined : { number, reason });
    const tookMs = performance.now() - started;
    const made: Attempt = { at, number, outcome: sent.outcome, tookMs, status: sent.status };
    delivery.attempts.push(made);
    if (sent.outcome === 'acknowledged') {
      delivery.state = 'acknowledged';
      delivery.response ??= sent.response;
    }
    return made;
  };

  const wait = (ms: number) =>
    ms === 0 ? Promise.resolve() : new Promise<void>((resolve) => clock.after(ms, resolve));

  const run = async (delivery: Delivery, first: (delivery: Delivery) => void): Promise<Delivery> => {
    let made = await attempt(delivery, 0, undefined);
    first(delivery);
    const waits = delivery.kind === 'event' ? deliveryLimits.retryAfterMs : [];
    for (const [index, ms] of waits.entries()) {
      if (made.outcome === 'acknowledged' || made.outcome === 'no_retry') break;
      await wait(ms);
      made = await attempt(delivery, index + 1, made.outcome);
    }
    if (delivery.state === 'pending') delivery.state = 'failed';
    changed.emit('changed');
    return delivery;
  };

  const start = (id: string, kind: DeliveryKind, payload: Args): Delivery => {
    const { promise: first, resolve } = Promise.withResolvers<Delivery>();
    const delivery: Delivery = {
      id,
      kind,
      payload,
      attempts: [],
      state: 'pending',
      response: undefined,
      first,
      done: first,
    };
    all.push(delivery);
    delivery.done = run(delivery, resolve);
    return delivery;
  };

  return {
    all,
    /** Delivers each event so many times more than once: Slack promises "at least once". */
    setCopies: (count: number) => {
      copies = count;
    },
    start: (id: string, kind: DeliveryKind, payload: Args): Delivery => {
      const delivery = start(id, kind, payload);
      if (kind === 'event') for (let copy = 1; copy < copies; copy += 1) start(id, kind, payload);
      return delivery;
    },
    /** Resolves when nothing is on its way. Deliveries that wait for a repeat count as on their way. */
    settled: async (): Promise<void> => {
      while (all.some(({ state }) => state === 'pending'))
        await new Promise<void>((resolve) => changed.once('changed', () => resolve()));
    },
  };
}
