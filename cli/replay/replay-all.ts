import { stat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { workflowBundle } from '../../workers/bundle.ts';
import { CliError, exitCodes, usageError } from '../cli-error.ts';
import type { Context } from '../command-context.ts';
import { fetchHistory } from './fetch-history.ts';
import { bytes, count, duration } from '../terminal/format.ts';
import { readHistory, type History } from './history-file.ts';
import { replayHistory } from './replay-history.ts';
import { dataDir } from '../stack.ts';
import { silentLog } from '../silent-log.ts';
import { wrap } from '../terminal/terminal.ts';

type Recorded = { name: string; workflowId: string; history: History };

/** The histories that the arguments name. */
export async function recordedHistories(what: string | undefined, folder: string | undefined): Promise<Recorded[]> {
  if ((what === undefined) === (folder === undefined))
    throw usageError('Name one thing to replay: a task id, a workflow id, a history file, or --all-from <folder>.');
  if (folder !== undefined) {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      throw usageError(`${folder}: the folder cannot be read (${error.code})`);
    });
    const files = names.filter((name) => name.endsWith('.json')).sort();
    if (files.length === 0)
      throw usageError(`${folder} holds no .json file. \`alfred history export <task-id>\` writes one.`);
    return Promise.all(files.map((name) => fromFile(join(folder, name))));
  }
  const id = what ?? '';
  if (
    await stat(id).then(
      (info) => info.isFile(),
      () => false,
    )
  )
    return [await fromFile(id)];
  if (id.endsWith('.json')) throw usageError(`${id}: there is no such file`);
  const { workflowId, history } = await fetchHistory(id);
  return [{ name: workflowId, workflowId, history }];
}

const fromFile = async (file: string): Promise<Recorded> => ({
  name: file,
  workflowId: 'replayed',
  history: await readHistory(file),
});

/** Replays each and prints how it went. @returns the exit code */
export async function replayAll(all: Recorded[], { terminal }: Context): Promise<number> {
  terminal.status('building the workflow bundle …');
  const bundle = await workflowBundle(
    { ALFRED_DATA_DIR: dataDir(), ALFRED_WORKFLOW_BUNDLE: undefined },
    silentLog,
  ).catch((error: Error) => {
    throw new CliError(`The workflow code cannot be bundled: ${error.message}`, { cause: error });
  });
  let failed = 0;
  for (const { name, workflowId, history } of all) {
    const result = await replayHistory(bundle, history, workflowId);
    const facts = `${count(result.events, 'event')}, ${bytes(result.bytes)}, ${duration(result.durationMs)}`;
    if (result.isSame) terminal.print(`pass  ${name} (${facts})`);
    else {
      failed++;
      terminal.print(`FAIL  ${name} (${facts})`);
      for (const line of result.divergence.split('\n')) terminal.print(wrap(line, terminal.columns, '      '));
    }
  }
  if (all.length > 1) terminal.note(`${all.length - failed} of ${count(all.length, 'history', 'histories')} pass`);
  return failed > 0 ? exitCodes.failed : exitCodes.ok;
}
