import { InvalidArgumentError, type Command } from 'commander';
import { z } from 'zod';
import type { TenantAdmin, TenantReport } from '../../contract/ports/index.ts';
import { TenantLimits } from '../../contract/tenants.ts';
import type { Config } from '../../runtime/config.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import { CliError, usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { loadStackConfig } from '../load-stack-config.ts';
import { formatDollars } from '../../contract/rules/format.ts';
import { table } from '../terminal/terminal.ts';
import type { OperatorAction } from '../../contract/rules/audit-actions.ts';
import { writeAuditEntry } from '../write-audit-entry.ts';

type JsonOption = { json?: boolean };
/** The options of `tenants limit`. Commander would make null an empty text. */
type LimitOptions = JsonOption & { [Name in keyof TenantLimits]?: number | 'none' };

/** Commands of operators. They work on the database, like `alfred migrate`: no request of the API crosses tenants. */
export function addTenants(program: Command, context: CommandContext) {
  const tenants = program.command('tenants').description('tenants, for operators: on the database, numbers only');
  tenants
    .command('list', { isDefault: true })
    .description('by name, with what they use today')
    .option('--json', 'as JSON')
    .action((options: JsonOption) => list(options, context));
  tenants
    .command('show')
    .description('one tenant: its state, its limits, what it uses')
    .argument('<name>')
    .option('--json', 'as JSON')
    .action((name: string, options: JsonOption) => act(context, options, name, { run: (admin) => admin.get(name) }));
  tenants
    .command('add')
    .alias('create')
    .description('add a tenant, active and without limits; safe to repeat')
    .argument('<name>', 'as tokens name it', tenantName)
    .option('--json', 'as JSON')
    .action((name: string, options: JsonOption) =>
      act(context, options, name, { run: (admin) => admin.add(name), action: 'tenant.add' }),
    );
  tenants
    .command('suspend')
    .description('let nothing start, and let running tasks wait; everything can be read')
    .argument('<name>', 'as tokens name it', tenantName)
    .requiredOption('-r, --reason <text>', 'its people read it')
    .option('--json', 'as JSON')
    .action((name: string, { reason, ...options }: JsonOption & { reason: string }) =>
      act(context, options, name, { run: (admin) => admin.suspend(name, reason), action: 'tenant.suspend' }),
    );
  tenants
    .command('resume')
    .description('let it work again; tasks that wait go on by themselves')
    .argument('<name>')
    .option('--json', 'as JSON')
    .action((name: string, options: JsonOption) =>
      act(context, options, name, { run: (admin) => admin.resume(name), action: 'tenant.resume' }),
    );
  tenants
    .command('limit')
    .description('limits of a tenant; what is left out stays, `none` takes a limit away')
    .argument('<name>', 'as tokens name it', tenantName)
    .option('--cost-usd-per-day <dollars>', 'of model calls; tasks wait for the next day', limit)
    .option('--tasks-per-day <number>', 'that are made', limit)
    .option('--tasks-at-once <number>', 'queued and running', limit)
    .option('--documents <number>', 'that are kept', limit)
    .option('--document-mb <megabytes>', 'of their files', limit)
    .option('--json', 'as JSON')
    .action((name: string, options: LimitOptions) => setLimits(name, options, context));
}

/** Names come from tokens, so any name may be one; control characters are a mistake. */
function tenantName(value: string): string {
  if (!/^[^\s\u0000-\u001f\u007f]{1,200}$/.test(value))
    throw new InvalidArgumentError('expected a name without spaces');
  return value;
}

function limit(value: string): number | 'none' {
  if (value === 'none') return value;
  if (!/^\d{1,10}(\.\d{1,6})?$/.test(value)) throw new InvalidArgumentError('expected a number, or none');
  return Number(value);
}

