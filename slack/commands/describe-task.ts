import type { TaskRow } from '../../contract/ports/index.ts';
import { oneLine } from '../rendering/cut.ts';
import { formatDollars } from '../../contract/rules/format.ts';
import { escapeMrkdwn, mrkdwnLink } from '../rendering/mrkdwn.ts';

export type TaskAddress = (task: { agent: string; taskId: string }) => string | undefined;

const maxAsked = 150;

/** A time as Slack shows it in the zone of the reader. */
export const shownTime = (iso: string): string =>
  `<!date^${Math.floor(Date.parse(iso) / 1_000)}^{date_short_pretty} {time}|${iso.slice(0, 16).replace('T', ' ')} UTC>`;

/** A task in one line. */
export function taskLine({ id, agent, status, asked, createdAt }: TaskRow, addressOf: TaskAddress): string {
  const what = asked === null || asked === undefined || asked === '' ? agent : oneLine(asked, maxAsked);
  const link = mrkdwnLink(addressOf({ agent, taskId: id }), what);
  return `• *${status}* ${link} (${shownTime(createdAt)})\n   \`${id}\``;
}

/** Why a task waits, or why it has no answer. */
export function reasonLines({ waiting, error }: Pick<TaskRow, 'waiting' | 'error'>): string[] {
  return [
    ...(waiting === null ? [] : [`It waits: ${escapeMrkdwn(waiting.message)}`]),
    ...(error === null ? [] : [`${escapeMrkdwn(error.message)} (\`${error.code}\`)`]),
  ];
}

/** All that is known of a task but its answer. */
export function taskLines(task: TaskRow, addressOf: TaskAddress): string[] {
  const { agent, model, usage, startedAt, endedAt } = task;
  return [
    taskLine(task, addressOf),
    ...reasonLines(task),
    `Agent ${escapeMrkdwn(agent)}${model === null ? '' : `, model ${escapeMrkdwn(model)}`}, ${formatDollars(usage.costUsd)} in ${usage.modelCalls} ${usage.modelCalls === 1 ? 'model call' : 'model calls'}`,
    ...(startedAt === null
      ? []
      : [`Begun ${shownTime(startedAt)}${endedAt === null ? '' : `, ended ${shownTime(endedAt)}`}`]),
  ];
}
