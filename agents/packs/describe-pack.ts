import { findPack } from './find-pack.ts';
import { importAgents } from './import-agents.ts';
import { toAgent } from './to-agent.ts';

export type PackDescription = {
  name: string;
  version: string;
  folder: string;
  agents: { name: string; description: string; tools: readonly string[]; variables: readonly string[] }[];
};
export type PackReport = { description: PackDescription } | { fault: string };

/**
 * Loads a pack and describes it.
 *
 * @throws PackFault; and any other error of its modules
 */
export async function describePack(source: string): Promise<PackDescription> {
  const pack = findPack(source);
  const { name, version, folder } = pack;
  const defined = await importAgents(pack);
  return {
    name,
    version,
    folder,
    agents: Object.entries(defined).map(([agent, definition]) => {
      const { description, tools } = toAgent(agent, definition, { pack, readVariables: () => ({}) });
      const variables = definition.tools.flatMap((tool) =>
        typeof tool === 'string' ? [] : Object.keys(tool.settings ?? {}),
      );
      return { name: agent, description, tools, variables: [...new Set(variables)] };
    }),
  };
}
