import { isRecord } from '../../contract/json.ts';
import type { SlackPlace, SlackThread } from '../../contract/ports/index.ts';
import { filesIn, type SharedFile } from '../files/shared-file.ts';
import { mentionsIn, plainTextOf } from './plain-text.ts';

/** A message of a person, in a place where Alfred reads. */
export type Question = SlackPlace & {
  ts: string;
  userId: string;
  /** Without the mention of Alfred. May be empty. */
  text: string;
  isDirect: boolean;
  /** People of other organisations are in the channel. */
  isExternal: boolean;
  /** The workspace is one of several of an organisation. */
  isInOrganisation?: boolean;
  mentionsAlfred: boolean;
  /** It names other people and not Alfred. */
  isForOthers: boolean;
  files: SharedFile[];
  /** The agent that the person names; undefined: that of the thread, or of the place. */
  agent?: string | undefined;
};

/** A message of a person that was edited or deleted. */
export type ChangedQuestion = SlackPlace & {
  ts: string;
  userId: string;
  isDirect: boolean;
  change: 'edited' | 'deleted';
};

/** @param takesPart whether Alfred took part in the thread when it was written */
export const isForAlfred = ({ isDirect, mentionsAlfred, isForOthers }: Question, takesPart: boolean): boolean =>
  isDirect || mentionsAlfred || (takesPart && !isForOthers);

/** Whether Alfred took part in a thread when a message was written: one that comes late was not for it. */
export const tookPart = ({ ts }: Pick<Question, 'ts'>, thread: Pick<SlackThread, 'begunTs'> | undefined): boolean =>
  thread !== undefined && Number(ts) >= Number(thread.begunTs ?? 0);

/** The id of a message in its conversation: sent twice, it is one message. */
export const messageIdOf = (ts: string) => `slack-${ts}`;

/** Messages of these kinds are written by people as others are. */
const writtenSubtypes: ReadonlySet<unknown> = new Set([undefined, 'file_share', 'thread_broadcast', 'me_message']);

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

type Body = {
  team_id?: unknown;
  enterprise_id?: unknown;
  context_enterprise_id?: unknown;
  authorizations?: unknown;
  is_ext_shared_channel?: unknown;
  event?: unknown;
};

function isOfOrganisation({ enterprise_id: id, context_enterprise_id: contextId, authorizations }: Body): boolean {
  const installed: unknown = Array.isArray(authorizations) ? authorizations[0] : undefined;
  return isText(id) || isText(contextId) || (isRecord(installed) && isText(installed.enterprise_id));
}

/** @returns undefined for what no person has written */
export function questionIn(body: Body, botUserId: string): Question | undefined {
  const event = isRecord(body.event) ? body.event : {};
  const { channel, ts, thread_ts: threadTs, user, text, subtype, bot_id: botId, files } = event;
  if (!isText(body.team_id) || !isText(channel) || !isText(ts) || !isText(user)) return undefined;
  if (!writtenSubtypes.has(subtype) || isText(botId) || user === botUserId) return undefined;
  const written = isText(text) ? text : '';
  const mentions = mentionsIn(written);
  const mentionsAlfred = event.type === 'app_mention' || mentions.includes(botUserId);
  return {
    team: body.team_id,
    channel,
    threadTs: isText(threadTs) ? threadTs : ts,
    ts,
    userId: user,
    text: plainTextOf(written, botUserId),
    isDirect: event.channel_type === 'im' || channel.startsWith('D'),
    isExternal: body.is_ext_shared_channel === true,
    isInOrganisation: isOfOrganisation(body),
    mentionsAlfred,
    isForOthers: !mentionsAlfred && mentions.length > 0,
    files: filesIn(files),
  };
}

/** @returns undefined for what is no change of a person's words, like a preview that was added to a link */
export function changedQuestionIn(body: Body, botUserId: string): ChangedQuestion | undefined {
  const event = isRecord(body.event) ? body.event : {};
  const { channel, subtype } = event;
  if (subtype !== 'message_changed' && subtype !== 'message_deleted') return undefined;
  const before = isRecord(event.previous_message) ? event.previous_message : {};
  const after = isRecord(event.message) ? event.message : {};
  // A message with replies that is deleted stays as a line that says so.
  const isDeleted = subtype === 'message_deleted' || after.subtype === 'tombstone';
  const { ts = event.deleted_ts, thread_ts: threadTs, user, text, bot_id: botId } = before;
  if (!isText(body.team_id) || !isText(channel) || !isText(ts) || !isText(user)) return undefined;
  if (isText(botId) || user === botUserId || (!isDeleted && after.text === text)) return undefined;
  return {
    team: body.team_id,
    channel,
    threadTs: isText(threadTs) ? threadTs : ts,
    ts,
    userId: user,
    isDirect: event.channel_type === 'im' || channel.startsWith('D'),
    change: isDeleted ? 'deleted' : 'edited',
  };
}
