import { maxMarkdown, maxText } from './limits.ts';
import type { SlackLinks, SlackMessage } from './slack-message.ts';
import type { TaskView } from './task-view.ts';

/** The final messages of a task. The same view gives the same messages. */
export function renderFinal(view: TaskView, _links: SlackLinks): SlackMessage[] {
  const text = view.text || view.error?.message || view.status;
  const messages: SlackMessage[] = [];
  for (let start = 0; start < text.length; start += maxMarkdown)
    messages.push(markdownMessage(text.slice(start, start + maxMarkdown)));
  return messages;
}

/** What one message shows while the task runs. */
export function renderProgress(view: TaskView): SlackMessage {
  return markdownMessage((view.text || 'Working …').slice(0, maxMarkdown));
}

const markdownMessage = (text: string): SlackMessage => ({
  text: text.slice(0, maxText),
  blocks: [{ type: 'markdown', text }],
});
