import { isRecord } from '../../contract/json.ts';
import type { SlackPlace } from '../../contract/ports/index.ts';
import { approvalFields, type AskedApproval } from '../rendering/actions.ts';

/** What a person did to a message, and where. */
export type Act = SlackPlace & {
  /** The message. */
  ts: string;
  userId: string;
  isDirect: boolean;
  /** Opens a form within three seconds. */
  triggerId: string;
};

/** A button of a message that a person has pressed. */
export type Press = Act & { actionId: string; value: string };

/** A form about a call that a person has sent. */
export type Submission = Act & {
  asked: AskedApproval;
  decision: 'approve' | 'deny';
  comment: string;
  /** Undefined: the form had no such field. */
  edit: string | undefined;
};

/** Slack's own stop button. */
export type Stopped = SlackPlace & { ts: string; userId: string; isDirect: boolean };

const record = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {});
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const isDirect = (channel: string) => channel.startsWith('D');

/** @returns undefined for a button that is in no message */
export function pressIn(body: object): Press | undefined {
  const { type, team, user, channel, message, trigger_id: triggerId, actions } = body as Record<string, unknown>;
  const action = record(Array.isArray(actions) ? actions[0] : undefined);
  const { ts, thread_ts: threadTs } = record(message);
  const place = { team: text(record(team).id) || text(record(user).team_id), channel: text(record(channel).id) };
  const userId = text(record(user).id);
  if (type !== 'block_actions' || !place.team || !place.channel || !userId || !text(ts)) return undefined;
  return {
    ...place,
    threadTs: text(threadTs) || text(ts),
    ts: text(ts),
    userId,
    isDirect: isDirect(place.channel),
    triggerId: text(triggerId),
    actionId: text(action.action_id),
    value: text(action.value),
  };
}

/** What a form keeps of the press that opened it. */
type Origin = Pick<Act, 'team' | 'channel' | 'threadTs' | 'ts'> & { asked: AskedApproval };

export const originText = ({ team, channel, threadTs, ts }: Act, asked: AskedApproval): string =>
  JSON.stringify({ team, channel, threadTs, ts, asked } satisfies Origin);

/** @returns undefined for what is no form about a call */
export function submissionIn(body: object): Submission | undefined {
  const { type, user, view, trigger_id: triggerId } = body as Record<string, unknown>;
  const { private_metadata: metadata, state } = record(view);
  const userId = text(record(user).id);
  if (type !== 'view_submission' || !userId) return undefined;
  let origin: Origin;
  try {
    origin = JSON.parse(text(metadata)) as Origin;
  } catch {
    return undefined;
  }
  const { team, channel, threadTs, ts, asked } = origin;
  if (!isRecord(asked)) return undefined;
  const values = record(record(state).values);
  const field = (name: string) => record(record(values[name])[name]);
  const decision = record(field(approvalFields.decision).selected_option).value;
  if (decision !== 'approve' && decision !== 'deny') return undefined;
  return {
    team,
    channel,
    threadTs,
    ts,
    userId,
    isDirect: isDirect(channel),
    triggerId: text(triggerId),
    asked,
    decision,
    comment: text(field(approvalFields.comment).value).trim(),
    edit: isRecord(values[approvalFields.edit]) ? text(field(approvalFields.edit).value) : undefined,
  };
}

/** @returns undefined for another event, and when it names no thread */
export function stoppedIn(body: object): Stopped | undefined {
  const { team_id: team, event } = body as Record<string, unknown>;
  const { type, channel, user, thread_ts: threadTs, event_ts: ts } = record(event);
  if (type !== 'agent_session_stopped') return undefined;
  if (!text(team) || !text(channel) || !text(user) || !text(threadTs)) return undefined;
  return {
    team: text(team),
    channel: text(channel),
    threadTs: text(threadTs),
    ts: text(ts),
    userId: text(user),
    isDirect: isDirect(text(channel)),
  };
}
