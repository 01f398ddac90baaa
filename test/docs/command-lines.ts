import type { Command } from 'commander';
import type { Page } from './read-pages.ts';

export type CommandLine = { words: string[]; line: number };

const shells = ['sh', 'console'];

/** Every call of the command line that a page shows: in blocks of commands, and in code spans. */
export function commandLinesOf({ blocks, spans }: Page): CommandLine[] {
  const inBlocks = blocks
    .filter(({ language }) => shells.includes(language))
    .flatMap(({ text, line }) => linesOf(text).map(([content, at]) => ({ text: content, line: line + 1 + at })));
  return [...inBlocks, ...spans].flatMap(({ text, line }) => callsIn(text).map((words) => ({ words, line })));
}

/** Lines of a script, with continued ones as one. @returns each with its number, from 0 */
function linesOf(script: string): [string, number][] {
  const lines: [string, number][] = [];
  let isContinued = false;
  for (const [at, line] of script.split('\n').entries()) {
    const last = lines.at(-1);
    const content = line.replace(/\\$/, '');
    if (isContinued && last) last[0] += content;
    else lines.push([content, at]);
    isContinued = line.endsWith('\\');
  }
  return lines;
}

/** The words of each `alfred` or `./alfred` in a line, up to the end of its command. */
export function callsIn(line: string): string[][] {
  const withoutQuotes = line.replace(/'[^']*'|"[^"]*"/g, 'quoted').replace(/(^|\s)#.*$/, '');
  return withoutQuotes
    .split(/\||&&|;|\$\(|\)/)
    .map((command) => command.trim().split(/\s+/))
    .flatMap((words) => {
      const at = words.findIndex((word) => word === './alfred' || word === 'alfred');
      const isCall = at >= 0 && words.slice(0, at).every((word) => isPrefix(word));
      return isCall && words.length > at + 1 ? [words.slice(at + 1)] : [];
    });
}

/** What may stand before a command: `NAME=value`, `exec api` of Compose, and the like. */
const isPrefix = (word: string) => !/^[A-Z][a-z]/.test(word);

/** @returns what is wrong with a call, if anything: an unknown command or option */
export function faultOfCall(program: Command, words: readonly string[]): string | undefined {
  let command = program;
  for (const [index, word] of words.entries()) {
    if (/^[>2&<]/.test(word)) return undefined;
    if (word.startsWith('-')) {
      const name = word.replace(/[=,].*$/, '');
      if (!isOption(command, name)) return `\`${command.name()}\` has no option ${name}`;
      continue;
    }
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (next) command = next;
    else if (command === program && !isPlaceholder(word)) return `there is no command \`${word}\``;
    else if (command.commands.length > 0 && index > 0 && words[index - 1] === command.name() && !isPlaceholder(word))
      return `\`${command.name()}\` has no command \`${word}\``;
  }
  return undefined;
}

const isPlaceholder = (word: string) => /^[<…$[]|^quoted|^help$|^x$/.test(word) || word === '…';

/** A group lists when no verb is named, so it has the options of its `list`. */
function isOption(command: Command, name: string): boolean {
  if (['--help', '-h'].includes(name)) return true;
  const own = command.options.some(({ long, short }) => long === name || short === name);
  const list = command.commands.find((one) => one.name() === 'list');
  return own || (list !== undefined && isOption(list, name));
}
