import type { types } from '@slack/bolt';
import { oneLine } from './cut.ts';
import { context, escapeMrkdwn, mrkdwnLink } from './mrkdwn.ts';
import type { SlackLinks } from './slack-message.ts';
import type { TaskFile } from './task-view.ts';

/** How many files are named; the address of the task has all of them. */
const shownFiles = 9;

/** The files that a task has made: each as a link, where Alfred has an address. */
export function fileBlocks(files: TaskFile[], { task }: Pick<SlackLinks, 'task'>): types.ContextBlock[] {
  if (files.length === 0) return [];
  const lines = files.slice(0, shownFiles).map(({ id, name }) => {
    const shown = oneLine(name, 100);
    return `:page_facing_up: ${task === undefined ? escapeMrkdwn(shown) : mrkdwnLink(`${task}/artifacts/${id}`, shown)}`;
  });
  const more = files.length - lines.length;
  return [context([...lines, ...(more > 0 ? [`and ${more} more`] : [])])];
}
