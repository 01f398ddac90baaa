import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { loadStackConfig } from '../load-stack-config.ts';
import { table } from '../terminal/terminal.ts';
import type { Comparison } from '../eval/answer-scores.ts';
import { wilson, type Interval } from '../eval/measures.ts';

type RetrievalOptions = { corpus: string; json?: boolean; remove?: boolean };

type AnswerOptions = {
  set: string;
  corpus?: string;
  agent: string;
  atOnce: number;
  compare?: string;
  json?: boolean;
};

export function addEval(program: Command, { api, terminal }: CommandContext) {
  const evaluate = program.command('eval').description('measure how good searches and answers are');
  evaluate
    .command('answers')
    .description('ask an agent a set of questions: false “I don’t know”, citations, exact facts, with 95 % intervals')
    .requiredOption('--set <file>', 'JSON, see test/evaluation/README.md')
    .option('--corpus <name>', 'only the questions about these documents')
    .option('-a, --agent <name>', 'which agent', 'knowledge')
    .option('--at-once <number>', 'questions at the same time', Number, 4)
    .option('--compare <file>', 'what an earlier run printed with --json: shows both, and the difference')
    .option('--json', 'every answer, as JSON')
    .action(async ({ set, corpus, agent, atOnce, compare, json }: AnswerOptions) => {
      const { evaluateAnswers } = await import('../eval/answers.ts');
      const { compareAnswers, scoreAnswers } = await import('../eval/answer-scores.ts');
      const { readAnswers } = await import('../eval/read-answers.ts');
      const { readQuestions } = await import('../eval/questions.ts');
      const before = compare === undefined ? undefined : await readAnswers(compare);
      const onProgress = (line: string) => terminal.status(line);
      const answers = await evaluateAnswers(api, await readQuestions(set, corpus), { agent, atOnce, onProgress });
      terminal.clearStatus();
      if (json) return terminal.printJson(answers);
      const rows = Object.entries(scoreAnswers(answers)).map(([what, [n, of]]) => [
        what,
        `${n} of ${of}`,
        formatShare(n, of),
      ]);
      terminal.print(table(rows));
      if (before) terminal.print(`\n${comparisonTable(compareAnswers(before, answers))}`);
      for (const { question, failed } of answers.filter(({ failed }) => failed))
        terminal.note(`${question}: ${failed}`, 'yellow');
    });
  evaluate
    .command('retrieval')
    .description('search a test collection with its questions: nDCG@10, Recall@100, MRR with 95 % intervals')
    .requiredOption('--corpus <folder>', 'in BEIR layout: corpus.jsonl, queries.jsonl, qrels/test.tsv')
    .option('--remove', 'remove what an earlier run stored, and measure nothing')
    .option('--json', 'as JSON')
    .action(async ({ corpus: dir, json, remove }: RetrievalOptions) => {
      const { readCorpus } = await import('../eval/beir.ts');
      const corpus = await readCorpus(dir);
      const { evaluateRetrieval, removeCorpus } = await import('../eval/retrieval.ts');
      const { openAdapters } = await import('../open-adapters.ts');
      const { adapters, close } = await openAdapters(await loadStackConfig());
      try {
        if (remove) return terminal.print(`${await removeCorpus(adapters, dir)} documents were removed.`);
        const report = await evaluateRetrieval(adapters, corpus, {
          dir,
          onProgress: (line) => terminal.status(line),
        });
        terminal.clearStatus();
        if (json) return terminal.printJson(report);
        const { documents, passages, queries, model, fusion, reranker, ms, rerankMs } = report;
        terminal.print(
          `${documents} documents, ${passages} passages, ${queries} questions; ${model ?? 'no embedding model, so by words alone'}; ${fusion}${reranker ? `; reranked by ${reranker}` : ''}`,
        );
        const rows = Object.entries(report.quality).map(([list, { ndcg10, recall100, mrr }]) => [
          list,
          formatInterval(ndcg10),
          formatInterval(recall100),
          formatInterval(mrr),
        ]);
        terminal.print(table([['', 'nDCG@10', 'Recall@100', 'MRR'], ...rows]));
        terminal.print(`a search: ${formatPercentiles(ms)}`);
        if (rerankMs) terminal.print(`reranking it: ${formatPercentiles(rerankMs)}`);
      } finally {
        await close();
      }
    });
}

function comparisonTable(comparisons: Comparison[]): string {
  const percent = (share: number) => `${share > 0 ? '+' : ''}${Math.round(share * 100)}`;
  const rows = comparisons.map(({ what, questions, before, now, difference: { mean, low, high } }) => [
    what,
    `${before} of ${questions}`,
    `${now} of ${questions}`,
    `${percent(mean)} (${percent(low)} to ${percent(high)})`,
  ]);
  return table([['compared', 'before', 'now', 'difference in points'], ...rows]);
}

/** A share in per cent with its 95 % interval. */
function formatShare(count: number, total: number): string {
  const { mean, low, high } = wilson(count, total);
  const percent = (share: number) => Math.round(share * 100);
  return `${percent(mean)} % (${percent(low)} to ${percent(high)})`;
}

const formatInterval = ({ mean, low, high }: Interval) =>
  `${mean.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
const formatPercentiles = ({ p50, p95 }: { p50: number; p95: number }) =>
  `p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`;
