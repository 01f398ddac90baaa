import type { Command } from 'commander';
import { canonicalJson } from '../../contract/json.ts';
import type { McpToolDefinition, McpToolRow, McpToolStore } from '../../contract/ports/index.ts';
import { localPrincipal } from '../../contract/principal.ts';
import type { Config } from '../../runtime/config.ts';
import { mcpToolsIn } from '../../runtime/mcp-settings.ts';
import { CliError, usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { formatMinute } from '../terminal/format.ts';
import { table } from '../terminal/terminal.ts';
import { withDatabase } from '../with-database.ts';
import { userName, writeAuditEntry } from '../write-audit-entry.ts';

type JsonOption = { json?: boolean };
type AcceptOptions = JsonOption & { fingerprint?: string };
/** `unlisted`: ALFRED_MCP_SERVERS does not name it, so no agent gets it. `unusable`: its schemas cannot be used. */
type State = 'accepted' | 'changed' | 'new' | 'unusable' | 'unlisted';

/**
 * Commands of operators about the tools of MCP servers, as the workers saw them last: they work on the database. And
 * `serve`, for everybody.
 */
export function addMcp(program: Command, context: CommandContext) {
  const mcp = program
    .command('mcp')
    .description('tools of MCP servers, for operators: on the database; Alfred for clients of MCP');
  mcp
    .command('list', { isDefault: true })
    .description('every tool that a server has, and whether agents get it')
    .option('--json', 'as JSON')
    .action((options: JsonOption) => list(options, context));
  mcp
    .command('show')
    .description('what a server says of its tools, and what an operator has accepted of it')
    .argument('<server>', 'as ALFRED_MCP_SERVERS names it')
    .argument('[tool]', 'as the server names it; default: all')
    .option('--json', 'as JSON')
    .action((server: string, tool: string | undefined, options: JsonOption) =>
      show({ server, tool }, options, context),
    );
  mcp
    .command('accept')
    .description('let agents use a tool with the description and the schemas that it has now')
    .argument('<server>', 'as ALFRED_MCP_SERVERS names it')
    .argument('[tool]', 'as the server names it; default: every tool that ALFRED_MCP_SERVERS names')
    .option('--fingerprint <sha256>', 'only while the tool has this fingerprint, as `show` names it')
    .option('--json', 'as JSON')
    .action((server: string, tool: string | undefined, options: AcceptOptions) =>
      accept({ server, tool }, options, context),
    );
  mcp
    .command('serve')
    .description('Alfred as an MCP server on standard input and output, with your sign-in, for clients that start one')
    .action(async () => {
      const { bridge } = await import('../mcp/bridge.ts');
      await bridge(context.api);
    });
}

async function list({ json }: JsonOption, { terminal }: CommandContext) {
  const { rows, config } = await read();
  const states = await statesOf(config, rows);
  const entries = rows.map((row, at) => ({
    server: row.server,
    tool: row.tool,
    state: states[at] ?? 'unlisted',
    fingerprint: row.fingerprint,
    seenAt: row.seenAt.toISOString(),
    acceptedAt: row.acceptedAt?.toISOString() ?? null,
    acceptedBy: row.acceptedBy,
  }));
  if (json) return terminal.printJson({ tools: entries, nextCursor: null });
  if (entries.length === 0)
    return terminal.note('No tools. A worker has seen none yet: set ALFRED_MCP_SERVERS, and start the workers.');
  const lines = entries.map((entry) => [
    entry.server,
    entry.tool,
    entry.state,
    formatMinute(entry.seenAt),
    entry.acceptedAt === null ? '–' : formatMinute(entry.acceptedAt),
    entry.fingerprint.slice(0, 19),
  ]);
  terminal.print(table([['SERVER', 'TOOL', 'STATE', 'SEEN', 'ACCEPTED', 'FINGERPRINT'], ...lines]));
}

type Which = { server: string; tool: string | undefined };

async function show(which: Which, { json }: JsonOption, { terminal }: CommandContext) {
  const { rows, config } = await read();
  const found = pick(rows, which);
  const states = await statesOf(config, found);
  if (json)
    return terminal.printJson({
      tools: found.map(({ definition, acceptedDefinition, ...row }, at) => ({
        ...row,
        state: states[at],
        definition,
        acceptedDefinition,
      })),
    });
  for (const [at, row] of found.entries()) {
    const { fingerprint, definition, acceptedDefinition } = row;
    const state = states[at];
    terminal.print(`${row.server} ${row.tool}: ${state}\n  fingerprint: ${fingerprint}`);
    if (state === 'changed' && acceptedDefinition) {
      terminal.print('  accepted before:');
      printDefinition(acceptedDefinition, terminal);
      terminal.print('  now:');
    }
    printDefinition(definition, terminal);
  }
}

function printDefinition({ description, inputSchema, outputSchema }: McpToolDefinition, terminal: Printer) {
  terminal.print(`    description: ${visible(description)}\n    input: ${visible(canonicalJson(inputSchema))}`);
  if (outputSchema) terminal.print(`    output: ${visible(canonicalJson(outputSchema))}`);
}

type Printer = Pick<CommandContext['terminal'], 'print'>;

/** On one line, with characters written out that a terminal does not show or acts on. The text is a server's. */
const visible = (text: string) =>
  text.replace(/[\p{C}\u2028\u2029]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`);

async function accept(which: Which, { fingerprint, json }: AcceptOptions, { terminal }: CommandContext) {
  if (fingerprint !== undefined && which.tool === undefined) throw usageError('--fingerprint goes with one tool.');
  const accepted = await withStore(async (store, { config, db }) => {
    const rows = pick(await store.list(), which);
    const meant = which.tool === undefined ? rows.filter((row) => settingsOf(config, row)) : rows;
    const pinned = meant.find((row) => settingsOf(config, row)?.fingerprint !== undefined);
    if (pinned)
      throw new CliError(
        `ALFRED_MCP_SERVERS pins the fingerprint of ${pinned.tool} of ${pinned.server}: change it there. Its tool has ${pinned.fingerprint} now.`,
      );
    const open = await usableOf(
      meant.filter((row) => row.acceptedFingerprint !== row.fingerprint),
      which,
      terminal,
    );
    for (const row of open) {
      const isMeant = fingerprint === undefined || fingerprint === row.fingerprint;
      if (!isMeant || !(await store.accept(row, userName())))
        throw new CliError(
          `${row.tool} of ${row.server} has another fingerprint by now, and was not accepted. \`alfred mcp show ${row.server} ${row.tool}\` shows it.`,
        );
      await writeAuditEntry(
        { config, db, terminal },
        {
          // Servers belong to the deployment, and an entry to a tenant.
          tenant: localPrincipal.tenant,
          action: 'mcp.accept',
          resource: { type: 'mcp_tool', id: `${row.server}/${row.tool}@${row.fingerprint}` },
        },
      );
    }
    return open;
  });
  if (json)
    return terminal.printJson({
      accepted: accepted.map(({ server, tool, fingerprint: is }) => ({ server, tool, fingerprint: is })),
    });
  if (accepted.length === 0) return terminal.note('Nothing to accept: all of them were accepted before, as they are.');
  for (const row of accepted) terminal.print(`Accepted ${row.tool} of ${row.server}: ${row.fingerprint}`);
}

