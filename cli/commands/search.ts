import type { Command } from 'commander';
import { SearchResult, type Evidence, type RankedPassage } from '../../contract/documents.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { formatPlace } from '../../contract/rules/format.ts';
import { wrap } from '../terminal/terminal.ts';

/** A longer passage is cut. */
const maxCharacters = 300;

type Options = { limit: number; collection?: string[]; tag?: string[]; explain?: boolean; json?: boolean };

export function addSearch(program: Command, { api, terminal }: CommandContext) {
  program
    .command('search')
    .description('find passages in the documents')
    .argument('<words...>', 'what to look for')
    .option('-n, --limit <number>', 'passages at most', Number, 6)
    .option('-c, --collection <name...>', 'only documents of these collections')
    .option('-t, --tag <tag...>', 'only documents that carry all of them')
    .option('--explain', 'where each passage stood in the list by words, in the list by meaning, and with the reranker')
    .option('--json', 'as JSON')
    .action(async (words: string[], { limit, collection, tag, explain, json }: Options) => {
      const query = words.join(' ').trim();
      if (!query)
        throw usageError(
          'There is nothing to search for. Write words behind the command: alfred search expense report',
        );
      const filters = { ...(collection && { collections: collection }), ...(tag && { tags: tag }) };
      const result = await api.call('/v1/search', {
        method: 'POST',
        json: { query, limit, ...filters },
        answer: SearchResult,
      });
      if (json) return terminal.printJson(result);
      noteWhatWasSearched(result, (line) => terminal.note(line));
      if (explain) terminal.note(`${result.mode}, ${result.indexVersion}`, 'dim');
      if (result.passages.length === 0)
        return terminal.note('Nothing was found. `alfred documents list` shows what there is.');
      if (explain) terminal.note(`evidence ${result.evidence}: ${result.evidenceReason}`, 'dim');
      if (result.evidence !== 'strong') terminal.note(nearness[result.evidence]);
      for (const passage of result.passages) {
        terminal.printStyled('bold', formatPlace(passage));
        if (explain) terminal.print(`  ${describeScores(passage.scores)}`);
        const text = passage.text.length > maxCharacters ? `${passage.text.slice(0, maxCharacters)} …` : passage.text;
        terminal.print(`${wrap(text, terminal.columns, '  ')}\n`);
      }
    });
}

/** Says where the search differs from what was typed. */
function noteWhatWasSearched({ question, corrections, unknownCodes }: SearchResult, note: (line: string) => void) {
  if (question) note(`Searched for the question in it: ${question}`);
  for (const { from, to } of corrections ?? []) note(`No document has “${from}”: searched for “${to}”.`);
  if (unknownCodes) note(`No document has ${unknownCodes.join(' or ')}.`);
}

/** A note before passages that come less than near. */
const nearness: Record<Exclude<Evidence, 'strong'>, string> = {
  weak: 'These are the nearest; they may be related.',
  none: 'These are the nearest, and none of them is near.',
};

/** The passage's rank and score in each list. */
function describeScores({ lexical, dense, fused, rerank }: RankedPassage['scores']): string {
  const describe = (rank: RankedPassage['scores']['lexical'], digits: number) =>
    rank ? `${rank.rank} (${rank.score.toFixed(digits)})` : 'not in it';
  const lists = `by words ${describe(lexical, 2)} · by meaning ${describe(dense, 3)} · fused ${describe(fused, 4)}`;
  return rerank ? `${lists} · reranked ${describe(rerank, 4)}` : lists;
}
