import type { SlackAnswer, SlackCall } from './slack-call.ts';

export type WaitingCall = SlackCall & {
  /** In the order of asking. */
  number: number;
  resolve: (answer: SlackAnswer | undefined) => void;
  reject: (error: Error) => void;
};

/** Calls that wait: the urgent ones first, then in the order of asking. */
export function createWaitingCalls() {
  const waiting: WaitingCall[] = [];
  /** The `order` of calls under way. */
  const ordersSent = new Set<string>();

  const isUrgent = (call: WaitingCall) => Number(call.isUrgent ?? false);

  /** Also an urgent call waits for the earlier ones of its order. */
  function firstOfEachOrder() {
    const first = new Map<string, WaitingCall>();
    for (const call of waiting) {
      if (call.order === undefined) continue;
      const other = first.get(call.order);
      if (!other || call.number < other.number) first.set(call.order, call);
    }
    return first;
  }

  return {
    size: () => waiting.length,
    all: () => [...waiting],

    insert(call: WaitingCall): void {
      const goesBefore = (other: WaitingCall) => isUrgent(call) - isUrgent(other) || other.number - call.number;
      const index = waiting.findIndex((other) => goesBefore(other) > 0);
      waiting.splice(index < 0 ? waiting.length : index, 0, call);
    },

    /** @returns whether it was waiting */
    remove(call: WaitingCall): boolean {
      const index = waiting.indexOf(call);
      if (index >= 0) waiting.splice(index, 1);
      return index >= 0;
    },

    /** Those that no earlier call of their order holds up. */
    free(): WaitingCall[] {
      const first = firstOfEachOrder();
      return waiting.filter(
        (call) => call.order === undefined || (!ordersSent.has(call.order) && first.get(call.order) === call),
      );
    },

    beginOrder({ order }: WaitingCall): void {
      if (order !== undefined) ordersSent.add(order);
    },
    endOrder({ order }: WaitingCall): void {
      if (order !== undefined) ordersSent.delete(order);
    },
  };
}
