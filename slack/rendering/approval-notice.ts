import type { NotifiedApproval } from '../../contract/ports/index.ts';
import { oneLine } from './cut.ts';
import { maxSection } from './limits.ts';
import { clip, clipText, context, escapeMrkdwn, mrkdwnLink, section } from './mrkdwn.ts';
import { approversMrkdwn, personMrkdwn } from './people.ts';
import type { SlackMessage } from './slack-message.ts';

type Links = { task: (taskId: string) => string | undefined };

const mostListed = 10;
const marks = { approved: ':white_check_mark:', denied: ':no_entry:' } as const;

const goneText = ':heavy_minus_sign: This call does not wait for an approval any more.';
export const goneApproval: SlackMessage = { text: goneText, blocks: [section(goneText)] };

/**
 * Calls that wait for a person, or what became of them, without their arguments.
 *
 * @param approvals at least one
 * @param isEscalated they have waited for long
 */
export function renderApprovals(approvals: NotifiedApproval[], isEscalated: boolean, links: Links): SlackMessage {
  const waiting = approvals.filter(({ status }) => status === 'pending');
  const [one, ...others] = waiting.length > 0 ? waiting : approvals;
  if (one && others.length === 0) return renderApproval(one, isEscalated, links);
  if (waiting.length === 0) {
    const text = `:heavy_minus_sign: None of these ${approvals.length} calls waits for an approval any more.`;
    return { text, blocks: [section(text)] };
  }
  const head = isEscalated
    ? `:alarm_clock: *${waiting.length} calls still wait for an approval, and are escalated.*`
    : `:raised_hand: *${waiting.length} more calls wait for an approval.*`;
  const more = waiting.length - mostListed;
  const lines = waiting
    .slice(0, mostListed)
    .map((approval) => `• ${toolMrkdwn(approval)}: ${taskMrkdwn(approval, links)}`);
  return {
    text: clipText(head),
    blocks: [
      section(clip([head, ...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'), maxSection)),
      context([
        '`alfred approvals` lists those that wait for you now, `show` says what one wants to do, and `approve` or `deny` decides.',
      ]),
    ],
  };
}

const toolMrkdwn = ({ tool }: NotifiedApproval) => `*${escapeMrkdwn(oneLine(tool.replaceAll('_', ' '), 100))}*`;
const taskMrkdwn = ({ agent, taskId }: NotifiedApproval, links: Links) =>
  `${escapeMrkdwn(agent)}, ${mrkdwnLink(links.task(taskId), taskId)}`;

/** One call: who may decide and where, or the outcome. */
function renderApproval(approval: NotifiedApproval, isEscalated: boolean, links: Links): SlackMessage {
  const { id, status } = approval;
  const tool = toolMrkdwn(approval);
  const task = taskMrkdwn(approval, links);
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
