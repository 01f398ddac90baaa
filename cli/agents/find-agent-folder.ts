import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../../runtime/logger.ts';
import { agents as ownAgents, findAgent, type Agent } from '../../agents/index.ts';
import { agentFoldersOf, findPack } from '../../agents/packs/find-pack.ts';
import { loadAgents } from '../../agents/packs/load-agents.ts';
import { PackFault } from '../../agents/packs/pack-fault.ts';
import type { Config } from '../../runtime/config.ts';
import { CliError, usageError } from '../cli-error.ts';

export type FoundAgent = {
  name: string;
  agent: Agent;
  /** With `evals/`. */
  folder: string;
  /** With the settings that the agent brings along. */
  config: Config;
};

const ownFolder = fileURLToPath(new URL('../../agents/', import.meta.url));

/**
 * Finds agents to test.
 *
 * @param given the name of an agent of ours or of ALFRED_AGENT_PACKS, or the folder of a pack, whose agents are all
 *   meant
 * @throws CliError when there is none, or when the pack is refused
 */
export async function findAgents(given: string, config: Config, log: Logger): Promise<FoundAgent[]> {
  const own = findAgent(ownAgents, given);
  if (own) return [{ name: given, agent: own, folder: join(ownFolder, given), config }];
  const isFolder = given.includes('/') || given === '.' || existsSync(join(resolve(given), 'package.json'));
  const sources = isFolder ? [resolve(given)] : config.ALFRED_AGENT_PACKS;
  const known = await loadAgents({ config: isFolder ? forPack(config, given) : config, log });
  if (isFolder) {
    const [refused] = known.refused;
    if (refused) throw new CliError(`The pack ${given} is refused: ${refused.reason}.`);
  }
  const folders = sources.flatMap((source) => agentFoldersIn(source));
  const found = folders.filter(({ name }) => isFolder || name === given);
  if (found.length === 0)
    throw usageError(
      `There is no agent "${given}". There are: ${Object.keys(known.agents).join(', ')}; or name the folder of a pack.`,
    );
  return found.flatMap(({ name, folder }) => {
    const agent = findAgent(known.agents, name);
    return agent ? [{ name, agent, folder, config: known.config }] : [];
  });
}

/** The configuration with one pack, without settings of the agents of others, which are not there. */
function forPack(config: Config, folder: string): Config {
  const names = [...Object.keys(ownAgents), ...agentFoldersOf(resolve(folder))];
  const settings = Object.entries(config.ALFRED_AGENTS ?? {}).filter(([name]) => names.includes(name));
  return { ...config, ALFRED_AGENT_PACKS: [resolve(folder)], ALFRED_AGENTS: Object.fromEntries(settings) };
}

function agentFoldersIn(source: string) {
  try {
    return Object.entries(findPack(source).files).map(([name, file]) => ({ name, folder: dirname(file) }));
  } catch (error) {
    if (error instanceof PackFault) return [];
    throw error;
  }
}
