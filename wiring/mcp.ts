import { createMcpServers } from '../adapters/mcp/mcp-servers.ts';
import { createMcpToolStore } from '../adapters/postgres/mcp/mcp-tool-store.ts';
import { readOwnVariables } from '../runtime/config.ts';
import type { Edge } from '../runtime/edge.ts';

type McpEdge = Pick<Edge, 'config' | 'log' | 'postgres'> & Partial<Pick<Edge, 'metrics'>>;

/** The tools of MCP servers, and `mcpServers`, which opens sessions for a process that calls them. */
export function createMcp({ config, log, postgres, metrics }: McpEdge) {
  const servers = createMcpServers({
    servers: config.ALFRED_MCP_SERVERS,
    store: createMcpToolStore(postgres.db),
    readVariables: readOwnVariables,
    log,
    metrics,
  });
  return { mcp: servers.tools, mcpServers: { ...servers, close: () => servers.stop() } };
}
