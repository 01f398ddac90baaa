import type { types } from '@slack/bolt';
import { actionIds, approvalValue } from './actions.ts';
import { characterEnd, oneLine, piecesOf } from './cut.ts';
import { clip, context, escapeMrkdwn, section } from './mrkdwn.ts';
import { approversMrkdwn } from './people.ts';
import type { PendingCall } from './task-view.ts';
import { visibleJson } from './visible-json.ts';

/** So many are shown at a time. The next follow when these are decided. */
const shownApprovals = 5;
/** Characters of the arguments of all of them. */
const maxArguments = 5_000;
/** Of one block. Slack does not say how many it takes. */
const maxPreformatted = 3_000;

export const button = (
  actionId: string,
  label: string,
  more: Pick<types.Button, 'value' | 'style' | 'confirm'>,
): types.Button => ({ type: 'button', action_id: actionId, text: { type: 'plain_text', text: label }, ...more });

/** Text as it is: it has no markup, and mentions no person. */
export const preformatted = (text: string): types.RichTextBlock => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text }] }],
});

/** The same in as many blocks as it needs. */
export const preformattedPieces = (text: string): types.RichTextBlock[] =>
  piecesOf(text, (start) => characterEnd(text, start, maxPreformatted)).map(preformatted);

const confirm: types.ConfirmationDialog = {
  title: { type: 'plain_text', text: 'Approve this call?' },
  text: { type: 'plain_text', text: 'Alfred makes it at once, with these arguments.' },
  confirm: { type: 'plain_text', text: 'Approve' },
  deny: { type: 'plain_text', text: 'Cancel' },
};

/** The calls that wait for a person, each with its arguments and the buttons that decide. */
export function approvalBlocks(approvals: PendingCall[], taskId: string | undefined): types.KnownBlock[] {
  const shown = approvals.slice(0, shownApprovals);
  const more = approvals.length - shown.length;
  return [
    ...shown.flatMap((call) => blocksOf(call, taskId, Math.floor(maxArguments / shown.length))),
    ...(more > 0 ? [context([`${more} more wait. They are shown when these are decided.`])] : []),
  ];
}

function blocksOf(call: PendingCall, taskId: string | undefined, maxLength: number): types.KnownBlock[] {
  const { id: approvalId, tool, arguments: args, argumentsHash, approvers, fourEyes } = call;
  const json = visibleJson(args);
  const isWhole = json.length <= maxLength;
  const who = clip(approversMrkdwn(approvers), 1_000);
  const others = fourEyes ? ', and not by who asked' : '';
  const head = `*${escapeMrkdwn(oneLine(tool.replaceAll('_', ' '), 100))}* is to be decided by ${who}${others}:`;
  const value = approvalValue({ taskId: taskId ?? '', approvalId, argumentsHash });
  return [
    section(head),
    ...preformattedPieces(isWhole ? json : `${json.slice(0, characterEnd(json, 0, maxLength - 1))}…`),
    ...(isWhole ? [] : [context(['This is the beginning of the arguments. _Review_ shows all of them.'])]),
    taskId === undefined
      ? context([`\`alfred approvals approve ${approvalId}\`, or \`deny\``])
      : {
          type: 'actions',
          elements: [
            // What is not shown whole is approved where it is.
            ...(isWhole ? [button(actionIds.approve, 'Approve', { value, style: 'primary', confirm })] : []),
            button(actionIds.deny, 'Deny', { value, style: 'danger' }),
            button(actionIds.review, 'Review …', { value }),
          ],
        },
  ];
}
