import { createHash } from 'node:crypto';
import { isRecord, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { SlackDelivery } from '../../contract/ports/index.ts';

/** What names a delivery when its body does not: the envelope of a socket. */
type Envelope = { id?: string | undefined };

const textIn = (value: JsonValue | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
const recordIn = (value: JsonValue | undefined): JsonObject => (isRecord(value) ? value : {});

/** For a body without an id: two equal ones are one delivery. */
const hashOf = (body: JsonObject) => createHash('sha256').update(JSON.stringify(body)).digest('base64url');

/** The workspace that an event was sent to. In a shared channel `team_id` can be the one where the channel began. */
function teamOfEvent({ authorizations, team_id: team }: JsonObject): string {
  const [installed] = Array.isArray(authorizations) ? authorizations : [];
  return textIn(recordIn(installed).team_id) ?? textIn(team) ?? '';
}

/** The workspace of Alfred's form or message, which may be another one than that of the person. */
function teamOfAct({ type, view, message, team, user }: JsonObject): string {
  // A shortcut is in the menu of any message, whose author may be of another workspace.
  const ofMessage = type === 'message_action' ? undefined : recordIn(message).team;
  const teams = [recordIn(view).app_installed_team_id, ofMessage, recordIn(team).id];
  return teams.map(textIn).find((id) => id !== undefined) ?? textIn(recordIn(user).team_id) ?? '';
}

/**
 * Gives what Slack sends a key, which repeats and twins have too, and a lane. A lane is processed in order.
 *
 * @param kind `interactive` and `command` as Slack calls them
 */
export function deliveryOf(kind: SlackDelivery['kind'], body: JsonObject, envelope: Envelope = {}): SlackDelivery {
  if (kind === 'event') return eventOf(body, envelope);
  const id = textIn(body.trigger_id) ?? envelope.id ?? hashOf(body);
  if (kind === 'command') {
    const team = textIn(body.team_id) ?? '';
    return { key: `command:${team}:${id}`, kind, team, lane: laneOf(team, body.channel_id, body.user_id), body };
  }
  const user = recordIn(body.user);
  const team = teamOfAct(body);
  const channel = textIn(recordIn(body.channel).id);
  // Not that of the thread, where a message may wait for its files: a form opens within three seconds or not at all.
  const lane = channel === undefined ? laneOf(team, user.id) : laneOf(team, channel, user.id, 'press');
  return { key: `interactive:${team}:${id}`, kind, team, lane, body };
}

function eventOf(body: JsonObject, envelope: Envelope): SlackDelivery {
  const event = recordIn(body.event);
  const team = teamOfEvent(body);
  const channel = textIn(event.channel);
  const message = messageOf(event);
  if (channel !== undefined && message !== undefined) {
    const change = isChange(event) ? `:${textIn(event.ts) ?? textIn(event.event_ts) ?? ''}` : '';
    return {
      // A mention in a channel comes as `app_mention` and as `message`, with different event ids.
      key: `message:${team}:${channel}:${message.ts}${change}`,
      kind: 'event',
      team,
      lane: laneOf(team, channel, message.threadTs),
      body,
    };
  }
  const id = textIn(body.event_id) ?? envelope.id ?? hashOf(body);
  const lane = laneOf(team, channel ?? recordIn(event.item).channel ?? event.user, event.thread_ts);
  return { key: `event:${team}:${id}`, kind: 'event', team, lane, body };
}

const isChange = ({ subtype }: JsonObject) => subtype === 'message_changed' || subtype === 'message_deleted';

/** The message that an event is about: of an edit and a deletion the one that was changed. */
function messageOf(event: JsonObject): { ts: string; threadTs: string } | undefined {
  if (event.type !== 'message' && event.type !== 'app_mention') return undefined;
  const changed = event.subtype === 'message_changed' ? recordIn(event.message) : recordIn(event.previous_message);
  const message = isChange(event) ? changed : event;
  const ts = textIn(message.ts) ?? textIn(event.deleted_ts);
  return ts === undefined ? undefined : { ts, threadTs: textIn(message.thread_ts) ?? ts };
}

const laneOf = (team: string, ...parts: (JsonValue | undefined)[]) =>
  [team, ...parts.map((part) => textIn(part) ?? '')].join(':');
