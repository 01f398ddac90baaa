import type { types } from '@slack/bolt';
import type { TaskRow } from '../../contract/ports/index.ts';
import type { PersonLink } from '../asking/link-of-person.ts';
import { describeLink } from '../asking/link-words.ts';
import { decideHint, moreApprovals } from '../commands/approval-lines.ts';
import { reasonLines, shownTime, taskLine, type TaskAddress } from '../commands/describe-task.ts';
import { lineBlocks } from '../commands/lines-message.ts';
import { usageNote } from '../commands/usage-lines.ts';
import { escapeMrkdwn } from '../rendering/mrkdwn.ts';

export type HomeContent = {
  /** The subject that the person is. */
  subject: string;
  link: PersonLink | undefined;
  /** Tasks that have not ended, newest first. */
  tasks: TaskRow[];
  hasMoreTasks: boolean;
  approvals: { lines: string[]; hasMore: boolean };
  usage: { title: string; lines: string[] }[];
  now: Date;
};

type HomeView = { type: 'home'; blocks: types.KnownBlock[] };

const header = (text: string): types.HeaderBlock => ({ type: 'header', text: { type: 'plain_text', text } });
const divider: types.DividerBlock = { type: 'divider' };

/** The home tab of a person. */
export function homeView(content: HomeContent, addressOf: TaskAddress): HomeView {
  const { subject, link, tasks, hasMoreTasks, approvals, usage, now } = content;
  const taskLines = tasks.flatMap((task) => [taskLine(task, addressOf), ...reasonLines(task)]);
  return {
    type: 'home',
    blocks: [
      header('What I am working on for you'),
      ...lineBlocks(
        taskLines.length > 0 ? taskLines : ['Nothing at the moment. Write to me under _Messages_.'],
        hasMoreTasks ? ['There are more: `/alfred tasks`.'] : [],
      ),
      divider,
      header('What waits for your decision'),
      ...(approvals.lines.length > 0
        ? lineBlocks(approvals.lines, [decideHint, ...(approvals.hasMore ? [moreApprovals] : [])])
        : lineBlocks(['Nothing.'])),
      divider,
      header('What was spent'),
      ...lineBlocks(
        usage.flatMap(({ title, lines }) => [`*${title}*`, ...lines]),
        [usageNote],
      ),
      divider,
      ...lineBlocks(
        [],
        [
          `Here you are ${escapeMrkdwn(subject)}. ${describeLink(link ?? { state: 'none' })}`,
          ...(link?.state === 'counts'
            ? []
            : ['So this is about your direct messages alone. `/alfred link` links your Slack user.']),
          `As of ${shownTime(now.toISOString())}. It is read again when you open this page.`,
        ],
      ),
    ],
  };
}

/** For a person whom Alfred does not answer. */
export const refusedHome = (why: string): HomeView => ({ type: 'home', blocks: lineBlocks([escapeMrkdwn(why)]) });
