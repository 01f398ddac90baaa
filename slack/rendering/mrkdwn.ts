import type { types } from '@slack/bolt';
import { characterEnd } from './cut.ts';
import { maxTextBytes } from './limits.ts';
import { withoutMentions } from './mentions.ts';

// Slack's own markup, `mrkdwn`: for `text`, sections and context blocks.
// https://docs.slack.dev/messaging/formatting-message-text

/** Plain text as mrkdwn. */
export const escapeMrkdwn = (text: string): string =>
  withoutMentions(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A link; only its text where the address is not one of the web. */
export function mrkdwnLink(url: string | undefined, text: string): string {
  if (url === undefined || !/^https?:\/\/[^\s<>|]+$/.test(url)) return escapeMrkdwn(text);
  return `<${url.replaceAll('&', '&amp;')}|${escapeMrkdwn(text).replaceAll('|', '¦')}>`;
}

export const section = (mrkdwn: string): types.SectionBlock => ({
  type: 'section',
  text: { type: 'mrkdwn', text: mrkdwn },
});

/** @param lines mrkdwn, one element each; Slack takes ten */
export const context = (lines: string[]): types.ContextBlock => ({
  type: 'context',
  elements: lines.map((text) => ({ type: 'mrkdwn', text })),
});

/**
 * Markdown as mrkdwn, for notifications and screen readers: headings and bold, italics, links, lists, code. Line by
 * line and in linear time; what it does not know stays as it is written.
 */
export function toMrkdwn(markdown: string): string {
  let isCode = false;
  const lines = markdown
    .slice(0, characterEnd(markdown, 0, maxTextBytes))
    .split('\n')
    .map((line) => {
      if (/^\s*(?:```|~~~)/.test(line)) {
        isCode = !isCode;
        return '```';
      }
      return isCode ? escapeMrkdwn(line) : lineToMrkdwn(line);
    });
  if (isCode) lines.push('```');
  return clipText(lines.join('\n').trim());
}

function lineToMrkdwn(line: string): string {
  const heading = /^ {0,3}#{1,6}[ \t]+(.*)$/.exec(line);
  if (heading) return `*${inlineToMrkdwn(heading[1]!.replaceAll('**', '')).trim()}*`;
  const item = /^([ \t]*)[-*+][ \t]+(.*)$/.exec(line);
  if (item) return `${item[1]}• ${inlineToMrkdwn(item[2]!)}`;
  const quote = /^[ \t]*>[ \t]?(.*)$/.exec(line);
  if (quote) return `>${inlineToMrkdwn(quote[1]!)}`;
  return inlineToMrkdwn(line);
}

const inline =
  /`[^`]+`|!?\[([^[\]]{0,400})\]\((https?:[^\s()<>|]{1,2000})\)|\*\*([^*]+)\*\*|__([^_]+)__|~~([^~]+)~~|(?<![\p{L}\p{N}*])\*([^\s*][^*]*)\*(?!\*)/gu;

function inlineToMrkdwn(text: string): string {
  let result = '';
  let end = 0;
  for (const match of text.matchAll(inline)) {
    const [all, label, url, bold, boldToo, strike, italic] = match;
    result += escapeMrkdwn(text.slice(end, match.index));
    if (url !== undefined) result += mrkdwnLink(url, label || url);
    else if (bold !== undefined || boldToo !== undefined) result += `*${escapeMrkdwn((bold ?? boldToo)!)}*`;
    else if (strike !== undefined) result += `~${escapeMrkdwn(strike)}~`;
    else result += italic === undefined ? escapeMrkdwn(all) : `_${escapeMrkdwn(italic)}_`;
    end = match.index + all.length;
  }
  return result + escapeMrkdwn(text.slice(end));
}

/** Cut to the length, but neither in an entity nor in a link. */
export const clip = (mrkdwn: string, max: number): string =>
  mrkdwn.length <= max
    ? mrkdwn
    : `${mrkdwn.slice(0, characterEnd(mrkdwn, 0, max - 1)).replace(/(?:&[a-z]{0,3}|<[^<>]*)$/, '')}…`;

/** Cut to what `text` of a message may have. */
export function clipText(mrkdwn: string): string {
  let text = mrkdwn;
  for (let bytes = Buffer.byteLength(text); bytes > maxTextBytes; bytes = Buffer.byteLength(text))
    text = clip(text, Math.floor((text.length * maxTextBytes) / bytes) - 1);
  return text;
}
