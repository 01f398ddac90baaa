import { AlfredError } from '../../contract/errors.ts';
import type { McpToolDefinition, McpTools, McpToolStore } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { McpServers } from '../../runtime/mcp-settings.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { createAcceptedTools, type AcceptedTools } from './accepted-tools.ts';
import { readAnswer } from './read-answer.ts';
import { createServerConnection, type ServerConnection } from './server-connection.ts';
import { createTransports, type ReadVariables } from './transport.ts';
import { createValidators } from './validators.ts';
import { createServerWatch } from './watch-servers.ts';

type Deps = {
  servers: McpServers | undefined;
  store: McpToolStore;
  readVariables: ReadVariables;
  log: Logger;
  metrics?: Pick<Metrics, 'mcpServerUp' | 'mcpToolsUnaccepted'> | undefined;
  times?: { pollMs: number; listMs: number };
};

const usualTimes = { pollMs: 10_000, listMs: 300_000 };

/** The tools of the configured MCP servers. Connects to nothing before `start` or a call. */
export function createMcpServers({ servers = {}, store, readVariables, log, metrics, times = usualTimes }: Deps) {
  const connections = new Map<string, ServerConnection>();
  const accepted = createAcceptedTools({ servers, store, liveTools: (server) => connections.get(server)?.tools() });
  const watch = createServerWatch({ connections, accepted, log, metrics, times });
  for (const [name, settings] of Object.entries(servers))
    connections.set(
      name,
      createServerConnection({
        name,
        settings,
        makeTransport: createTransports(name, settings, readVariables),
        onTools: (tools) => store.record(name, tools),
        onChange: () => watch.noteChange(name),
      }),
    );
  return { tools: createTools({ servers, connections, accepted }), ...watch };
}

type ToolDeps = { servers: McpServers; connections: ReadonlyMap<string, ServerConnection>; accepted: AcceptedTools };

function createTools({ servers, connections, accepted }: ToolDeps): McpTools {
  const validate = createValidators();
  return {
    find: accepted.find,

    check({ server, tool, input }) {
      const definition = accepted.find(server, tool);
      if (!definition) throw accepted.refusal(server, tool);
      const { valid, errorMessage } = validate(definition.inputSchema, input);
      if (valid) return;
      throw new AlfredError(
        'invalid_request',
        `${tool} of ${server} was called wrongly. Call it again with arguments that fit its schema.`,
        {
          fullMessage: `${tool} of ${server} was called wrongly: ${errorMessage}. Call it again with arguments that fit its schema.`,
        },
      );
    },

    async call({ server, tool, input }, { signal, beforeSend }) {
      const connection = connections.get(server);
      const settings = accepted.settingsOf(server, tool);
      if (!connection || !settings) throw accepted.refusal(server, tool);
      const mayHaveActed = settings.effect === 'write';
      let definition: McpToolDefinition | undefined;
      const answer = await connection.call(
        { tool, input },
        {
          signal,
          timeoutMs: (settings.timeoutS ?? servers[server]?.timeoutS ?? 60) * 1_000,
          mayHaveActed,
          beforeSend,
          requireAccepted: (seen) => {
            definition = seen?.definition;
            return accepted.require(server, tool, seen);
          },
        },
      );
      const { outputSchema } = definition ?? {};
      if (outputSchema && answer.isError !== true && !validate(outputSchema, answer.structuredContent ?? null).valid)
        throw new AlfredError(
          mayHaveActed ? 'effect_unknown' : 'destination_refused',
          `${tool} of ${server} answered, and its answer does not fit the schema that the server gives for it.${mayHaveActed ? ' The call may or may not have taken effect.' : ''}`,
          { failures: Infinity },
        );
      return readAnswer(answer);
    },
  };
}
