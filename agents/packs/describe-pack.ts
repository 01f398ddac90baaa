import { findPack } from './find-pack.ts';
import { importAgents, type DefinedAgent } from './import-agents.ts';
import { toAgent } from './to-agent.ts';

export type PackDescription = {
  name: string;
  version: string;
  folder: string;
  agents: DescribedAgent[];
};
/** `rules`: the tools that its approval rules and its `withoutApproval` name. */
type DescribedAgent = { name: string; description: string } & AgentNames;
export type AgentNames = { tools: readonly string[]; variables: readonly string[]; rules: readonly string[] };
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
      const { description } = toAgent(agent, definition, { pack, readVariables: () => ({}) });
      return { name: agent, description, ...namesIn(definition) };
    }),
  };
}

/** The names that an agent defines. A fault of its rules quotes them. */
export function namesIn({ tools, approvals = [], withoutApproval = [] }: DefinedAgent): AgentNames {
  const own = tools.filter((tool) => typeof tool !== 'string');
  return {
    tools: tools.map((tool) => (typeof tool === 'string' ? tool : tool.name)),
    variables: [...new Set(own.flatMap((tool) => Object.keys(tool.settings ?? {})))],
    rules: [...new Set([...approvals.map(({ tool }) => tool), ...withoutApproval])],
  };
}
