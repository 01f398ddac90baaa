import { ConfigError } from '../../../runtime/config.ts';
import { mcpToolsIn, type McpServers } from '../../../runtime/mcp-settings.ts';
import type { Agents } from '../../index.ts';

/**
 * The agents with the tools of MCP servers that the configuration gives them.
 *
 * @throws ConfigError when an agent has a tool of that name already
 */
export function withMcpTools(agents: Agents, servers: McpServers | undefined): Agents {
  const configured = mcpToolsIn(servers);
  if (configured.length === 0) return agents;
  return Object.fromEntries(
    Object.entries(agents).map(([agent, definition]) => {
      const added = configured.filter(({ settings }) => settings.agents.includes(agent)).map(({ name }) => name);
      const taken = added.find((name) => definition.tools.includes(name));
      if (taken !== undefined)
        throw new ConfigError(
          `ALFRED_MCP_SERVERS gives the agent ${agent} the tool "${taken}", and it has one of that name already: give the server another name.`,
        );
      return [agent, added.length === 0 ? definition : { ...definition, tools: [...definition.tools, ...added] }];
    }),
  );
}

/** @throws ConfigError when ALFRED_MCP_SERVERS gives tools to an agent that does not exist */
export function checkMcpAgents(servers: McpServers | undefined, known: readonly string[]): void {
  for (const { server, tool, settings } of mcpToolsIn(servers)) {
    const unknown = settings.agents.find((agent) => !known.includes(agent));
    if (unknown !== undefined)
      throw new ConfigError(
        `ALFRED_MCP_SERVERS gives the tool "${tool}" of ${server} to an agent that does not exist: "${unknown}". The agents are: ${known.join(', ')}.`,
      );
  }
}
