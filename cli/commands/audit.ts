import type { Command } from 'commander';
import { AuditList, auditOutcomes, type AuditEntry } from '../../contract/audit.ts';
import { CliError, exitCodes } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { loadStackConfig } from '../load-stack-config.ts';
import { formatMinute } from '../terminal/format.ts';
import { table, type Terminal } from '../terminal/terminal.ts';
import { addListOptions, noteMore, readPages, type ListOptions } from './list-options.ts';

type Filter = { subject?: string; action?: string; outcome?: string; from?: string; to?: string };

const rowsAtOnce = 5_000;
const printedFindings = 20;

export function addAudit(program: Command, context: CommandContext) {
  const { terminal } = context;
  const audit = program.command('audit').description('the log of who did what');
  addListOptions(
    audit.command('list', { isDefault: true }).description('newest first, of your tenant; for the role admin'),
    { usual: 50 },
  )
    .option('--subject <subject>', 'only what this subject did')
    .option('--action <action>', 'only this action, like task.start')
    .option('--outcome <outcome>', `only what came out like this: ${auditOutcomes.join(', ')}`)
    .option('--from <time>', 'only what was done at this time or later, like 2026-11-01T00:00:00Z')
    .option('--to <time>', 'only what was done before this time')
    .action((options: ListOptions & Filter) => list(options, context));
  audit
    .command('verify')
    .description('check every entry of every tenant, in the database; needs the key of the log')
    .option('--from-checkpoint <place>', 'where checkpoints are kept; default: ALFRED_AUDIT_CHECKPOINTS')
    .option('--json', 'as JSON')
    .action((options: { fromCheckpoint?: string; json?: boolean }) => verify(options, terminal));
  audit
    .command('export')
    .description('every entry of every tenant, oldest first, a JSON object a line')
    .action(() => exportEntries(terminal));
}

async function list(options: ListOptions & Filter, { api, terminal }: CommandContext) {
  const { subject, action, outcome, from, to } = options;
  const { items: entries, nextCursor } = await readPages(options, {
    usual: 50,
    pageSize: 200,
    async read(query) {
      const answer = await api.call('/v1/audit', {
        query: { ...query, subject, action, outcome, from, to },
        answer: AuditList,
      });
      return { ...answer, items: answer.entries };
    },
  });
  if (options.json) return terminal.printJson({ entries, nextCursor });
  if (entries.length === 0) return terminal.note('No entries.');
  terminal.print(table([['TIME', 'SUBJECT', 'ACTION', 'OUTCOME', 'ON', 'FROM'], ...entries.map(rowOf)]));
  noteMore({ nextCursor }, terminal);
}

const rowOf = ({ at, subject, action, outcome, code, count, resource, address }: AuditEntry) => [
  formatMinute(at),
  subject || '-',
  count > 1 ? `${action} (${count} times)` : action,
  code === null ? outcome : `${outcome}: ${code}`,
  resource === null ? '' : `${resource.type} ${resource.id}`,
  address ?? '',
];

/** The parts that work on the database directly, as only an operator can. */
async function openLog() {
  const config = await loadStackConfig();
  const { pino } = await import('pino');
  const { openPostgres } = await import('../../runtime/database/postgres.ts');
  const { createAuditStore } = await import('../../adapters/postgres/audit/audit-store.ts');
  const { rethrowDatabaseError } = await import('../rethrow-database-error.ts');
  const postgres = openPostgres(config, pino({ level: 'silent' }));
  const rethrow = rethrowDatabaseError(config);
  await postgres.pool.query('select seq from audit_head').catch(rethrow);
  return { config, store: createAuditStore(postgres.db), close: () => postgres.close() };
}

async function verify({ fromCheckpoint, json }: { fromCheckpoint?: string; json?: boolean }, terminal: Terminal) {
  const { config, store, close } = await openLog();
  try {
    const { readAuditKeys } = await import('../../runtime/audit-keys.ts');
    const { verifyLog } = await import('../../adapters/audit/verify-log.ts');
    const place = fromCheckpoint ?? config.ALFRED_AUDIT_CHECKPOINTS;
    const keys = await readAuditKeys(config, { mayMake: false });
    const outside = place === undefined ? [] : await readCheckpoints(place, config);
    const result = await verifyLog({ store, keys, outside, rowsAtOnce });
    if (result.findings.length > 0) process.exitCode = exitCodes.failed;
    if (json) return terminal.printJson(result);
    const { findings, more, entries, from, to } = result;
    for (const { message } of findings.slice(0, printedFindings)) terminal.print(message);
    const others = findings.length - printedFindings + more;
    if (others > 0) terminal.print(`and ${others} more`);
    if (entries === 0 && findings.length === 0) return terminal.print('The audit log is empty.');
    if (findings.length === 0) terminal.print(`${entries} entries, ${from} to ${to}, are as they were written.`);
    if (place === undefined)
      terminal.note(
        'No place off the machine holds checkpoints (ALFRED_AUDIT_CHECKPOINTS): entries that were cut off at the end together with a copy of its old end cannot be noticed.',
      );
    else terminal.note(`Compared with ${outside.length} checkpoints in ${place}.`);
  } finally {
    await close();
  }
}

async function readCheckpoints(place: string, config: Awaited<ReturnType<typeof openLog>>['config']) {
  const { openCheckpointPlace } = await import('../../adapters/audit/checkpoint-place.ts');
  try {
    return await openCheckpointPlace(place, config).read();
  } catch (error) {
    throw new CliError(
      `The checkpoints in ${place} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

async function exportEntries(terminal: Terminal) {
  const { store, close } = await openLog();
  try {
    let after = 0;
    while (true) {
      const rows = await store.readAfter(after, rowsAtOnce);
      const last = rows.at(-1);
      if (last === undefined) return;
      const lines = rows.map(({ previous, hash, ...row }) =>
        JSON.stringify({ ...row, previous: previous.toString('hex'), hash: hash.toString('hex') }),
      );
      terminal.print(lines.join('\n'));
      after = last.seq;
    }
  } finally {
    await close();
  }
}
