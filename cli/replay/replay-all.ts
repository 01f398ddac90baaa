import { stat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { workflowBundle } from '../../workers/bundle.ts';
import { CliError, exitCodes, usageError } from '../cli-error.ts';
import { fetchHistory } from './fetch-history.ts';
import { formatDuration } from '../../contract/rules/format.ts';
import { formatBytes, formatCount } from '../terminal/format.ts';
import { readHistory, type History } from './history-file.ts';
import { replayHistory } from './replay-history.ts';
import { dataDir } from '../stack.ts';
import { wrap, type Terminal } from '../terminal/terminal.ts';

type RecordedHistory = { name: string; workflowId: string; history: History };

/**
 * @param source a history file, a task id or a workflow id; the latter two are fetched from Temporal
 * @param folder instead of it, a folder whose .json files are loaded
 * @throws CliError when neither or both are given, or nothing can be loaded
 */
export async function loadHistories(
  source: string | undefined,
  folder: string | undefined,
): Promise<RecordedHistory[]> {
  if ((source === undefined) === (folder === undefined))
    throw usageError('Name one thing to replay: a task id, a workflow id, a history file, or --all-from <folder>.');
  if (folder !== undefined) {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      throw usageError(`${folder}: the folder cannot be read (${error.code})`);
    });
    const files = names.filter((name) => name.endsWith('.json')).sort();
    if (files.length === 0)
      throw usageError(`${folder} holds no .json file. \`alfred history export <task-id>\` writes one.`);
    return Promise.all(files.map((name) => readRecorded(join(folder, name))));
  }
  const id = source ?? '';
  if (
    await stat(id).then(
      (info) => info.isFile(),
      () => false,
    )
  )
    return [await readRecorded(id)];
  if (id.endsWith('.json')) throw usageError(`${id}: there is no such file`);
  const { workflowId, history } = await fetchHistory(id);
  return [{ name: workflowId, workflowId, history }];
}

const readRecorded = async (file: string): Promise<RecordedHistory> => ({
  name: file,
  workflowId: 'replayed',
  history: await readHistory(file),
});

/** Replays each history and prints the result. @returns the exit code */
export async function replayAll(
  histories: RecordedHistory[],
  { terminal, json }: { terminal: Terminal; json?: boolean | undefined },
): Promise<number> {
  terminal.status('building the workflow bundle …');
  const bundle = await workflowBundle(
    { ALFRED_DATA_DIR: dataDir(), ALFRED_WORKFLOW_BUNDLE: undefined },
    pino({ level: 'silent' }),
  ).catch((error: Error) => {
    throw new CliError(`The workflow code cannot be bundled: ${error.message}`, { cause: error });
  });
  let failed = 0;
  const results: object[] = [];
  for (const { name, workflowId, history } of histories) {
    const result = await replayHistory(bundle, history, workflowId);
    results.push({ name, workflowId, ...result });
    if (!result.isSame) failed++;
    if (json) continue;
    const facts = `${formatCount(result.events, 'event')}, ${formatBytes(result.bytes)}, ${formatDuration(result.durationMs)}`;
    if (result.isSame) terminal.print(`pass  ${name} (${facts})`);
    else {
      terminal.print(`FAIL  ${name} (${facts})`);
      for (const line of result.divergence.split('\n')) terminal.print(wrap(line, terminal.columns, '      '));
    }
  }
  if (json) terminal.printJson({ histories: results });
  if (histories.length > 1)
    terminal.note(`${histories.length - failed} of ${formatCount(histories.length, 'history', 'histories')} pass`);
  if (failed > 0) terminal.note('What to do: "Changing a workflow safely" in AGENTS.md');
  return failed > 0 ? exitCodes.failed : exitCodes.ok;
}
