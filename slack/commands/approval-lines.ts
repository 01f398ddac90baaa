import type { Approvals } from '../../contract/ports/index.ts';
import type { Principal } from '../../contract/principal.ts';
import { escapeMrkdwn } from '../rendering/mrkdwn.ts';
import { shownTime } from './describe-task.ts';
import { code } from './lines-message.ts';

const most = 10;

/** The approvals that wait for a person. */
export async function readApprovals(approvals: Pick<Approvals, 'list'>, principal: Principal) {
  const { approvals: waiting, nextCursor } = await approvals.list(principal, { mine: 'true', limit: most });
  return {
    lines: waiting.map(
      ({ id, tool, agent, requestedBy, expiresAt, onExpiry }) =>
        `• *${escapeMrkdwn(tool)}*, asked by ${escapeMrkdwn(agent)} for ${escapeMrkdwn(requestedBy)}. Until ${shownTime(expiresAt)}, then it ${onExpiry === 'approve' ? 'runs' : 'does not run'}.\n   \`${id}\``,
    ),
    hasMore: nextCursor !== null,
  };
}

export const moreApprovals = 'There are more. They are shown when these are decided.';
export const decideHint = `${code('./alfred approvals show <id>')} shows what it wants to do, and \`approve\` or \`deny\` decides.`;
