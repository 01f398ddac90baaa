import { element, link, type Shown } from './shown.ts';

/** Names of people and channels by their ids. */
export type Names = (id: string) => string | undefined;

const emoji: Record<string, string> = {
  hourglass_flowing_sand: '⏳',
  white_check_mark: '✅',
  x: '❌',
  warning: '⚠️',
  eyes: '👀',
  no_entry: '⛔',
  no_entry_sign: '🚫',
  bulb: '💡',
  memo: '📝',
  mag: '🔍',
  rocket: '🚀',
  tada: '🎉',
  thumbsup: '👍',
  thumbsdown: '👎',
};

// What stands between two marks begins and ends with a character that is no space, as in Slack.
const between = (mark: string) =>
  String.raw`(?<![\p{L}\p{N}])${mark}(?!\s)([^${mark}\n]+?)(?<!\s)${mark}(?![\p{L}\p{N}])`;
const inline = new RegExp(
  ['<([^<>|]+)(?:\\|([^<>]*))?>', '`([^`\\n]+)`', between('\\*'), between('_'), between('~'), ':([a-z0-9_+-]+):'].join(
    '|',
  ),
  'gu',
);

/**
 * Slack's own markup as the page shows it.
 * https://docs.slack.dev/messaging/formatting-message-text
 */
export function showMrkdwn(text: string, names: Names): Shown[] {
  return text
    .split(/```([\s\S]*?)```/)
    .flatMap((part, index) =>
      index % 2 === 1 ? [element('pre', [decode(part.replace(/^\n/, ''))])] : showLines(part, names),
    );
}

function showLines(text: string, names: Names): Shown[] {
  const shown: Shown[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const quote = /^(?:>|&gt;) ?(.*)$/.exec(line);
    if (quote) {
      shown.push(element('blockquote', showInline(quote[1]!, names)));
      continue;
    }
    if (index > 0 && (shown.length === 0 || !isQuote(shown.at(-1)!))) shown.push(element('br', []));
    shown.push(...showInline(line, names));
  }
  return shown;
}

const isQuote = (shown: Shown) => typeof shown !== 'string' && shown.tag === 'blockquote';

function showInline(text: string, names: Names): Shown[] {
  const shown: Shown[] = [];
  let end = 0;
  for (const match of text.matchAll(inline)) {
    const [all, target, label, code, bold, italic, strike, name] = match;
    if (match.index > end) shown.push(decode(text.slice(end, match.index)));
    if (target !== undefined) shown.push(showReference(target, label, names));
    else if (code !== undefined) shown.push(element('code', [decode(code)]));
    else if (bold !== undefined) shown.push(element('strong', showInline(bold, names)));
    else if (italic !== undefined) shown.push(element('em', showInline(italic, names)));
    else if (strike !== undefined) shown.push(element('del', showInline(strike, names)));
    else shown.push((name !== undefined && Object.hasOwn(emoji, name) && emoji[name]) || all);
    end = match.index + all.length;
  }
  if (end < text.length) shown.push(decode(text.slice(end)));
  return shown;
}

/** `<https://example.com|words>`, `<@U1>`, `<#C1|general>`, `<!here>`, `<!date^1|words>` */
function showReference(target: string, label: string | undefined, names: Names): Shown {
  const mention = (words: string) => element('span', [words], { kind: 'mention' });
  const rest = target.slice(1);
  switch (target.charAt(0)) {
    case '@':
      return mention(`@${names(rest) ?? label ?? rest}`);
    case '#':
      return mention(`#${names(rest) ?? label ?? rest}`);
    case '!':
      return label === undefined ? mention(`@${rest}`) : decode(label);
    default:
      return link(decode(target), [decode(label || target)]);
  }
}

const decode = (text: string) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
