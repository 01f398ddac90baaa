import type { Command } from 'commander';
import { SearchResult } from '../../contract/documents.ts';
import { usageError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { place } from '../format.ts';
import { wrap } from '../terminal.ts';

const shownCharacters = 300;

export function addSearch(program: Command, { api, terminal }: Context) {
  program
    .command('search')
    .description('find passages in the documents')
    .argument('<words...>', 'what to look for')
    .option('-n, --limit <number>', 'passages at most', Number, 6)
    .option('--json', 'as JSON')
    .action(async (words: string[], { limit, json }: { limit: number; json?: boolean }) => {
      const query = words.join(' ').trim();
      if (!query)
        throw usageError(
          'There is nothing to search for. Write words behind the command: alfred search expense report',
        );
      const result = await api.call('/v1/search', { method: 'POST', json: { query, limit }, answer: SearchResult });
      if (json) return terminal.print(JSON.stringify(result, null, 2));
      if (result.passages.length === 0)
        return terminal.note('Nothing was found. `alfred documents list` shows what there is.');
      for (const passage of result.passages) {
        terminal.printStyled('bold', place(passage));
        const text =
          passage.text.length > shownCharacters ? `${passage.text.slice(0, shownCharacters)} …` : passage.text;
        terminal.print(`${wrap(text, terminal.columns, '  ')}\n`);
      }
    });
}
