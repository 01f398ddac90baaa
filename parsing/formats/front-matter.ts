import { parse as parseYaml } from 'yaml';
import { fileProblem } from '../file-problem.ts';
import { singleLine } from '../normalise.ts';
import { body, type Unit } from '../chunks/unit.ts';

const fences = [
  { begin: /^\uFEFF?---[^\S\n]*\r?\n/, end: /^(?:---|\.\.\.)[^\S\n]*\r?$/m, read: readYaml },
  { begin: /^\uFEFF?\+\+\+[^\S\n]*\r?\n/, end: /^\+\+\+[^\S\n]*\r?$/m, read: readToml },
];
/** Settings of a page are short. A longer block is not one. */
const maxCharacters = 50_000;

/** What people read or search by, in this order. All other keys are settings of the generator. */
const shownKeys = ['subtitle', 'description', 'summary', 'abstract', 'keywords', 'tags', 'categories'];

export type FrontMatter = { title: string | undefined; units: Unit[] };

/**
 * Splits a page from its front matter: YAML between `---` (Jekyll, Hugo, Docusaurus) or TOML between `+++` (Hugo).
 * A block without a key is a rule and text between rules, so it stays in the page.
 */
export function splitFrontMatter(text: string): { front: FrontMatter | undefined; rest: string } {
  for (const { begin, end, read } of fences) {
    const from = begin.exec(text)?.[0].length;
    if (from === undefined) continue;
    const block = text.slice(from, from + maxCharacters);
    const closing = end.exec(block);
    const values = closing && read(block.slice(0, closing.index));
    if (!closing || !values) continue;
    return { front: frontMatterOf(values), rest: text.slice(from + closing.index + closing[0].length) };
  }
  return { front: undefined, rest: text };
}

function frontMatterOf(values: ReadonlyMap<string, unknown>): FrontMatter {
  return {
    title: textOf(values.get('title')) || undefined,
    units: shownKeys.flatMap((key) => {
      const text = textOf(values.get(key));
      return text ? [body(`${key.charAt(0).toUpperCase()}${key.slice(1)}: ${text}`, { tight: true })] : [];
    }),
  };
}

/** Puts the front matter's text behind the first heading when the page begins with one, so that both are joined. */
export const withFrontMatter = (units: Unit[], front: FrontMatter | undefined): Unit[] => {
  const [first, ...others] = units;
  if (!front || front.units.length === 0) return units;
  return first?.kind === 'heading' ? [first, ...front.units, ...others] : [...front.units, ...units];
};

/** @throws AlfredError `file_empty` when a page has front matter and nothing else */
export function refuseOnlyFrontMatter(name: string, front: FrontMatter | undefined, units: Unit[]) {
  if (!front || units.length > 0) return;
  throw fileProblem(
    'file_empty',
    name,
    'the file holds only front matter, the settings of a page, and no text below it. Write the text and add the file again.',
  );
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).filter(Boolean).join(', ');
  return typeof value === 'string' || typeof value === 'number' ? singleLine(String(value)) : '';
}

/** @returns undefined when the block has no key */
function readYaml(block: string): ReadonlyMap<string, unknown> | undefined {
  if (!/^["']?[\p{L}_][\p{L}\p{N} _.-]*["']?[^\S\n]*:(?:\s|$)/mu.test(block)) return undefined;
  try {
    // Aliases could expand a short block to gigabytes.
    const values: unknown = parseYaml(block, { maxAliasCount: 20 });
    if (typeof values === 'object' && values !== null && !Array.isArray(values)) {
      const byKey = keysInLowerCase(values);
      // A title with a colon that is not quoted was read as a key and a value.
      if (typeof byKey.get('title') !== 'object') return byKey;
    }
  } catch {
    // Templates in values are not YAML, and an unquoted colon is a frequent slip. Plain lines are still read.
  }
  return readLines(block, /^([\w-]+)[^\S\n]*:[^\S\n]*(\S.*)$/gm);
}

function readToml(block: string): ReadonlyMap<string, unknown> | undefined {
  // Keys below a [table] are settings.
  const [top = ''] = block.split(/^[^\S\n]*\[/m);
  const values = readLines(top, /^([\w-]+)[^\S\n]*=[^\S\n]*(\[[^\]]*\]|"""[\s\S]*?"""|'''[\s\S]*?'''|\S.*)$/gm);
  return values.size > 0 ? values : undefined;
}

const readLines = (block: string, line: RegExp) =>
  new Map<string, unknown>(
    [...block.matchAll(line)].map(([, key = '', value = '']) => [key.toLowerCase(), scalarOrList(value.trim())]),
  );

const scalarOrList = (value: string): unknown =>
  value.startsWith('[')
    ? value
        .replace(/^\[|\]$/g, '')
        .split(',')
        .map((item) => unquoted(item.trim()))
    : unquoted(value);

const unquoted = (value: string) => /^("""|'''|["'])([\s\S]*)\1$/.exec(value)?.[2] ?? value;

const keysInLowerCase = (values: object) =>
  new Map<string, unknown>(Object.entries(values).map(([key, value]) => [key.toLowerCase(), value]));
