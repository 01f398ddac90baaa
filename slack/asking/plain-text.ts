/**
 * The text of a message as the person wrote it, without the mention of Alfred. Slack writes links as `<address|words>`,
 * people as `<@id>`, channels as `<#id|name>`, and `&`, `<`, `>` as entities:
 * https://docs.slack.dev/messaging/formatting-message-text
 */
export const plainTextOf = (text: string, botUserId: string): string =>
  text
    .replaceAll(new RegExp(`<@${botUserId}(?:\\|[^>]*)?>`, 'g'), ' ')
    .replaceAll(/<([^<>]*)>/g, (_, inside: string) => wordsOf(inside))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replaceAll(/[^\S\n]+/g, ' ')
    .trim();

function wordsOf(inside: string): string {
  const [target = '', label] = inside.split('|');
  if (target.startsWith('@')) return `@${label ?? target.slice(1)}`;
  if (target.startsWith('#')) return `#${label ?? target.slice(1)}`;
  // <!here>, <!subteam^id|@name>, <!date^…|words>
  if (target.startsWith('!')) return label ?? `@${target.slice(1).split('^')[0]}`;
  return label === undefined || target.endsWith(label) ? target.replace(/^mailto:/, '') : `${label} (${target})`;
}

/** The people that a message names, by their ids. */
export const mentionsIn = (text: string): string[] => [...text.matchAll(/<@([A-Z0-9]+)/g)].map(([, id = '']) => id);
