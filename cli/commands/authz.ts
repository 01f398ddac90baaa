import { Argument, Option, type Command } from 'commander';
import type { Scope } from '../../contract/references.ts';
import {
  actions,
  decide,
  explainDecision,
  nameOfLine,
  relations,
  resources,
  type Action,
  type Relation,
  type Resource,
} from '../../contract/rules/policy.ts';
import type { CommandContext } from '../command-context.ts';
import { loadStackConfig } from '../load-stack-config.ts';
import { table } from '../terminal/terminal.ts';

type ExplainOptions = { role?: string[]; tenant?: string; relation?: Relation; json?: boolean };

export function addAuthz(program: Command, context: CommandContext) {
  const authz = program.command('authz').description('who may do what, and which line of the policy says so');
  authz
    .command('explain')
    .description('what the policy decides, for each relation of a subject to a thing')
    .argument('<subject>', 'a person or key, as GET /v1/me shows it, like ada or key:3f9a1c5be07d2486')
    .addArgument(new Argument('<action>').choices(actions))
    .addArgument(new Argument('<resource>').choices(resources))
    .option('-r, --role <role...>', 'as if the subject had these roles; default: those that the database knows')
    .option('--tenant <tenant>', 'of the subject; default: OIDC_TENANT, else local')
    .addOption(new Option('--relation <relation>', 'only this one').choices(relations))
    .option('--json', 'as JSON')
    .action((subject: string, action: Action, resource: Resource, options: ExplainOptions) =>
      explain({ subject, action, resource }, options, context),
    );
}

async function explain(
  { subject, action, resource }: { subject: string; action: Action; resource: Resource },
  { role, tenant, relation, json }: ExplainOptions,
  { terminal }: CommandContext,
) {
  const known = role ?? (await knownRoles(subject, tenant));
  const roles = known ?? [];
  const asker = { roles, ...(subject.startsWith('key:') ? { via: 'api_key' as const } : {}) };
  const decisions = (relation === undefined ? relations : [relation]).map((one) => {
    const decision = decide(asker, one, action, resource);
    return {
      relation: one,
      allowed: decision.allowed,
      line: decision.allowed ? nameOfLine(decision.line) : null,
      code: decision.allowed ? null : decision.code,
      explanation: explainDecision(decision, { relation: one, action, resource }),
    };
  });
  if (json) return terminal.printJson({ subject, roles, isKnown: known !== undefined, action, resource, decisions });
  if (known === undefined)
    terminal.note(`The database knows no sign-in of ${subject}. What follows is for a subject without a role.`);
  terminal.print(`${subject} has ${roles.length === 0 ? 'no role' : `the roles ${roles.join(', ')}`}.\n`);
  terminal.print(
    table([
      ['RELATION', 'MAY', 'BECAUSE'],
      ...decisions.map(({ relation: one, allowed, line, code }) => [
        one,
        allowed ? 'yes' : 'no',
        line ?? `no line allows it: ${code === 'not_found' ? '404, as if it did not exist' : '403'}`,
      ]),
    ]),
  );
}

/** The roles that a subject has at this moment; undefined when no sign-in of it is known. */
async function knownRoles(subject: string, tenant: string | undefined): Promise<string[] | undefined> {
  const config = await loadStackConfig();
  const { pino } = await import('pino');
  const { openPostgres } = await import('../../runtime/database/postgres.ts');
  const { createCurrentRights } = await import('../../adapters/postgres/identity/current-rights.ts');
  const { rethrowDatabaseError } = await import('../rethrow-database-error.ts');
  const postgres = openPostgres(config, pino({ level: 'silent' }));
  const scope: Scope = { tenant: tenant ?? config.OIDC_TENANT ?? 'local', subject };
  try {
    return await createCurrentRights(postgres.db).rolesOf(scope).catch(rethrowDatabaseError(config));
  } finally {
    await postgres.close();
  }
}
