import { Option, type Command } from 'commander';
import type { Terminal } from '../terminal/terminal.ts';
import { wholeNumber } from './number-options.ts';

/** The options of every list. */
export type ListOptions = { limit?: number; cursor?: string; all?: boolean; json?: boolean };

/** Whose things a list has. */
type Whose = 'own' | 'shared' | 'tenant';
export type OfOption = { of?: Whose };

const meanings: Record<Whose, string> = {
  own: 'yours, as without this option',
  shared: 'those of others that are shared with you',
  tenant: 'of everybody, without what is in them; needs a role',
};

/** For lists that may have things of others. */
export const ofOption = (...choices: Whose[]) => {
  const described = choices.filter((choice) => choice !== 'own').map((choice) => `${choice}: ${meanings[choice]}`);
  return new Option('--of <whose>', described.join('; ')).choices(choices);
};

type Page<T> = { items: T[]; nextCursor: string | null };
type Pages<T> = {
  /** Reads one page. */
  read: (query: { limit: number; cursor: string | undefined }) => Promise<Page<T>>;
  /** The most that one page holds. */
  pageSize: number;
  /** How many to list when the caller does not say. */
  usual: number;
};

/** Adds --limit, --cursor, --all and --json. */
export function addListOptions(
  list: Command,
  { usual, all = 'all of them, unless --limit says how many' }: { usual: number; all?: string },
): Command {
  const limit = usual === Infinity ? 'how many; default: all' : `how many; default: ${usual}`;
  return list
    .option('-n, --limit <number>', limit, wholeNumber({ from: 1, like: 50 }))
    .option('--cursor <next>', 'go on where an earlier list ended: its nextCursor')
    .option('--all', all)
    .option('--json', 'as JSON, with nextCursor: null at the end');
}

/** Reads as many pages as the options ask for. */
export async function readPages<T>({ limit, cursor, all }: ListOptions, pages: Pages<T>): Promise<Page<T>> {
  const wanted = limit ?? (all ? Infinity : pages.usual);
  const items: T[] = [];
  let next: string | null = cursor ?? null;
  do {
    const page = await pages.read({
      limit: Math.min(pages.pageSize, wanted - items.length),
      cursor: next ?? undefined,
    });
    items.push(...page.items);
    next = page.nextCursor;
  } while (next !== null && items.length < wanted);
  return { items, nextCursor: next };
}

/** Says how to list the rest. */
export function noteMore({ nextCursor }: { nextCursor: string | null }, terminal: Terminal) {
  if (nextCursor !== null)
    terminal.note(`There are more: --cursor ${nextCursor} shows the next, --all all of them.`, 'dim');
}
