import { defaultMessageOf, isErrorCode } from '../../contract/errors.ts';
import type { FailedTask } from '../../contract/ports/index.ts';
import { maxSection } from './limits.ts';
import { clip, clipText, context, escapeMrkdwn, mrkdwnLink, section } from './mrkdwn.ts';
import type { SlackMessage } from './slack-message.ts';

const mostCodes = 10;
const mostTasks = 5;

type Links = { task: (taskId: string) => string | undefined };

/**
 * Which tasks have failed, by error code: with links and what to do, and no word of question, answer or error.
 *
 * @param failed newest first
 */
export function renderFailures(failed: FailedTask[], links: Links): SlackMessage {
  const head =
    failed.length === 1
      ? ':rotating_light: *A task has failed.*'
      : `:rotating_light: *${failed.length} tasks have failed.*`;
  const byCode = [...Map.groupBy(failed, ({ code }) => code ?? 'internal')];
  byCode.sort(([, a], [, b]) => b.length - a.length);
  const shown = byCode.slice(0, mostCodes);
  const others = byCode.slice(mostCodes).reduce((sum, [, tasks]) => sum + tasks.length, 0);
  const blocks = [
    section(head),
    ...shown.map(([code, tasks]) => section(clip(describeCode(code, tasks, links), maxSection))),
    context([
      ...(others > 0 ? [`and ${others} with other codes`] : []),
      '`alfred tasks show &lt;id&gt;` says more. `alfred replay &lt;id&gt;` runs a workflow again from its history, and changes nothing.',
    ]),
  ];
  const codes = shown.map(([code, tasks]) => `${escapeMrkdwn(code)} (${tasks.length})`).join(', ');
  return { text: clipText(`${head} ${codes}`), blocks };
}

function describeCode(code: string, tasks: FailedTask[], links: Links): string {
  const meaning = isErrorCode(code) ? ` ${defaultMessageOf(code)}` : '';
  const count = tasks.length === 1 ? '' : ` (${tasks.length})`;
  const more = tasks.length - mostTasks;
  return [
    `*\`${escapeMrkdwn(code)}\`*${count}${escapeMrkdwn(meaning)}`,
    ...tasks.slice(0, mostTasks).map((task) => describeTask(task, links)),
    ...(more > 0 ? [`and ${more} more`] : []),
  ].join('\n');
}

const describeTask = ({ taskId, agent, endedAt }: FailedTask, { task }: Links): string =>
  `• ${escapeMrkdwn(agent)}, ${endedAt.toISOString().slice(11, 16)} UTC: ${mrkdwnLink(task(taskId), taskId)} · \`alfred replay ${taskId}\``;