/** Those that agents can use. The others are named with the reason; one that the command names is an error. */
async function usableOf(
  rows: McpToolRow[],
  { tool }: Which,
  terminal: Pick<CommandContext['terminal'], 'note'>,
): Promise<McpToolRow[]> {
  const { schemaFault } = await import('../../adapters/mcp/validators.ts');
  return rows.filter((row) => {
    const fault = schemaFault(row.definition);
    if (fault === undefined) return true;
    const message = `${row.tool} of ${row.server} cannot be used, and was not accepted: ${visible(fault)}. Its server has to be corrected.`;
    if (tool !== undefined) throw new CliError(message);
    terminal.note(message);
    return false;
  });
}

/** @throws CliError when no worker has seen such a tool */
function pick(rows: McpToolRow[], { server, tool }: Which): McpToolRow[] {
  const found = rows.filter((row) => row.server === server && (tool === undefined || row.tool === tool));
  if (found.length > 0) return found;
  throw new CliError(
    `No worker has seen ${tool === undefined ? 'a tool' : `the tool ${tool}`} of the server ${server}. \`alfred mcp list\` shows what they have seen.`,
  );
}

const settingsOf = (config: Config, { server, tool }: Pick<McpToolRow, 'server' | 'tool'>) =>
  mcpToolsIn(config.ALFRED_MCP_SERVERS).find((one) => one.server === server && one.tool === tool)?.settings;

async function statesOf(config: Config, rows: readonly McpToolRow[]): Promise<State[]> {
  const { schemaFault } = await import('../../adapters/mcp/validators.ts');
  return rows.map((row) => {
    const settings = settingsOf(config, row);
    if (!settings) return 'unlisted';
    if (schemaFault(row.definition) !== undefined) return 'unusable';
    const accepted = settings.fingerprint ?? row.acceptedFingerprint;
    if (accepted === null) return 'new';
    return accepted === row.fingerprint ? 'accepted' : 'changed';
  });
}

const read = () => withStore(async (store, { config }) => ({ rows: await store.list(), config }));

const withStore = <T>(
  run: (store: McpToolStore, deps: Parameters<Parameters<typeof withDatabase>[0]>[0]) => Promise<T>,
): Promise<T> =>
  withDatabase(async (deps) => {
    const { createMcpToolStore } = await import('../../adapters/postgres/mcp/mcp-tool-store.ts');
    return run(createMcpToolStore(deps.db), deps);
  });
