import { existsSync, readFileSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { parseJson } from '../../contract/json.ts';
import { PackFault } from './pack-fault.ts';
import { surfaceVersion } from './surface/index.ts';

/** A pack as its folder and its package.json describe it. Nothing of it has been run. */
export type Pack = {
  /** The entry of ALFRED_AGENT_PACKS. */
  source: string;
  folder: string;
  name: string;
  version: string;
  /** The file of each agent, by the agent's name: the name of its folder. */
  files: Readonly<Record<string, string>>;
};

const alfredRoot = fileURLToPath(new URL('../../', import.meta.url));
const agentFiles = ['agent.ts', 'agent.mts', 'agent.js', 'agent.mjs'];
const agentName = /^[a-z][a-z0-9-]{0,47}$/;

const Manifest = z.object({
  name: z.string().min(1).max(214),
  version: z.string().min(1).max(64),
  alfred: z.object({ surface: z.int() }, 'expected {"surface": 1}, the version of `alfred/agent` that it uses'),
});

/**
 * Finds a pack and reads what its files say about it.
 *
 * @param source a path, absolute or from the working directory, or the name of an installed package
 * @throws PackFault
 */
export function findPack(source: string): Pack {
  const folder = folderOf(source);
  const { name, version, alfred } = readManifest(folder);
  if (alfred.surface !== surfaceVersion)
    throw new PackFault(
      `its package.json asks for version ${alfred.surface} of alfred/agent, and this Alfred has version ${surfaceVersion}`,
    );
  return { source, folder, name, version, files: readAgentFiles(folder) };
}

/** Names of the folders in which a pack keeps agents, also of one that is refused. */
export function agentFoldersOf(source: string): string[] {
  try {
    return foldersIn(join(folderOf(source), 'agents'));
  } catch {
    return [];
  }
}

function folderOf(source: string): string {
  const isPath = source.startsWith('.') || source.startsWith('/') || source.includes('\\');
  const found = isPath ? existing(resolve(source)) : (findPackage(source) ?? existing(resolve(source)));
  if (found !== undefined) return realpathSync(found);
  throw new PackFault(
    isPath
      ? `there is no folder ${resolve(source)}`
      : `there is no installed package "${source}", and no folder ${resolve(source)}`,
  );
}

const existing = (folder: string) => (statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? folder : undefined);

/** Looks for a package beside the working directory and beside Alfred, upwards as Node does. */
function findPackage(name: string): string | undefined {
  if (!/^(@[\w.-]+\/)?[\w.-]+$/.test(name)) return undefined;
  return [process.cwd(), alfredRoot]
    .flatMap(foldersAbove)
    .map((folder) => join(folder, 'node_modules', name))
    .find((folder) => existsSync(join(folder, 'package.json')));
}

/** A folder and those that it is in. */
const foldersAbove = (folder: string): string[] =>
  dirname(folder) === folder ? [folder] : [folder, ...foldersAbove(dirname(folder))];

function readManifest(folder: string) {
  const path = join(folder, 'package.json');
  if (!existsSync(path)) throw new PackFault(`${folder} has no package.json`);
  const { data, error } = Manifest.safeParse(parseJson(readFileSync(path, 'utf8')));
  if (data) return data;
  const faults = error.issues.map(({ path: at, message }) => `${at.join('.') || 'the file'}: ${message}`);
  throw new PackFault(`its package.json is not right: ${faults.join('; ')}`);
}

function readAgentFiles(folder: string): Record<string, string> {
  const agentsFolder = join(folder, 'agents');
  const names = foldersIn(agentsFolder);
  if (names.length === 0) throw new PackFault(`it has no agents: expected ${join('agents', '<name>', 'agent.ts')}`);
  return Object.fromEntries(names.map((name) => [name, agentFileIn(join(agentsFolder, name), name)]));
}

function agentFileIn(folder: string, name: string): string {
  if (!agentName.test(name))
    throw new PackFault(`the folder agents/${name} is no name of an agent: expected one like order-desk`);
  const [file, ...more] = agentFiles.filter((candidate) => existsSync(join(folder, candidate)));
  if (file === undefined) throw new PackFault(`the folder agents/${name} has none of ${agentFiles.join(', ')}`);
  if (more.length > 0) throw new PackFault(`the folder agents/${name} has both ${file} and ${more.join(' and ')}`);
  const path = join(folder, file);
  // Node strips types of no file below node_modules.
  if (/\.m?ts$/.test(file) && path.split(sep).includes('node_modules'))
    throw new PackFault(
      `agents/${name}/${file} is TypeScript in an installed package, and Node runs only JavaScript there: publish the package with compiled agent.js files, or name its folder outside of node_modules`,
    );
  return path;
}

const foldersIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
        .map(({ name }) => name)
        .sort()
    : [];
