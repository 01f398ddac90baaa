import { pino } from 'pino';
import { exitCodes, usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { loadStackConfig } from '../load-stack-config.ts';

export type TestOptions = { model: string[]; judge?: string; act?: boolean; atOnce: number; json?: boolean };

/** Runs the cases of one agent, or of every agent of a pack. @returns the exit code */
export async function runTests(given: string, options: TestOptions, { terminal }: CommandContext): Promise<number> {
  // The engine takes a second to load, which other commands need not wait for.
  const [{ findAgents }, { readCases }, { testAgent }, { faultLines, scoreTable }] = await Promise.all([
    import('./find-agent-folder.ts'),
    import('./cases.ts'),
    import('./test-agent.ts'),
    import('./score-table.ts'),
  ]);
  const log = pino({ level: 'silent' });
  const found = await findAgents(given, await loadStackConfig(), log);
  const interrupt = new AbortController();
  const stopWatching = onInterrupt(
    () => {
      terminal.note('Cancelling what still runs … (Ctrl-C again leaves at once)');
      interrupt.abort();
    },
    () => process.exit(exitCodes.cancelled),
  );
  const all = [];
  for (const each of found) {
    if (interrupt.signal.aborted) break;
    const cases = await readCases(each.folder);
    if (cases.length === 0) throw usageError(`There are no cases in ${each.folder}/evals: add a file like cases.json.`);
    const onProgress = (line: string) => terminal.status(line);
    const scores = await testAgent(each, cases, {
      models: options.model,
      judge: options.judge,
      act: options.act,
      atOnce: options.atOnce,
      log,
      onProgress,
      signal: interrupt.signal,
    });
    terminal.clearStatus();
    all.push({ agent: each.name, scores });
    if (options.json) continue;
    terminal.print(`${all.length > 1 ? '\n' : ''}${each.name}\n${scoreTable(scores)}`);
    for (const line of faultLines(scores)) terminal.note(line, 'yellow');
    if (scores.some(({ results }) => results.some(({ skipped }) => skipped)))
      terminal.note('Cases that a model judges were not run: name one with --judge provider:model.', 'yellow');
  }
  stopWatching();
  if (options.json) terminal.printJson(all);
  if (interrupt.signal.aborted) return exitCodes.cancelled;
  const isFaulty = all.some(({ scores }) => scores.some(({ results }) => results.some(({ faults }) => faults.length)));
  return isFaulty ? exitCodes.failed : exitCodes.ok;
}
