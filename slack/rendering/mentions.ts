/** Word joiner: has no width, and breaks no line. */
export const joiner = '\u2060';

/** A character, or an entity that Markdown resolves to it, behind a backslash or not. */
const written = (character: string, name: string, code: number) =>
  String.raw`\\?(?:${character}|&${name};|&#0{0,5}${code};|&#x0{0,5}${code.toString(16)};)`;
const lessThan = written('<', 'lt', 60);
const at = written('@', 'commat', 64);
const hash = written('#', 'num', 35);
const bang = written('!', 'excl', 33);

/** `<@U1>`, `<#C1>`, `<!here>`, `<!subteam^S1>` */
const control = new RegExp(
  String.raw`(${lessThan})(?=${at}|${hash}|${bang}\\?(?:here|channel|everyone|group|subteam|date)\b)`,
  'gi',
);
/** `@here`. Behind a letter or a digit Slack sees no mention: an e-mail address stays as it is. */
const plain = new RegExp(String.raw`(?<![a-z0-9])(${at})(?=\\?(?:here|channel|everyone)(?![a-z0-9_]))`, 'gi');

/**
 * The text with an invisible character in each mention, so that Slack notifies no person, channel or group. What a
 * model writes may come from a document that a stranger wrote. Repeating it changes nothing.
 */
export const withoutMentions = (text: string): string =>
  text.replace(control, `$1${joiner}`).replace(plain, `$1${joiner}`);

/** The end of a text that may become a mention with the next characters, or half of a character. */
const unfinished = /(?:\\?[<@&][&#;a-z0-9\\!@<]{0,30}|\\|[\ud800-\udbff])$/i;

/** The text up to where further characters cannot change what `withoutMentions` makes of it. */
export const settledStart = (text: string): string => {
  const tail = unfinished.exec(text.slice(-40));
  return tail ? text.slice(0, text.length - tail[0].length) : text;
};
