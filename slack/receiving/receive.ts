import type { JsonObject } from '../../contract/json.ts';
import type { SlackDelivery, SlackInbox } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { deliveryOf } from './delivery.ts';

export type Arrival = {
  transport: 'socket' | 'http';
  kind: SlackDelivery['kind'];
  body: JsonObject;
  envelopeId?: string | undefined;
  /** Called when the delivery is stored. Slack waits for it for 3 seconds. */
  acknowledge: () => void | Promise<void>;
};

type Deps = {
  inbox: Pick<SlackInbox, 'store'>;
  log: Pick<Logger, 'warn'>;
  metrics: Pick<Metrics, 'slackEvents' | 'slackAckDuration'>;
  /** Whether Alfred is or was in the workspace: of others nothing is stored. */
  isKnown: (team: string) => Promise<boolean>;
  /** A delivery of this workspace is there to be processed. */
  onStored: (team: string) => void;
};

export type Receive = ReturnType<typeof createReceive>;

/** Stores what Slack sends and acknowledges it then. What could not be stored is not acknowledged: Slack repeats it. */
export const createReceive =
  ({ inbox, log, metrics, isKnown, onStored }: Deps) =>
  /** @returns whether it is stored, or is not to be */
  async ({ transport, kind, body, envelopeId, acknowledge }: Arrival): Promise<boolean> => {
    const endTimer = metrics.slackAckDuration.startTimer({ transport });
    let delivery: SlackDelivery;
    let outcome: 'stored' | 'repeated' | 'left_out';
    try {
      delivery = deliveryOf(kind, body, { id: envelopeId });
      if (!(await isKnown(delivery.team))) outcome = 'left_out';
      else outcome = (await inbox.store(delivery)) ? 'stored' : 'repeated';
    } catch (error) {
      metrics.slackEvents.inc({ transport, kind, outcome: 'failed' });
      log.warn({ err: error, transport, kind }, 'what Slack has sent could not be stored; Slack sends it again');
      return false;
    }
    metrics.slackEvents.inc({ transport, kind, outcome });
    if (outcome === 'stored') onStored(delivery.team);
    try {
      await acknowledge();
      endTimer();
    } catch (error) {
      // The connection is gone. What Slack repeats is found by its key.
      log.warn({ err: error, transport, kind }, 'what Slack has sent is stored and could not be acknowledged');
    }
    return true;
  };
