/** Code, in which template markup is an example and stays: fenced blocks, and spans within a line. */
const code =
  /^ {0,3}(?<fence>`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^ {0,3}\k<fence>[`~]*[^\S\n]*$|(?![\s\S]))|(?<!`)(?<ticks>`{1,3})(?!`)[^`\n]{1,2000}\k<ticks>(?!`)/;

/** What Liquid shows as it stands, or not at all. */
const rawBlock = /\{%-?\s*raw\s*-?%\}(?<raw>[\s\S]*?)\{%-?\s*endraw\s*-?%\}/;
const commentBlock =
  /\{%-?\s*comment\s*-?%\}[\s\S]*?\{%-?\s*endcomment\s*-?%\}|\{#[^{}]{0,2000}#\}|\{\/\*[^{}]{0,2000}\*\/\}/;

/** Liquid, Jinja and Hugo: `{% if %}`, `{{ page.title }}`, `{{< note >}}`, and Kramdown's `{: .class }`. */
const tags = /\{%[^{}]{0,2000}%\}|\{\{[^{}]{0,2000}\}\}|\{:[^{}\n]{0,500}\}/;

/** Lines of MDX that are program code: imports and exports. */
const moduleLine =
  /^import\s(?:[\w*{][^'"\n]*?(?:\n[^'"\n]*?){0,30}?\sfrom\s+)?['"][^'"\n]{1,300}['"];?[^\S\n]*$|^export\s+(?:const|let|var|function|default)\s[^\n]*(?:\n[^\n]*\S[^\n]*){0,60}/;

/**
 * Components of MDX have capitalised names; all capitals are HTML. What stands between their tags is text, and so is a
 * title or label.
 */
const component =
  /<\/?[A-Z][A-Z0-9.]{0,20}[a-z][\w.]{0,80}(?:\s(?:[^<>{}]|=>|\{(?:[^{}]|\{[^{}]{0,500}\}){0,1000}\}){0,2000})?\/?>|<\/?>/;

const shownAttribute = /\s(?:title|label|summary|heading|header|caption|alt)=(?:"([^"]*)"|'([^']*)')/g;

const all = new RegExp(
  [code, rawBlock, commentBlock, tags, moduleLine, component].map(({ source }) => `(?:${source})`).join('|'),
  'gm',
);

/**
 * Removes what a generator of web sites replaces: tags of Liquid (Jekyll) and Hugo, and of MDX imports, exports,
 * comments and component tags. Their titles and labels stay, and so do examples in code.
 */
export function withoutTemplateMarkup(text: string): string {
  if (!/\{[%{<:#/]|^(?:import|export)\s|<\/?[A-Z>]/m.test(text)) return text;
  return text.replace(all, (match: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as { fence?: string; ticks?: string; raw?: string };
    if (groups.fence !== undefined || groups.ticks !== undefined) return match;
    if (groups.raw !== undefined) return groups.raw;
    const shown = [...match.matchAll(shownAttribute)].map(([, double, single]) => double ?? single ?? '').join(' ');
    return shown && `\n\n${shown}\n\n`;
  });
}