async function setLimits(name: string, { json, ...options }: LimitOptions, context: CommandContext) {
  const limits = Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key, value === 'none' ? null : value]),
  );
  if (Object.keys(limits).length === 0) throw usageError('Name a limit, like --tasks-at-once 50.');
  const set = Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== null));
  const checked = TenantLimits.safeParse(set);
  if (!checked.success) throw usageError(z.prettifyError(checked.error));
  await act(context, { json }, name, { run: (admin) => admin.limit(name, limits), action: 'tenant.limit' });
}

/** Does something with one tenant, and shows it. A change is in the audit log, as `action`. */
async function act(
  { terminal }: CommandContext,
  { json }: { json?: boolean | undefined },
  name: string,
  { run, action }: { run: (admin: TenantAdmin) => Promise<TenantReport | undefined>; action?: OperatorAction },
) {
  const report = await withAdmin(async (admin, { config, db }) => {
    const done = await run(admin);
    const resource = { type: 'tenant', id: name };
    if (done && action !== undefined)
      await writeAuditEntry({ config, db, terminal }, { tenant: name, action, resource });
    return done;
  });
  if (!report) throw new CliError(`There is no tenant ${name}. \`alfred tenants\` lists them.`);
  if (json) return terminal.printJson(report);
  const { state, reason, suspendedAt, limits, use } = report;
  const of = (used: string, max: number | undefined) => (max === undefined ? used : `${used} of ${max}`);
  terminal.print(
    table([
      ['tenant', name],
      ['state', state === 'implicit' ? 'active, not added' : state],
      ...(suspendedAt === null ? [] : [['since', suspendedAt]]),
      ...(reason === null ? [] : [['reason', reason]]),
      ['tasks at once', of(String(use.tasksAtOnce), limits.tasksAtOnce)],
      ['tasks waiting', String(use.tasksWaiting)],
      ['tasks today', of(String(use.tasksToday), limits.tasksPerDay)],
      ['cost today', of(formatDollars(use.costUsdToday), limits.costUsdPerDay)],
      ['documents', of(String(use.documents), limits.documents)],
      ['their MB', of(use.documentMb.toFixed(1), limits.documentMb)],
    ]),
  );
}

async function list({ json }: JsonOption, { terminal }: CommandContext) {
  const tenants = await withAdmin((admin) => admin.list());
  if (json) return terminal.printJson({ tenants, nextCursor: null });
  if (tenants.length === 0) return terminal.note('No tenants. Add one: alfred tenants add acme');
  const rows = tenants.map(({ name, state, use }) => [
    name,
    state === 'implicit' ? 'active' : state,
    String(use.tasksAtOnce),
    String(use.tasksWaiting),
    String(use.tasksToday),
    formatDollars(use.costUsdToday),
    String(use.documents),
    use.documentMb.toFixed(1),
  ]);
  const head = ['NAME', 'STATE', 'AT ONCE', 'WAITING', 'TODAY', 'COST TODAY', 'DOCUMENTS', 'MB'];
  terminal.print(table([head, ...rows]));
}

/** Opens the database for one command. */
async function withAdmin<T>(
  run: (admin: TenantAdmin, deps: { config: Config; db: Database }) => Promise<T>,
): Promise<T> {
  const config = await loadStackConfig();
  const [{ pino }, { openPostgres }, { createErasure }, { createTenantAdmin }, { rethrowDatabaseError }] =
    await Promise.all([
      import('pino'),
      import('../../runtime/database/postgres.ts'),
      import('../../adapters/postgres/erasure/erasure.ts'),
      import('../../adapters/postgres/tenants/tenant-admin.ts'),
      import('../rethrow-database-error.ts'),
    ]);
  const log = pino({ level: 'silent' });
  const postgres = openPostgres(config, log);
  try {
    const listNames = () => createErasure(postgres.db, log).listTenants();
    const admin = createTenantAdmin(postgres.db, listNames);
    return await run(admin, { config, db: postgres.db }).catch(rethrowDatabaseError(config));
  } finally {
    await postgres.close();
  }
}
