import { createMcpServers } from '../../../adapters/mcp/mcp-servers.ts';
import { createMcpToolStore } from '../../../adapters/postgres/mcp/mcp-tool-store.ts';
import { createMcpTools } from '../../../agents/tools/mcp/mcp-tools.ts';
import type { AlfredError } from '../../../contract/errors.ts';
import type { JsonObject } from '../../../contract/json.ts';
import { loadConfig } from '../../../runtime/config.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import type { TestEnvironment } from '../environment/environment.ts';
import { until } from '../until.ts';

type Given = { variables?: Record<string, string>; isAccepted?: boolean };

/** A worker's view of these servers. `accept` accepts what it has seen. */
export async function startMcpWorker(
  env: TestEnvironment,
  servers: object,
  { variables = {}, isAccepted = true }: Given = {},
) {
  const config = loadConfig({
    DATABASE_URL: 'postgres://nobody@localhost/none',
    ALFRED_MCP_SERVERS: JSON.stringify(servers),
  });
  const store = createMcpToolStore(env.postgres.db);
  const lines: { level: string; message: string; [key: string]: unknown }[] = [];
  const note = (level: string) => (fields: object, message: string) => void lines.push({ level, message, ...fields });
  const metrics = createMetrics();
  const mcp = createMcpServers({
    servers: config.ALFRED_MCP_SERVERS,
    store,
    readVariables: (names) => Object.fromEntries(names.map((name) => [name, variables[name]])),
    log: { info: note('info'), warn: note('warn') } as unknown as TestEnvironment['log'],
    metrics,
    times: { pollMs: 25, listMs: 60_000 },
  });
  await mcp.start(Object.keys(servers));
  const accept = async () => {
    for (const row of await store.list()) await store.accept(row, 'ada');
  };
  const tools = Object.fromEntries(
    createMcpTools(config.ALFRED_MCP_SERVERS, mcp.tools).map((tool) => [tool.name, tool]),
  );
  const offered = () => Object.values(tools).flatMap((tool) => (tool.isOffered?.() ? [tool.name] : []));
  if (isAccepted) {
    await accept();
    await until('the workers see what was accepted', () => offered().length === Object.keys(tools).length);
  }
  let sent = 0;
  const call = (name: string, input: JsonObject = {}, signal = new AbortController().signal) => {
    const tool = tools[name];
    if (!tool) throw new Error(`no tool ${name}`);
    const beforeSend = async () => {
      sent += 1;
    };
    const context = { scope: { tenant: 't', subject: 's' }, taskId: 'task', receiptKey: 'key', signal, beforeSend };
    return tool.run(input, context);
  };
  const failure = (...given: Parameters<typeof call>) =>
    call(...given).then(
      (outcome) => Promise.reject(new Error(`it answered ${JSON.stringify(outcome)}`)),
      (error: AlfredError) => error,
    );
  return { stop: () => mcp.stop(), tools, store, accept, offered, call, failure, lines, metrics, sent: () => sent };
}
