import type { ApprovalRow, Approvals, SlackPosts } from '../../contract/ports/index.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { isSlackCallError } from '../api-calls/call-error.ts';
import { escapeMrkdwn, mrkdwnLink } from '../rendering/mrkdwn.ts';
import { shownTime } from './describe-task.ts';
import { code } from './lines-message.ts';
import type { CommandSender } from './task-commands.ts';

const most = 10;

export type ApprovalDeps = {
  approvals: Pick<Approvals, 'list'>;
  posts: Pick<SlackPosts, 'findByTask'>;
  calls: SlackCalls;
};

/** The approvals that wait for a person, with links to the messages that have their buttons. */
export async function readApprovals(deps: ApprovalDeps, sender: CommandSender) {
  const query = { mine: 'true', limit: most } as const;
  const { approvals: waiting, nextCursor } = await deps.approvals.list(sender.principal, query);
  return {
    lines: await Promise.all(waiting.map(async (row) => describe(row, await findMessage(deps, sender, row)))),
    hasMore: nextCursor !== null,
  };
}

const describe = ({ id, tool, agent, requestedBy, expiresAt, onExpiry }: ApprovalRow, message: string | undefined) =>
  `• *${mrkdwnLink(message, tool)}*, asked by ${escapeMrkdwn(agent)} for ${escapeMrkdwn(requestedBy)}. Until ${shownTime(expiresAt)}, then it ${onExpiry === 'approve' ? 'runs' : 'does not run'}.\n   \`${id}\``;

/** @returns the address of the message that asks for it; undefined where this person cannot see one */
async function findMessage({ posts, calls }: ApprovalDeps, { team, userId }: CommandSender, { taskId }: ApprovalRow) {
  const post = await posts.findByTask(taskId);
  const ts = post?.messages.findLast((message) => message.ts !== null)?.ts;
  if (post?.team !== team || !ts) return undefined;
  const { channel } = post;
  if (channel.startsWith('D') && post.userId !== userId) return undefined;
  try {
    const args = { channel, message_ts: ts };
    const answer = await calls.call({ team, method: 'chat.getPermalink', arguments: () => args });
    return typeof answer?.permalink === 'string' ? answer.permalink : undefined;
  } catch (error) {
    // The message was deleted, say. What waits is listed all the same.
    if (isSlackCallError(error)) return undefined;
    throw error;
  }
}

export const moreApprovals = 'There are more. They are shown when these are decided.';
export const decideHint = `A name links the message with the buttons that decide. What has no link, or is in a channel that you are not in, you decide through the API: ${code('alfred approvals')} on the command line.`;
