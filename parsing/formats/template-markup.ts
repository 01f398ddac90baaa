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

/**
 * Directives of MkDocs, Docusaurus and MyST: `::: module.name` with its options, which inserts something; `:::note
 * Title` and `:::{figure}`, whose title is text; `:::`; the label `(name)=`; and the place of a table of contents.
 */
const directive =
  /^:::[^\S\n]+[\w.]+\.[\w.]+[^\S\n]*$(?:\n[^\S\n]+[^\n]*)*|^(?<colons>:{3,})[^\S\n]*\{?[\w-]*\}?(?<directiveTitle>[^\n]*)(?:\n:[\w-]+:[^\n]*){0,20}$|^\([\w-]+\)=[^\S\n]*$|^\[\[?_?TOC_?\]\]?[^\S\n]*$/;

/** The mark of a GitHub alert, like `> [!NOTE]`. */
const alert = /^(?<quote>[^\S\n]{0,3}>[^\S\n]*)\[!(?<alertKind>NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]/;

const shownAttribute = /\s(?:title|label|summary|heading|header|caption|alt)=(?:"([^"]*)"|'([^']*)')/g;

const all = new RegExp(
  [code, rawBlock, commentBlock, tags, moduleLine, component, directive, alert]
    .map(({ source }) => `(?:${source})`)
    .join('|'),
  'gm',
);

/**
 * Removes what a generator of web sites replaces: tags of Liquid (Jekyll) and Hugo, and of MDX imports, exports,
 * comments and component tags; of Markdown's extensions directives. Titles and labels stay, and so do examples in code.
 */
export function withoutTemplateMarkup(text: string): string {
  if (!/\{[%{<:#/]|^(?:import|export)\s|<\/?[A-Z>]|^:::|^\([\w-]+\)=|\[!?\[?_?[A-Z]{3}/m.test(text)) return text;
  return text.replace(all, (match: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Record<
      'fence' | 'ticks' | 'raw' | 'directiveTitle' | 'quote' | 'alertKind',
      string | undefined
    >;
    if (groups.fence !== undefined || groups.ticks !== undefined) return match;
    if (groups.raw !== undefined) return groups.raw;
    if (groups.alertKind)
      return `${groups.quote}${groups.alertKind.charAt(0)}${groups.alertKind.slice(1).toLowerCase()}:`;
    if (groups.directiveTitle !== undefined) return titleOfDirective(groups.directiveTitle);
    const shown = [...match.matchAll(shownAttribute)].map(([, double, single]) => double ?? single ?? '').join(' ');
    return shown && `\n\n${shown}\n\n`;
  });
}

/** The title behind a directive's name. Of a directive like figure it is the address of a file. */
function titleOfDirective(rest: string): string {
  const title = rest.trim().replace(/^\[|\]$/g, '');
  return /^[\w./-]*\.\w{2,4}$|^\{/.test(title) ? '' : `\n\n${title}\n\n`;
}
