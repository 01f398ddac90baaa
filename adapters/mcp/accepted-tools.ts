import { AlfredError } from '../../contract/errors.ts';
import type { McpToolDefinition, McpToolRow, McpToolStore } from '../../contract/ports/index.ts';
import { mcpToolsIn, type McpServers, type McpToolSettings } from '../../runtime/mcp-settings.ts';
import type { SeenTool } from './definitions.ts';
import { schemaFault } from './validators.ts';

/** So many fingerprints are kept with whether their schemas are usable. */
const mostKept = 1_000;

/** `unusable`: its schemas cannot be compiled */
type ToolState = 'offered' | 'unusable' | 'unaccepted' | 'gone' | 'unknown';

type Deps = {
  servers: McpServers;
  store: McpToolStore;
  /** The tools of the session that is open with a server. */
  liveTools: (server: string) => ReadonlyMap<string, SeenTool> | undefined;
};

/** The tools of the configured servers, and which of them an operator has accepted as they are. */
export function createAcceptedTools({ servers, store, liveTools }: Deps) {
  const rows = new Map<string, McpToolRow>();

  const settingsOf = (server: string, tool: string): McpToolSettings | undefined => {
    const tools = Object.hasOwn(servers, server) ? servers[server]?.tools : undefined;
    return tools && Object.hasOwn(tools, tool) ? tools[tool] : undefined;
  };
  const isAccepted = (row: McpToolRow, fingerprint = row.fingerprint) =>
    fingerprint === (settingsOf(row.server, row.tool)?.fingerprint ?? row.acceptedFingerprint);

  const usable = new Map<string, boolean>();
  const isUsable = ({ fingerprint, definition }: SeenTool): boolean => {
    const known = usable.get(fingerprint);
    if (known !== undefined) return known;
    if (usable.size >= mostKept) usable.clear();
    const found = schemaFault(definition) === undefined;
    usable.set(fingerprint, found);
    return found;
  };

  const stateOf = (server: string, tool: string): ToolState => {
    const row = rows.get(keyOf(server, tool));
    const live = liveTools(server);
    if (live && !live.has(tool)) return 'gone';
    if (!row) return 'unknown';
    if (!isUsable(row)) return 'unusable';
    return isAccepted(row) ? 'offered' : 'unaccepted';
  };

  return {
    settingsOf,
    stateOf,

    /** The states of the tools of a server that the configuration lists. */
    statesOf: (server: string) =>
      mcpToolsIn(servers)
        .filter((one) => one.server === server)
        .map(({ tool }) => ({ tool, state: stateOf(server, tool), row: rows.get(keyOf(server, tool)) })),

    find: (server: string, tool: string): McpToolDefinition | undefined =>
      stateOf(server, tool) === 'offered' ? rows.get(keyOf(server, tool))?.definition : undefined,

    async read(): Promise<void> {
      const found = await store.list();
      rows.clear();
      for (const row of found) rows.set(keyOf(row.server, row.tool), row);
    },

    /** @throws AlfredError unless an operator has accepted the tool as the session has it now */
    async require(server: string, tool: string, seen: SeenTool | undefined): Promise<void> {
      const row = await store.find(server, tool);
      if (row) rows.set(keyOf(server, tool), row);
      if (seen && !isUsable(seen)) throw unusableError(server, tool);
      if (seen && row && isAccepted(row, seen.fingerprint)) return;
      throw seen ? unacceptedError(server, tool) : goneError(server, tool);
    },

    refusal(server: string, tool: string): AlfredError {
      const state = stateOf(server, tool);
      if (state === 'unusable') return unusableError(server, tool);
      return state === 'unaccepted' ? unacceptedError(server, tool) : goneError(server, tool);
    },
  };
}
export type AcceptedTools = ReturnType<typeof createAcceptedTools>;

const keyOf = (server: string, tool: string) => `${server}/${tool}`;

const unacceptedError = (server: string, tool: string) =>
  new AlfredError(
    'destination_refused',
    `${tool} of ${server} is held: no operator has accepted what the server says of it now (alfred mcp accept ${server} ${tool}). Nothing was sent. Do not call it again.`,
  );

const unusableError = (server: string, tool: string) =>
  new AlfredError(
    'destination_refused',
    `${tool} of ${server} is held: its schemas are no JSON Schema that can be used. Nothing was sent. Do not call it again.`,
  );

const goneError = (server: string, tool: string) =>
  new AlfredError(
    'destination_refused',
    `The MCP server ${server} has no tool ${tool} at the moment. Nothing was sent.`,
  );
