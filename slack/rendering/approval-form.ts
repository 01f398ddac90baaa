import type { types } from '@slack/bolt';
import type { ApprovalRow } from '../../contract/ports/index.ts';
import { approvalFields, approvalFormId } from './actions.ts';
import { preformattedPieces } from './approval-blocks.ts';
import { context, escapeMrkdwn, section } from './mrkdwn.ts';
import { visibleJson } from './visible-json.ts';

/** Characters of the arguments in all. */
const maxArguments = 60_000;
/** Characters of a field. */
const maxField = 3_000;
const maxComment = 2_000;

/** What a person wrote before, and why it was not taken. */
export type FormState = { comment?: string | undefined; edit?: string | undefined; problem?: string | undefined };

/**
 * The form for a decision with a comment or other arguments.
 *
 * @param privateMetadata comes back with what the person submits
 */
export function approvalForm(row: ApprovalRow, privateMetadata: string, state: FormState = {}): types.ModalView {
  const json = visibleJson(row.arguments);
  const isWhole = json.length <= maxArguments;
  return {
    type: 'modal',
    callback_id: approvalFormId,
    private_metadata: privateMetadata,
    title: { type: 'plain_text', text: 'Decide about a call' },
    submit: { type: 'plain_text', text: 'Decide' },
    close: { type: 'plain_text', text: 'Cancel' },
    blocks: [
      ...(state.problem === undefined ? [] : [section(`:warning: ${state.problem.slice(0, 2_900)}`)]),
      section(`*${escapeMrkdwn(row.tool.replaceAll('_', ' ').slice(0, 100))}* with these arguments:`),
      ...preformattedPieces(isWhole ? json : json.slice(0, maxArguments)),
      ...(isWhole
        ? []
        : [context([`This is the beginning. To approve, read all: \`alfred approvals show ${row.id}\``])]),
      decisionField(isWhole),
      textField(approvalFields.comment, 'Comment, which Alfred reads', { value: state.comment, max: maxComment }),
      ...(json.length <= maxField
        ? [textField(approvalFields.edit, 'Other arguments to approve', { value: state.edit ?? json, max: maxField })]
        : []),
    ],
  };
}

const option = (value: string, label: string) => ({ value, text: { type: 'plain_text' as const, text: label } });

const decisionField = (mayApprove: boolean): types.InputBlock => ({
  type: 'input',
  block_id: approvalFields.decision,
  label: { type: 'plain_text', text: 'Decision' },
  element: {
    type: 'radio_buttons',
    action_id: approvalFields.decision,
    options: [...(mayApprove ? [option('approve', 'Approve')] : []), option('deny', 'Deny')],
  },
});

const textField = (
  name: string,
  label: string,
  field: { value: string | undefined; max: number },
): types.InputBlock => ({
  type: 'input',
  block_id: name,
  optional: true,
  label: { type: 'plain_text', text: label },
  element: {
    type: 'plain_text_input',
    action_id: name,
    multiline: true,
    max_length: field.max,
    ...(field.value === undefined || field.value === '' ? {} : { initial_value: field.value }),
  },
});
