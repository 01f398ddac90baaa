import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import { AlfredError } from '../../contract/errors.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { McpToolDefinition, McpToolRow, McpTools, McpToolStore } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import { mcpToolsIn, type McpServers, type McpToolSettings } from '../../runtime/mcp-settings.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { withTimeout } from '../../runtime/with-timeout.ts';
import type { SeenTool } from './definitions.ts';
import { readAnswer } from './read-answer.ts';
import { createServerConnection, type ServerConnection } from './server-connection.ts';
import { createTransports, type ReadVariables } from './transport.ts';

type Deps = {
  servers: McpServers | undefined;
  store: McpToolStore;
  readVariables: ReadVariables;
  log: Logger;
  metrics?: Pick<Metrics, 'mcpServerUp' | 'mcpToolsUnaccepted'> | undefined;
  /** `pollMs`: between reads of what operators have accepted; `listMs`: between reads of the servers’ lists */
  times?: { pollMs: number; listMs: number };
};

/** The start of a process waits so long for its servers, in milliseconds. */
const startMs = 5_000;
const usualTimes = { pollMs: 10_000, listMs: 300_000 };

type Validator = ReturnType<AjvJsonSchemaValidator['getValidator']>;

/** The tools of the configured MCP servers. Connects to nothing before `start` or a call. */
export function createMcpServers({ servers = {}, store, readVariables, log, metrics, times = usualTimes }: Deps) {
  const rows = new Map<string, McpToolRow>();
  const states = new Map<string, string>();
  const validators = new Map<string, Validator>();
  const connections = new Map<string, ServerConnection>();
  let watched: readonly string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let listedAt = 0;

  for (const [name, settings] of Object.entries(servers))
    connections.set(
      name,
      createServerConnection({
        name,
        settings,
        makeTransport: createTransports(name, settings, readVariables),
        onTools: (tools) => store.record(name, tools),
        onChange: () => void poll(true),
      }),
    );

  const settingsOf = (server: string, tool: string): McpToolSettings | undefined => {
    const tools = Object.hasOwn(servers, server) ? servers[server]?.tools : undefined;
    return tools && Object.hasOwn(tools, tool) ? tools[tool] : undefined;
  };
  const isAccepted = (row: McpToolRow, fingerprint = row.fingerprint) =>
    fingerprint === (settingsOf(row.server, row.tool)?.fingerprint ?? row.acceptedFingerprint);

  const readRows = async () => {
    const found = await store.list();
    rows.clear();
    for (const row of found) rows.set(keyOf(row.server, row.tool), row);
  };

  const find: McpTools['find'] = (server, tool) => {
    const row = rows.get(keyOf(server, tool));
    const live = connections.get(server)?.tools();
    if (!row || !isAccepted(row) || (live && !live.has(tool))) return undefined;
    return row.definition;
  };

  /** Says once what has become of each configured tool. */
  const report = () => {
    for (const server of watched) {
      const live = connections.get(server)?.tools();
      metrics?.mcpServerUp.set({ server }, live ? 1 : 0);
      let unaccepted = 0;
      for (const { tool } of mcpToolsIn(servers).filter((one) => one.server === server)) {
        const row = rows.get(keyOf(server, tool));
        const isUnaccepted = row !== undefined && !isAccepted(row);
        if (isUnaccepted) unaccepted += 1;
        const state = find(server, tool)
          ? 'offered'
          : isUnaccepted
            ? `held ${row.fingerprint}`
            : live
              ? 'gone'
              : 'unknown';
        if (states.get(keyOf(server, tool)) === state) continue;
        states.set(keyOf(server, tool), state);
        if (isUnaccepted)
          log.warn(
            { server, tool, fingerprint: row.fingerprint, changed: row.acceptedFingerprint !== null },
            'a tool of an MCP server is held until an operator accepts it: alfred mcp show, alfred mcp accept',
          );
        else if (state === 'gone')
          log.warn({ server, tool }, 'an MCP server does not have a configured tool, or it is too large');
        else if (state === 'offered') log.info({ server, tool }, 'a tool of an MCP server is offered');
      }
      metrics?.mcpToolsUnaccepted.set({ server }, unaccepted);
    }
  };

  const refresh = async (server: string) => {
    try {
      await connections.get(server)?.refresh();
      states.delete(server);
    } catch (error) {
      const { message } = error as Error;
      if (states.get(server) !== message) log.warn({ server, reason: message }, 'an MCP server cannot be used');
      states.set(server, message);
    }
  };

  /** Reads what operators have accepted, and from time to time the lists of the servers. One run at a time. */
  const poll = (isChanged = false): Promise<void> => {
    const before = running ?? Promise.resolve();
    running = before.then(async () => {
      try {
        const isDue = isChanged || Date.now() - listedAt >= times.listMs;
        if (isDue) listedAt = Date.now();
        const due = watched.filter((server) => isDue || !connections.get(server)?.tools());
        await Promise.all(due.map(refresh));
        await readRows();
        report();
      } catch (error) {
        log.warn({ err: error }, 'the tools of MCP servers could not be read');
      }
    });
    return running;
  };

  const validatorOf = (schema: JsonObject): Validator => {
    const key = JSON.stringify(schema);
    const known = validators.get(key);
    if (known) return known;
    const made = new AjvJsonSchemaValidator().getValidator(schema);
    if (validators.size > 1_000) validators.clear();
    validators.set(key, made);
    return made;
  };

  /** @throws AlfredError unless an operator has accepted the tool as it is now, or before by its fingerprint */
  const requireAccepted = async (server: string, tool: string, seen: SeenTool | undefined): Promise<void> => {
    const row = await store.find(server, tool);
    if (row) rows.set(keyOf(server, tool), row);
    if (seen && row && isAccepted(row, seen.fingerprint)) return;
    throw seen ? unacceptedError(server, tool) : goneError(server, tool);
  };

  const tools: McpTools = {
    find,

    check({ server, tool, input }) {
      const definition = find(server, tool);
      if (!definition) throw rows.has(keyOf(server, tool)) ? unacceptedError(server, tool) : goneError(server, tool);
      const { valid, errorMessage } = validatorOf(definition.inputSchema)(input);
      if (valid) return;
      throw new AlfredError(
        'invalid_request',
        `${tool} of ${server} was called wrongly: ${errorMessage}. Call it again with arguments that fit its schema.`,
      );
    },

    async call({ server, tool, input }, { signal, beforeSend }) {
      const connection = connections.get(server);
      const settings = settingsOf(server, tool);
      if (!connection || !settings) throw goneError(server, tool);
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
            return requireAccepted(server, tool, seen);
          },
        },
      );
      const { outputSchema } = definition ?? {};
      if (outputSchema && answer.isError !== true && !validatorOf(outputSchema)(answer.structuredContent ?? null).valid)
        throw new AlfredError(
          mayHaveActed ? 'effect_unknown' : 'destination_refused',
          `${tool} of ${server} answered, and its answer does not fit the schema that the server gives for it.${mayHaveActed ? ' The call may or may not have taken effect.' : ''}`,
          { failures: Infinity },
        );
      return readAnswer(answer);
    },
  };

  return {
    tools,

    /** Opens sessions with these servers, and follows their tools until `stop`. A server may be away. */
    async start(names: readonly string[]): Promise<void> {
      watched = names.filter((name) => connections.has(name));
      if (watched.length === 0) return;
      listedAt = Date.now();
      await withTimeout(poll(true), startMs, () => {});
      timer = setInterval(() => void poll(), times.pollMs);
      timer.unref();
    },

    async stop(): Promise<void> {
      clearInterval(timer);
      timer = undefined;
      watched = [];
      await Promise.all([...connections.values()].map((connection) => connection.close()));
      await running;
    },
  };
}

const keyOf = (server: string, tool: string) => `${server}/${tool}`;

const unacceptedError = (server: string, tool: string) =>
  new AlfredError(
    'destination_refused',
    `${tool} of ${server} is held: the server has changed it, and an operator has to accept it first (alfred mcp accept ${server} ${tool}). Nothing was sent. Do not call it again.`,
  );

const goneError = (server: string, tool: string) =>
  new AlfredError(
    'destination_refused',
    `The MCP server ${server} has no tool ${tool} at the moment. Nothing was sent.`,
  );
