import type { Command } from 'commander';
import { z } from 'zod';
import { ApiKey, ApiKeyList, ApiKeyRequest, ApiKeyRotation, NewApiKey } from '../../contract/api-keys.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { formatMinute } from '../terminal/format.ts';
import { table } from '../terminal/terminal.ts';
import { addListOptions, noteMore, readPages, type ListOptions } from './list-options.ts';
import { wholeNumber } from './number-options.ts';

type AddOptions = { role?: string[]; scope?: string[]; expiresInDays?: number; json?: boolean };
type RotateOptions = { overlap?: number; json?: boolean };

export function addKeys(program: Command, context: CommandContext) {
  const keys = program.command('keys').description('API keys, with which services sign in');
  keys
    .command('add')
    .alias('create')
    .description('make a key for a service, and print it once')
    .argument('<name>', 'what it is for, like nightly-report')
    .option('-r, --role <role...>', 'roles of yours that it has too; default: none')
    .option('-s, --scope <scope...>', 'what it may be used for, like tasks:write; default: all that its roles allow')
    .option('--expires-in-days <days>', 'default: it does not expire', wholeNumber({ from: 1, like: 90 }))
    .option('--json', 'as JSON')
    .action((name: string, options: AddOptions) => add(name, options, context));
  addListOptions(
    keys.command('list', { isDefault: true }).description('newest first; with the role admin all of the tenant'),
    { usual: 100 },
  ).action((options: ListOptions) => list(options, context));
  keys
    .command('show')
    .description('one key: what it allows, and when it was used')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action(async (id: string, { json }: { json?: boolean }) => {
      print(await context.api.call(path(id), { answer: ApiKey }), json, context);
    });
  keys
    .command('rotate')
    .description('replace a key by a new one, and print that once; what the key is and may stays')
    .argument('<id>')
    .option(
      '--overlap <seconds>',
      'how long the key of before still counts; default: 86400, a day',
      wholeNumber({ from: 0, like: 3600 }),
    )
    .option('--json', 'as JSON')
    .action((id: string, options: RotateOptions) => rotate(id, options, context));
  keys
    .command('remove')
    .alias('delete')
    .description('revoke a key for ever; it stays in the list')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const key = await context.api.call(path(id), { method: 'DELETE', answer: ApiKey });
      if (json) return context.terminal.printJson(key);
      context.terminal.print(`${id} is revoked. It counts for five seconds more.`);
    });
}

const path = (id: string) => `/v1/api-keys/${encodeURIComponent(id)}`;

async function add(name: string, { role, scope, expiresInDays, json }: AddOptions, context: CommandContext) {
  const request = ApiKeyRequest.safeParse({ name, roles: role, scopes: scope, expiresInDays });
  if (!request.success) throw usageError(z.prettifyError(request.error));
  const made = await context.api.call('/v1/api-keys', { method: 'POST', json: request.data, answer: NewApiKey });
  printOnce(made, json, context);
}

async function rotate(id: string, { overlap, json }: RotateOptions, context: CommandContext) {
  const request = ApiKeyRotation.safeParse({ overlapS: overlap });
  if (!request.success) throw usageError(z.prettifyError(request.error));
  const rotated = await context.api.call(`${path(id)}/rotate`, {
    method: 'POST',
    json: request.data,
    answer: NewApiKey,
  });
  printOnce(rotated, json, context);
}

/** The key alone goes to standard output, for a script to keep. */
function printOnce(made: NewApiKey, json: boolean | undefined, { terminal }: CommandContext) {
  if (json) return terminal.printJson(made);
  terminal.print(made.key);
  terminal.note(`Keep it: it is not shown again. Its id is ${made.id}, and what it makes belongs to ${made.subject}.`);
  if (made.oldKeyUntil !== null) terminal.note(`The key of before counts until ${formatMinute(made.oldKeyUntil)}.`);
}

async function list(options: ListOptions, { api, terminal }: CommandContext) {
  const { items: keys, nextCursor } = await readPages(options, {
    usual: 100,
    pageSize: 100,
    async read(query) {
      const answer = await api.call('/v1/api-keys', { query, answer: ApiKeyList });
      return { ...answer, items: answer.keys };
    },
  });
  if (options.json) return terminal.printJson({ keys, nextCursor });
  if (keys.length === 0) return terminal.note('No keys. Make one: alfred keys add nightly-report');
  terminal.print(table([['ID', 'NAME', 'STATE', 'ROLES', 'EXPIRES', 'LAST USE'], ...keys.map(rowOf)]));
  noteMore({ nextCursor }, terminal);
}

const time = (at: string | null) => (at === null ? 'never' : formatMinute(at));

const rowOf = ({ id, name, state, roles, expiresAt, lastUsedAt }: ApiKey) => [
  id,
  name,
  state,
  roles.join(', '),
  time(expiresAt),
  time(lastUsedAt),
];

function print(key: ApiKey, json: boolean | undefined, { terminal }: CommandContext) {
  if (json) return terminal.printJson(key);
  terminal.print(
    table([
      ['key', key.id],
      ['name', key.name],
      ['state', key.state],
      ['subject', key.subject],
      ['made by', key.createdBy],
      ['roles', key.roles.join(', ') || 'none'],
      ['scopes', key.scopes.join(', ') || 'all that its roles allow'],
      ['made', formatMinute(key.createdAt)],
      ['expires', time(key.expiresAt)],
      ['last use', time(key.lastUsedAt)],
      ...(key.rotatedAt === null ? [] : [['rotated', formatMinute(key.rotatedAt)]]),
      ...(key.oldKeyUntil === null ? [] : [['old key until', formatMinute(key.oldKeyUntil)]]),
      ...(key.revokedAt === null ? [] : [['revoked', formatMinute(key.revokedAt)]]),
    ]),
  );
}
