import type { FeedbackValue } from '../../contract/ports/index.ts';

/** What people can press. The values of buttons hold ids and amounts: what people read stands beside them. */
export const actionIds = {
  approve: 'approval_approve',
  deny: 'approval_deny',
  review: 'approval_review',
  grant: 'budget_grant',
  stop: 'task_stop',
  undo: 'task_undo',
  feedback: 'task_feedback',
} as const;

/** The form in which a person decides about a call with a comment, or with other arguments. */
export const approvalFormId = 'approval_form';
export const approvalFields = { decision: 'decision', comment: 'comment', edit: 'edit' } as const;

/** A call as a person saw it. `argumentsHash`: a decision about other arguments is refused. */
export type AskedApproval = { taskId: string; approvalId: string; argumentsHash: string };

export const approvalValue = ({ taskId, approvalId, argumentsHash }: AskedApproval): string =>
  [taskId, approvalId, argumentsHash].join(' ');

export function approvalOfValue(value: string): AskedApproval {
  const [taskId = '', approvalId = '', argumentsHash = ''] = value.split(' ');
  return { taskId, approvalId, argumentsHash };
}

/** A new total of a limit. */
type AskedGrant = { taskId: string; limit: string; total: number };

export const grantValue = ({ taskId, limit, total }: AskedGrant): string => [taskId, limit, total].join(' ');

export function grantOfValue(value: string): AskedGrant {
  const [taskId = '', limit = '', total = ''] = value.split(' ');
  return { taskId, limit, total: Number(total) };
}

/** The form for a comment on an answer. */
export const feedbackFormId = 'feedback_form';
export const feedbackFields = { comment: 'comment' } as const;

export const feedbackValues = ['useful', 'not_useful'] as const satisfies readonly FeedbackValue[];

type AskedFeedback = { taskId: string; value: FeedbackValue };

export const feedbackValue = ({ taskId, value }: AskedFeedback): string => [taskId, value].join(' ');

/** @returns undefined for a value that no button of an answer has */
export function feedbackOfValue(text: string): AskedFeedback | undefined {
  const [taskId = '', given = ''] = text.split(' ');
  const value = feedbackValues.find((known) => known === given);
  return value && { taskId, value };
}

/** “Ask Alfred about this” in the menu of a message, and its form. The app manifest has the shortcut. */
export const askAboutShortcutId = 'ask_about_message';
export const askAboutFormId = 'ask_about_form';
export const askAboutFields = { question: 'question' } as const;
