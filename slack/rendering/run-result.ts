import type { types } from '@slack/bolt';
import { defaultMessageOf, isErrorCode } from '../../contract/errors.ts';
import type { NotifiedRun } from '../../contract/ports/index.ts';
import { oneLine } from './cut.ts';
import { clip, clipText, escapeMrkdwn, section } from './mrkdwn.ts';
import type { SlackMessage } from './slack-message.ts';
import type { TaskView } from './task-view.ts';

/** Characters of a title. */
export const maxTitle = 250;

/** The name of a schedule, above what it posts. */
export const titleBlock = (name: string): types.SectionBlock =>
  section(clip(`:calendar: *${escapeMrkdwn(oneLine(name, 150))}*`, maxTitle));

/** By code and meaning: a message of an error may name what only the person of the schedule may read. */
function describeFailure(what: string, code: string): string {
  const meaning = isErrorCode(code) ? ` ${escapeMrkdwn(defaultMessageOf(code))}` : '';
  return `:warning: *${what}*${meaning} (\`${escapeMrkdwn(code)}\`)`;
}

/**
 * A task without what its steps, its effects and its errors say: that may name what only the person of the schedule may
 * read. Text and files count only as an answer.
 */
export function answerAlone(view: TaskView): TaskView {
  const isAnswer = view.status === 'completed' || view.status === 'incomplete';
  return { ...view, steps: [], effects: [], text: isAnswer ? view.text : '', files: isAnswer ? view.files : [] };
}

/** How a run ended, as mrkdwn, unless the answer says everything. */
export function describeRunEnd({ status, text, error }: TaskView): string | undefined {
  switch (status) {
    case 'failed':
      return describeFailure('This run has failed.', error?.code ?? 'internal');
    case 'cancelled':
      return ':octagonal_sign: *This run was stopped before its end.*';
    case 'incomplete':
      return ':warning: *Incomplete.* This run reached its budget before the answer was complete.';
    default:
      return text.trim() === '' ? 'The answer is empty.' : undefined;
  }
}

/** A run of a schedule that could not begin. */
export function renderRunFailure({ name, code }: NotifiedRun): SlackMessage {
  const title = titleBlock(name);
  const text = describeFailure('This run could not begin.', code);
  return { text: clipText(`${title.text?.text ?? ''} ${text}`), blocks: [title, section(text)] };
}
