import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { loadStackConfig } from '../load-stack-config.ts';
import { stackEnvironment } from '../stack.ts';
import { table, type Terminal } from '../terminal/terminal.ts';
import { usageError } from '../cli-error.ts';
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

type RouterOptions = { set: string; model: string; half?: string; atOnce: number; json?: boolean };

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
    .command('router')
    .description('measure to which agents the orchestrator gives requests: right ones, with 95 % intervals')
    .requiredOption('--set <file>', 'JSON, see test/evaluation/README.md')
    .option('-m, --model <model>', 'provider:model', 'offline:quote')
    .option('--half <half>', 'tuning or held_out; both when left out')
    .option('--at-once <number>', 'requests at the same time', Number, 4)
    .option('--json', 'every request, as JSON')
    .action((options: RouterOptions) => evaluateRouting(terminal, options));
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

async function evaluateRouting(terminal: Terminal, { set: file, model, half, atOnce, json }: RouterOptions) {
  if (half !== undefined && half !== 'tuning' && half !== 'held_out')
    throw usageError(`--half ${half} is no half of a set (expected tuning or held_out)`);
  const { readRouterSet } = await import('../eval/router-set.ts');
  const { evaluateRouter } = await import('../eval/router.ts');
  const { createProviders } = await import('../../adapters/models/providers.ts');
  const { loadConfig } = await import('../../runtime/config.ts');
  const set = await readRouterSet(file);
  const requests = set.requests.filter((request) => half === undefined || request.half === half);
  if (requests.length === 0) throw usageError(`${file} has no requests of the half ${half}.`);
  const [name = '', ...rest] = model.split(':');
  const providers = createProviders(loadConfig({ ...noDatabase, ...(await stackEnvironment()) }));
  const provider = Object.hasOwn(providers, name) ? providers[name] : undefined;
  if (!provider || rest.length === 0)
    throw usageError(
      `--model ${model} is not "provider:model" of a provider with a key (there are: ${Object.keys(providers).join(', ')})`,
    );
  const onProgress = (line: string) => terminal.status(line);
  const routings = await evaluateRouter(provider, { ...set, requests }, { model: rest.join(':'), atOnce, onProgress });
  terminal.clearStatus();
  if (json) return terminal.printJson(routings);
  const rows = [
    { what: 'all', of: routings },
    { what: 'plain', of: routings.filter(({ confusing }) => !confusing) },
    { what: 'confusing', of: routings.filter(({ confusing }) => confusing) },
    { what: 'several agents', of: routings.filter(({ agents }) => agents.length > 1) },
    { what: 'no agent', of: routings.filter(({ agents }) => agents.length === 0) },
  ]
    .filter(({ of }) => of.length > 0)
    .map(({ what, of }) => {
      const right = of.filter(({ isRight }) => isRight).length;
      return [what, `${right} of ${of.length}`, formatShare(right, of.length)];
    });
  terminal.print(table(rows));
  for (const { request, agents, chosen, isRight, failed } of routings)
    if (!isRight)
      terminal.note(
        `${request}\n  for ${listed(agents)}, given to ${failed ?? listed(chosen)}`,
        failed ? 'yellow' : 'dim',
      );
}

/** The providers need none, and every role does. */
const noDatabase = { DATABASE_URL: 'postgres://127.0.0.1/unused' };
const listed = (names: string[]) => (names.length === 0 ? 'no agent' : names.join(' and '));

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
