import { maxContext, maxContextElements, maxSection } from '../rendering/limits.ts';
import { clip, clipText, context, escapeMrkdwn, section } from '../rendering/mrkdwn.ts';
import type { SlackMessage } from '../rendering/slack-message.ts';

/** Of one line. */
const maxLine = 1_000;
const maxCode = 200;
/** A message takes 50 blocks. */
const maxSections = 20;

/**
 * A heading, lines and notes below them, within Slack's limits.
 *
 * @param heading mrkdwn
 * @param lines   mrkdwn
 * @param notes   mrkdwn
 */
export const linesMessage = (heading: string, lines: string[], notes: string[] = []): SlackMessage => ({
  text: clipText([heading, ...lines, ...notes].join('\n')),
  blocks: lineBlocks([heading, ...lines], notes),
});

/** Lines as sections, and notes below them. */
export function lineBlocks(lines: string[], notes: string[] = []) {
  const sections: string[] = [];
  for (const line of lines.map((one) => clip(one, maxLine))) {
    const last = sections.at(-1);
    if (last === undefined || last.length + 1 + line.length > maxSection) sections.push(line);
    else sections[sections.length - 1] = `${last}\n${line}`;
  }
  const small = notes.slice(0, maxContextElements).map((note) => clip(note, maxContext / maxContextElements));
  return [...sections.slice(0, maxSections).map(section), ...(small.length > 0 ? [context(small)] : [])];
}

/** Text to be copied: a command, an id, a word that a person wrote. */
export const code = (text: string): string => `\`${escapeMrkdwn(text.slice(0, maxCode).replaceAll('`', '’'))}\``;
