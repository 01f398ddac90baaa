import { isRecord } from '../../contract/json.ts';
import type { SlackDelivery } from '../../contract/ports/index.ts';

/**
 * The same delivery as one of the workspace that Alfred is in. What people of other workspaces do in a shared channel
 * can name theirs; but places, people and subjects are those that Alfred's token sees.
 */
export function inWorkspace<Delivery extends SlackDelivery>(delivery: Delivery, team: string): Delivery {
  const { kind, body } = delivery;
  if (kind !== 'interactive') return { ...delivery, team, body: { ...body, team_id: team } };
  return { ...delivery, team, body: { ...body, team: { ...(isRecord(body.team) ? body.team : {}), id: team } } };
}
