import { sql, type Selectable } from 'kysely';
import type { McpToolDefinition, McpToolRow, McpToolStore } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { McpToolTable } from '../../../runtime/database/tables.ts';

/** A tool that has not changed is written again after so long, so that operators see that it is still there. */
const seenAgain = sql`interval '1 hour'`;

/** Tools of MCP servers as the workers see them, and what operators have accepted. The same for all tenants. */
export const createMcpToolStore = (db: Database): McpToolStore => ({
  async list() {
    const rows = await db.selectFrom('mcp_tools').selectAll().orderBy('server').orderBy('tool').execute();
    return rows.map(toRow);
  },

  async find(server, tool) {
    const row = await db
      .selectFrom('mcp_tools')
      .selectAll()
      .where('server', '=', server)
      .where('tool', '=', tool)
      .executeTakeFirst();
    return row && toRow(row);
  },

  async record(server, tools) {
    const seen = tools.map(({ fingerprint, definition }) => ({ tool: definition.name, fingerprint, definition }));
    await db.transaction().execute(async (transaction) => {
      await sql`
        insert into mcp_tools as known (server, tool, fingerprint, definition)
        select ${server}, tool, fingerprint, definition
        from jsonb_to_recordset(${JSON.stringify(seen)}::jsonb) as seen (tool text, fingerprint text, definition jsonb)
        order by tool
        on conflict (server, tool) do update
          set fingerprint = excluded.fingerprint, definition = excluded.definition, seen_at = now()
          where known.fingerprint <> excluded.fingerprint or known.seen_at < now() - ${seenAgain}`.execute(transaction);
      await sql`
        delete from mcp_tools
        where server = ${server} and accepted_fingerprint is null
          and tool <> all (${seen.map(({ tool }) => tool)}::text[])`.execute(transaction);
    });
  },

  async accept({ server, tool, fingerprint }, by) {
    const { numUpdatedRows } = await db
      .updateTable('mcp_tools')
      .set((row) => ({
        accepted_fingerprint: row.ref('fingerprint'),
        accepted_definition: row.ref('definition'),
        accepted_by: by,
        accepted_at: sql<Date>`now()`,
      }))
      .where('server', '=', server)
      .where('tool', '=', tool)
      .where('fingerprint', '=', fingerprint)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  },
});

const toRow = (row: Selectable<McpToolTable>): McpToolRow => ({
  server: row.server,
  tool: row.tool,
  fingerprint: row.fingerprint,
  definition: row.definition as McpToolDefinition,
  seenAt: row.seen_at,
  acceptedFingerprint: row.accepted_fingerprint,
  acceptedDefinition: row.accepted_definition as McpToolDefinition | null,
  acceptedBy: row.accepted_by,
  acceptedAt: row.accepted_at,
});
