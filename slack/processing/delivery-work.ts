import type { JsonObject } from '../../contract/json.ts';
import type { ClaimedSlackDelivery, SlackInbox } from '../../contract/ports/index.ts';
import { DeliveryLost, type WithoutPlace } from './attempt.ts';

/** What handles a delivery knows of it. */
export type DeliveryWork = {
  /** How often it was claimed, this time included. */
  attempts: number;
  withoutPlace: WithoutPlace;
  /** What an earlier attempt has kept. */
  kept: JsonObject | null;
  /**
   * Keeps what was read elsewhere and may be another thing later, so that a repeat does the same.
   *
   * @returns what is kept
   * @throws DeliveryLost when another process has the delivery
   */
  keep(what: JsonObject): Promise<JsonObject>;
};

type Deps = { inbox: Pick<SlackInbox, 'keep'>; owner: string };

export const deliveryWork = (
  { inbox, owner }: Deps,
  { key, attempts, kept }: ClaimedSlackDelivery,
  withoutPlace: WithoutPlace,
): DeliveryWork => ({
  attempts,
  withoutPlace,
  kept,
  async keep(what) {
    const stored = await inbox.keep(owner, key, what);
    if (!stored) throw new DeliveryLost();
    return stored;
  },
});
