import type { types } from '@slack/bolt';
import { approvalBlocks } from './approval-blocks.ts';
import { citationBlocks, notGrounded } from './citation-blocks.ts';
import { oneLine } from './cut.ts';
import { feedbackButtons } from './feedback-buttons.ts';
import { fileBlocks } from './file-blocks.ts';
import { formatDollars, formatDuration } from '../../contract/rules/format.ts';
import { maxBelow, maxElements, maxMarkdown, maxRows, maxSection } from './limits.ts';
import { clip, clipText, context, escapeMrkdwn, mrkdwnLink, section, toMrkdwn } from './mrkdwn.ts';
import { describeEnd } from './outcome.ts';
import { personMrkdwn } from './people.ts';
import { answerAlone, describeRunEnd, maxTitle, titleBlock } from './run-result.ts';
import { safeMarkdown } from './safe-markdown.ts';
import type { SlackLinks, SlackMessage } from './slack-message.ts';
import { splitMarkdown } from './split-markdown.ts';
import { runningButtons, stoppedButtons } from './task-buttons.ts';
import { isWait, type TaskStep, type TaskView } from './task-view.ts';

const limits = { max: maxMarkdown, maxRows, maxElements };
/** Blocks below the Markdown of a message; its own blocks may be twice `maxElements`. */
const maxBlocksBelow = 9;
/** Markdown of a message with calls that wait for a person, whose arguments need room. */
const maxBesideCalls = 4_000;

/** The final messages of a task, in order. The same view gives the same messages. */
export function renderFinal(shown: TaskView, links: SlackLinks): SlackMessage[] {
  const view = links.isUnasked ? answerAlone(shown) : shown;
  const title = links.title === undefined ? [] : [titleBlock(links.title)];
  const max = maxMarkdown - (title.length > 0 ? maxTitle : 0);
  const messages = splitMarkdown(safeMarkdown(view.text), { ...limits, max })
    .filter(({ text }) => text.trim() !== '')
    .map(({ text }): SlackMessage => ({ text: toMrkdwn(text), blocks: [{ type: 'markdown', text }] }));
  const end = links.isUnasked ? describeRunEnd(view) : describeEnd(view, links);
  const below: types.KnownBlock[] = [
    ...(view.status === 'completed' ? [] : stepBlocks(view.steps)),
    ...(end === undefined ? [] : [section(clip(end, maxSection))]),
    ...stoppedButtons(view, links.taskId),
    ...(view.grounded === false ? [context([notGrounded])] : []),
    ...fileBlocks(view.files, links),
    ...citationBlocks(view.citations, links),
    context([footer(view, links)]),
    ...feedbackButtons(view, links.taskId),
  ];
  const last = messages.at(-1);
  if (last && below.length <= maxBlocksBelow && sizeOf(below) <= maxBelow) last.blocks.push(...below);
  else messages.push(...blockMessages(below));
  messages[0]?.blocks.unshift(...title);
  return messages;
}

/** `knowledge · $0.0123 · 3.2 s · task · Temporal` */
function footer({ usage, startedAt, endedAt }: TaskView, { agent, task, temporal }: SlackLinks): string {
  return [
    escapeMrkdwn(agent),
    ...(usage ? [escapeMrkdwn(formatDollars(usage.costUsd))] : []),
    ...(startedAt && endedAt ? [formatDuration(Date.parse(endedAt) - Date.parse(startedAt))] : []),
    ...(task === undefined ? [] : [mrkdwnLink(task, 'task')]),
    ...(temporal === undefined ? [] : [mrkdwnLink(temporal, 'Temporal')]),
  ].join(' · ');
}

/** Blocks in as many messages as they need. */
function blockMessages(blocks: types.KnownBlock[]): SlackMessage[] {
  const groups: types.KnownBlock[][] = [];
  for (const block of blocks) {
    const group = groups.at(-1);
    if (group && sizeOf([...group, block]) <= maxMarkdown) group.push(block);
    else groups.push([block]);
  }
  return groups.map((group) => ({ text: clipText(textsOf(group).join('\n')), blocks: group }));
}

const textsOf = (blocks: types.KnownBlock[]): string[] =>
  blocks.flatMap((block) => {
    if (block.type === 'section') return [block.text?.text ?? ''];
    if (block.type === 'context') return block.elements.map((element) => ('text' in element ? element.text : ''));
    return [];
  });

const sizeOf = (blocks: types.KnownBlock[]) => textsOf(blocks).reduce((sum, text) => sum + text.length, 0);

const marks = {
  pending: ':white_small_square:',
  running: ':hourglass_flowing_sand:',
  done: ':white_check_mark:',
  error: ':x:',
} as const;
const shownSteps = 5;

function stepLine({ title, state, details, by }: TaskStep): string {
  const line = `${marks[state]} ${escapeMrkdwn(oneLine(title, 120))}`;
  if (!details) return line;
  const shown = escapeMrkdwn(oneLine(details, 120));
  return `${line} – ${by === undefined ? shown : shown.replace(escapeMrkdwn(by), () => personMrkdwn(by))}`;
}

function stepBlocks(all: TaskStep[]): types.KnownBlock[] {
  const steps = all.filter((step) => !isWait(step));
  if (steps.length === 0) return [];
  const earlier = steps.length - shownSteps;
  const lines = steps.slice(-shownSteps).map(stepLine);
  return [context([...(earlier > 0 ? [`${earlier} earlier steps`] : []), ...lines])];
}

/** What one message shows while the task runs: the steps, the text so far, and what the task waits for. */
export function renderProgress(view: TaskView, links: Pick<SlackLinks, 'taskId'> = {}): SlackMessage {
  const max = view.approvals.length > 0 ? maxBesideCalls : maxMarkdown;
  const [part, more] = splitMarkdown(safeMarkdown(view.text), { ...limits, max }).filter(
    ({ text }) => text.trim() !== '',
  );
  const end = describeEnd(view, links);
  const state = `Alfred ${view.statusText || 'is working …'}`;
  const blocks: types.KnownBlock[] = [
    ...stepBlocks(view.steps),
    ...(part ? [{ type: 'markdown' as const, text: part.text }] : []),
    ...(more ? [context(['The text goes on. All of it is shown when it is complete.'])] : []),
    end === undefined ? context([escapeMrkdwn(state)]) : section(clip(end, maxSection)),
    ...approvalBlocks(view.approvals, links.taskId),
    ...(links.taskId === undefined ? [] : [runningButtons(view, links.taskId)]),
  ];
  return { text: part ? toMrkdwn(part.text) : clipText(end ?? escapeMrkdwn(state)), blocks };
}
