import { isSlackCallError } from '../api-calls/call-error.ts';
import { isTokenProblem } from '../api-calls/token-problems.ts';
import { ChannelRefused } from './check-channel.ts';

/** Nothing can be posted there any more, and a repeat changes nothing. */
const closed = new Set([
  'access_denied',
  'channel_not_found',
  'cannot_reply_to_message',
  'is_archived',
  'is_inactive',
  'messages_tab_disabled',
  'no_permission',
  'not_in_channel',
  'restricted_action',
  'restricted_action_non_threadable_channel',
  'restricted_action_read_only_channel',
  'restricted_action_thread_locked',
  'restricted_action_thread_only_channel',
  'thread_not_found',
  'user_is_restricted',
]);

/** The message cannot be changed any more: a person deleted it, or the workspace closes messages after some time. */
const unchangeable = new Set([
  'cant_update_message',
  'edit_window_closed',
  'message_not_found',
  'message_not_owned_by_app',
]);

/** Slack does not take what the message shows. */
const contentRefused = new Set([
  'block_mismatch',
  'invalid_attachments',
  'invalid_blocks',
  'invalid_blocks_format',
  'markdown_text_conflict',
  'msg_blocks_too_long',
  'msg_blocks_too_many',
  'msg_too_long',
  'too_many_blocks',
]);

const codeOf = (error: unknown): string => (isSlackCallError(error) ? error.code : '');

/** Why something was not posted, in a word: Slack's name of the error, or our own. */
export const reasonOf = (error: unknown): string =>
  isSlackCallError(error) || error instanceof ChannelRefused ? error.code : 'internal';

export const isPlaceClosed = (error: unknown): boolean => closed.has(codeOf(error));
export const isUnchangeable = (error: unknown): boolean => unchangeable.has(codeOf(error));
export const isContentRefused = (error: unknown): boolean => contentRefused.has(codeOf(error));
/** Its time is over, or a person stopped it in Slack. */
export const isStreamOver = (error: unknown): boolean =>
  ['message_not_in_streaming_state', 'stopped_by_user'].includes(codeOf(error));
/** Slack took the call and did nothing. */
export const isRefused = (error: unknown): boolean => isSlackCallError(error) && error.effect === 'refused';

/** Slack takes no file at all, as long as an operator or the workspace does not change that. */
export const isForAllFiles = (error: unknown): boolean =>
  ['missing_scope', 'file_uploads_disabled'].includes(codeOf(error));
/** Slack refuses every call of the token. */
export const isTokenRefused = (error: unknown): boolean => isTokenProblem(codeOf(error));

/** The call has had no effect: it was refused or never sent. */
export const isUndone = (error: unknown): boolean =>
  !(error instanceof LeaseLost) && !(isSlackCallError(error) && error.effect === 'unknown');

/** The token is wrong or lacks a scope, or a proxy refuses calls. An operator can mend that, so they are repeated. */
export const isMendable = (error: unknown): boolean =>
  isTokenRefused(error) || codeOf(error) === 'missing_scope' || /^http_4\d\d$/.test(codeOf(error));

/** Another process has the post, or may soon. It must not be shown by this one any more. */
export class LeaseLost extends Error {}
/** The process stops. */
export class PosterStopped extends Error {}
/** Nothing happens in the task, and other posts wait. */
export class GivesWay extends Error {}
/** Two posts have found the same message. */
export class MessageShared extends Error {}
