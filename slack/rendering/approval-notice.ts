import type { NotifiedApproval } from '../../contract/ports/index.ts';
import { oneLine } from './cut.ts';
import { maxSection } from './limits.ts';
import { clip, clipText, context, escapeMrkdwn, mrkdwnLink, section } from './mrkdwn.ts';
import { approversMrkdwn, personMrkdwn } from './people.ts';
import type { SlackMessage } from './slack-message.ts';

type Links = { task: (taskId: string) => string | undefined };

const marks = { approved: ':white_check_mark:', denied: ':no_entry:' } as const;

const goneText = ':heavy_minus_sign: This call does not wait for an approval any more.';
export const goneApproval: SlackMessage = { text: goneText, blocks: [section(goneText)] };

/**
 * A call that waits for a person, or what became of it: who may decide and where, without its arguments.
 *
 * @param isEscalated it has waited for long
 */
export function renderApproval(approval: NotifiedApproval, isEscalated: boolean, links: Links): SlackMessage {
  const { id, agent, taskId, status } = approval;
  const tool = `*${escapeMrkdwn(oneLine(approval.tool.replaceAll('_', ' '), 100))}*`;
  const task = `${escapeMrkdwn(agent)}, ${mrkdwnLink(links.task(taskId), taskId)}`;
  const text = status === 'pending' ? describeWait(approval, tool, isEscalated) : describeOutcome(approval, tool);
  const hint = `\`alfred approvals show ${id}\` shows what it wants to do, and \`approve\` or \`deny\` decides.`;
  return {
    text: clipText(text),
    blocks: [section(clip(text, maxSection)), context(status === 'pending' ? [task, hint] : [task])],
  };
}

function describeWait(
  { approvers, fourEyes, onExpiry, expiresAt }: NotifiedApproval,
  tool: string,
  isEscalated: boolean,
) {
  const others = fourEyes ? ', and not by who asked' : '';
  const until = `${expiresAt.slice(0, 16).replace('T', ' ')} UTC`;
  return [
    isEscalated
      ? `:alarm_clock: ${tool} still waits for an approval, and is escalated.`
      : `:raised_hand: ${tool} waits for an approval.`,
    `It is to be decided by ${clip(approversMrkdwn(approvers), 1_000)}${others}.`,
    `Until ${until}, then it ${onExpiry === 'approve' ? 'runs' : 'does not run'}.`,
  ].join(' ');
}

function describeOutcome({ status, decidedBy, runs }: NotifiedApproval, tool: string): string {
  if (status === 'withdrawn')
    return `:heavy_minus_sign: ${tool} does not wait any more: its task has ended, or goes on without this call.`;
  const mark = runs ? marks.approved : marks.denied;
  const how = runs ? 'was approved' : 'was denied';
  if (decidedBy === null) return `${mark} ${tool} ${how}: no one had decided in time, and its rule says so.`;
  return `${mark} ${tool} ${how} by ${personMrkdwn(decidedBy)}.`;
}
