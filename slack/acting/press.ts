import { isRecord, parseJson } from '../../contract/json.ts';
import type { SlackPlace } from '../../contract/ports/index.ts';
import { approvalFields, askAboutFields, feedbackFields, type AskedApproval } from '../rendering/actions.ts';

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

/** A comment on an answer that was not useful. */
export type Comment = Act & { taskId: string; comment: string };

/** A message that a person asks about. */
export type AboutMessage = Act & { responseUrl: string | undefined };
/** The form with the question about it. `key`: the same for repeats. */
export type AskedAbout = AboutMessage & { key: string; question: string };

/** Slack's own stop button. */
export type Stopped = SlackPlace & { ts: string; userId: string; isDirect: boolean };

const record = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {});
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const isDirect = (channel: string) => channel.startsWith('D');

/** @returns undefined for another kind of act, and for one that is on no message */
function actOnMessage(body: object, kind: 'block_actions' | 'message_action'): Act | undefined {
  const { type, team, user, channel, message, trigger_id: triggerId } = body as Record<string, unknown>;
  const { ts, thread_ts: threadTs } = record(message);
  const place = { team: text(record(team).id) || text(record(user).team_id), channel: text(record(channel).id) };
  const userId = text(record(user).id);
  if (type !== kind || !place.team || !place.channel || !userId || !text(ts)) return undefined;
  return {
    ...place,
    threadTs: text(threadTs) || text(ts),
    ts: text(ts),
    userId,
    isDirect: isDirect(place.channel),
    triggerId: text(triggerId),
  };
}

/** @returns undefined for a button that is in no message */
export function pressIn(body: object): Press | undefined {
  const act = actOnMessage(body, 'block_actions');
  const { actions } = body as Record<string, unknown>;
  const action = record(Array.isArray(actions) ? actions[0] : undefined);
  return act && { ...act, actionId: text(action.action_id), value: text(action.value) };
}

/** @returns undefined for what is no shortcut in the menu of a message */
export function aboutMessageIn(body: object): (AboutMessage & { text: string }) | undefined {
  const act = actOnMessage(body, 'message_action');
  const { message, response_url: url } = body as Record<string, unknown>;
  return act && { ...act, responseUrl: text(url) || undefined, text: text(record(message).text) };
}

/** What a form keeps of the act that opened it, with what it is about. */
export const originText = ({ team, channel, threadTs, ts }: Act, about: object): string =>
  JSON.stringify({ team, channel, threadTs, ts, ...about });

/** @returns undefined for what is no form that a person has sent, or one that no act has opened */
export function formIn(body: object) {
  const { type, user, view, trigger_id: triggerId } = body as Record<string, unknown>;
  const { id: viewId, private_metadata: metadata, state } = record(view);
  const userId = text(record(user).id);
  const { team, channel, threadTs, ts, ...about } = record(parseJson(text(metadata)));
  if (type !== 'view_submission' || !userId || !text(channel)) return undefined;
  const values = record(record(state).values);
  const act: Act = {
    team: text(team),
    channel: text(channel),
    threadTs: text(threadTs),
    ts: text(ts),
    userId,
    isDirect: isDirect(text(channel)),
    triggerId: text(triggerId),
  };
  return {
    act,
    about,
    /** A form is sent once. */
    key: text(viewId),
    has: (name: string) => isRecord(values[name]),
    field: (name: string) => record(record(values[name])[name]),
    written: (name: string) => text(record(record(values[name])[name]).value),
  };
}

/** @returns undefined for what is no form about a call */
export function submissionIn(body: object): Submission | undefined {
  const form = formIn(body);
  const asked = form?.about.asked;
  if (!form || !isRecord(asked)) return undefined;
  const decision = record(form.field(approvalFields.decision).selected_option).value;
  if (decision !== 'approve' && decision !== 'deny') return undefined;
  return {
    ...form.act,
    asked: asked as AskedApproval,
    decision,
    comment: form.written(approvalFields.comment).trim(),
    edit: form.has(approvalFields.edit) ? form.written(approvalFields.edit) : undefined,
  };
}

/** @returns undefined for what is no comment on an answer */
export function commentIn(body: object): Comment | undefined {
  const form = formIn(body);
  const commented = text(form?.about.commented);
  if (!form || !commented) return undefined;
  return { ...form.act, taskId: commented, comment: form.written(feedbackFields.comment).trim() };
}

/** @returns undefined for what is no question about a message */
export function askedAboutIn(body: object): AskedAbout | undefined {
  const form = formIn(body);
  if (form?.about.askedAbout !== true) return undefined;
  return {
    ...form.act,
    key: form.key,
    responseUrl: text(form.about.responseUrl) || undefined,
    question: form.written(askAboutFields.question).trim(),
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

/** What a person did by a button, a form or a shortcut, of any kind. */
export const actIn = (body: object): Act | undefined => pressIn(body) ?? aboutMessageIn(body) ?? formIn(body)?.act;
