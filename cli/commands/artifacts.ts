import { mkdir } from 'node:fs/promises';
import type { Command } from 'commander';
import { ArtifactList, type Artifact } from '../../contract/artifacts.ts';
import { CliError } from '../cli-error.ts';
import { saveArtifact } from '../client/save-artifact.ts';
import type { CommandContext } from '../command-context.ts';
import { formatBytes, formatCount, formatSecond } from '../terminal/format.ts';
import { table } from '../terminal/terminal.ts';

type Options = { save?: string; only?: string; json?: boolean };

export function addArtifacts(tasks: Command, context: CommandContext) {
  tasks
    .command('artifacts')
    .description('the files that a task has made')
    .argument('<id>')
    .option('--save <folder>', 'download them there; a file that is there stays as it is')
    .option('--only <file>', 'the file with this id only')
    .option('--json', 'as JSON')
    .action((id: string, options: Options) => artifactsOf(id, options, context));
}

async function artifactsOf(id: string, { save, only, json }: Options, { api, terminal }: CommandContext) {
  const path = `/v1/tasks/${encodeURIComponent(id)}`;
  const { artifacts: all } = await api.call(`${path}/artifacts`, { answer: ArtifactList });
  const artifacts = only === undefined ? all : all.filter((artifact) => artifact.id === only);
  if (only !== undefined && artifacts.length === 0)
    throw new CliError(`The task ${id} has no file ${only}. Its files: alfred tasks artifacts ${id}`);
  const saved: (Artifact & { savedAs?: string })[] = [];
  if (save !== undefined) await makeFolder(save);
  // One after the other: each may be large.
  for (const artifact of artifacts)
    saved.push(save === undefined ? artifact : { ...artifact, savedAs: await saveArtifact(api, path, artifact, save) });
  if (json) return terminal.printJson({ artifacts: saved });
  if (saved.length === 0) return terminal.note('The task has made no files.');
  if (save !== undefined) {
    for (const { savedAs = '' } of saved) terminal.print(savedAs);
    return terminal.note(`${formatCount(saved.length, 'file')} saved.`);
  }
  terminal.print(
    table([
      ['ID', 'NAME', 'TYPE', 'SIZE', 'MADE'],
      ...saved.map((one) => [one.id, one.name, one.mediaType, formatBytes(one.bytes), formatSecond(one.createdAt)]),
    ]),
  );
}

async function makeFolder(folder: string) {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new CliError(`${folder} is no folder and cannot be made: ${(error as Error).message}`, { cause: error });
  }
}
