import type { types } from '@slack/bolt';
import { actionIds, feedbackFields, feedbackFormId, feedbackValue } from './actions.ts';
import { section } from './mrkdwn.ts';
import type { TaskView } from './task-view.ts';

const plain = (text: string) => ({ type: 'plain_text' as const, text });

/** What people press below an answer. https://docs.slack.dev/reference/block-kit/blocks/context-actions-block */
export function feedbackButtons(
  { status, text }: Pick<TaskView, 'status' | 'text'>,
  taskId: string | undefined,
): types.ContextActionsBlock[] {
  const isAnswer = (status === 'completed' || status === 'incomplete') && text.trim() !== '';
  if (!isAnswer || taskId === undefined) return [];
  return [
    {
      type: 'context_actions',
      elements: [
        {
          type: 'feedback_buttons',
          action_id: actionIds.feedback,
          positive_button: {
            text: plain('Useful'),
            accessibility_label: 'This answer is useful',
            value: feedbackValue({ taskId, value: 'useful' }),
          },
          negative_button: {
            text: plain('Not useful'),
            accessibility_label: 'This answer is not useful',
            value: feedbackValue({ taskId, value: 'not_useful' }),
          },
        },
      ],
    },
  ];
}

export const maxFeedbackComment = 2_000;

/**
 * The form for a comment on an answer that was not useful.
 *
 * @param privateMetadata comes back with what the person submits
 */
export const feedbackForm = (privateMetadata: string, comment: string | null): types.ModalView => ({
  type: 'modal',
  callback_id: feedbackFormId,
  private_metadata: privateMetadata,
  title: plain('Not useful'),
  submit: plain('Send'),
  close: plain('No comment'),
  blocks: [
    section('Thank you: I keep this with the question and the answer, for the people who improve me.'),
    {
      type: 'input',
      block_id: feedbackFields.comment,
      optional: true,
      label: plain('What is wrong, or missing?'),
      element: {
        type: 'plain_text_input',
        action_id: feedbackFields.comment,
        multiline: true,
        max_length: maxFeedbackComment,
        ...(comment === null ? {} : { initial_value: comment }),
      },
    },
  ],
});
