import type { ErrorCode } from '../../contract/errors.ts';
import type { Effect, TaskError, Waiting } from '../../contract/task.ts';
import { oneLine } from './cut.ts';
import { clip, escapeMrkdwn } from './mrkdwn.ts';
import type { SlackLinks } from './slack-message.ts';
import type { TaskView } from './task-view.ts';

const askOperator = 'Give the code and the time to the people who run Alfred.';
const askAgain = 'Ask again.';
const askForLess = 'Ask for less at once.';
const changeQuestion = 'Change the question.';

/** What a person in Slack does about an error. For all other codes the people who run Alfred must do something. */
const advice: Partial<Record<ErrorCode, string>> = {
  approval_missing: askAgain,
  budget_exceeded: askForLess,
  database_unavailable: askAgain,
  deadline_exceeded: askForLess,
  index_unavailable: askAgain,
  model_context_overflow: `${askForLess} A new thread begins without what came before.`,
  model_denied: changeQuestion,
  model_loop: changeQuestion,
  model_output_invalid: changeQuestion,
  model_output_limit: 'Ask for a shorter answer.',
  model_outage: askAgain,
  model_rate_limited: 'Ask again in a few minutes.',
  model_refused: changeQuestion,
  model_unavailable: askAgain,
  never_started: askAgain,
  step_limit: askForLess,
  superseded: askAgain,
  temporal_unavailable: askAgain,
  terminated: askAgain,
  timed_out: askAgain,
  tool_failed: askAgain,
  workflow_lost: askAgain,
};

/** A failure as mrkdwn: what was wrong, and what to do. */
export const describeError = ({ code, message }: TaskError): string =>
  `:warning: *This failed.* ${clip(escapeMrkdwn(message), 1_000)}\n${advice[code] ?? askOperator} (\`${code}\`)`;

/** Options of `alfred tasks grant`. */
const grantOptions = {
  maxCostUsd: '--max-cost-usd',
  maxTokens: '--max-tokens',
  maxModelCalls: '--max-model-calls',
  maxDurationS: '--max-duration-s',
} as const;

const command = (text: string) => `\`${escapeMrkdwn(text)}\``;

/** What a person can do about a wait. Most go on by themselves, and their message says so. */
function whatHelps({ reason, limit, scope }: Waiting, taskId = '<task>'): string[] {
  if (reason !== 'budget' || scope !== 'task' || limit === undefined) return [];
  const grant = `alfred tasks grant ${taskId} ${grantOptions[limit]} <new total>`;
  return [`${command(grant)}, or with ${command('--finish')} an end with what there is`];
}

/** Why a task waits, as mrkdwn, and what to do. */
export const describeWaiting = (waiting: Waiting, taskId?: string): string =>
  [
    `:hourglass_flowing_sand: *Waiting.* ${clip(escapeMrkdwn(waiting.message), 1_000)}`,
    ...whatHelps(waiting, taskId),
  ].join('\n');

export const describeEffect = ({ tool, summary, state }: Effect) =>
  `• ${clip(escapeMrkdwn(oneLine(summary ?? tool.replaceAll('_', ' '), 150)), 200)} (${state.replaceAll('_', ' ')})`;

function describeCancelled({ reason, effects = [] }: TaskView): string {
  const shown = effects.slice(0, 10).map(describeEffect);
  return [
    `:octagonal_sign: *Stopped.* ${clip(escapeMrkdwn(oneLine(reason ?? '', 500)), 500)}`,
    effects.length === 0 ? 'Nothing was changed. Ask again to begin from the start.' : 'Done before it stopped:',
    ...shown,
    ...(effects.length > shown.length ? [`and ${effects.length - shown.length} more`] : []),
  ].join('\n');
}

/** How a task ended, as mrkdwn, unless the answer says everything. */
export function describeEnd(view: TaskView, links: Pick<SlackLinks, 'taskId'> = {}): string | undefined {
  switch (view.status) {
    case 'failed':
      return describeError(view.error ?? { code: 'internal', message: 'The task failed.' });
    case 'cancelled':
      return describeCancelled(view);
    case 'incomplete':
      return `:warning: *Incomplete.* The task reached its budget before the answer was complete. ${askForLess}`;
    case 'completed':
      return view.text.trim() === '' ? 'The answer is empty. Ask in other words.' : undefined;
    default:
      return view.waiting && describeWaiting(view.waiting, links.taskId);
  }
}
