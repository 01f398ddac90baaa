import type { Command } from 'commander';
import { Me } from '../../contract/api-keys.ts';
import type { CommandContext } from '../command-context.ts';
import { formatMinute } from '../terminal/format.ts';
import { table } from '../terminal/terminal.ts';

const waysIn: Record<Me['via'], string> = {
  local: 'as the user of this machine, without a sign-in',
  oidc: 'with an access token',
  session: 'in a browser',
  api_key: 'with an API key',
};

export function addWhoami(program: Command, context: CommandContext) {
  program
    .command('whoami')
    .description('who you are for Alfred: tenant, roles, groups, and until when')
    .option(
      '--token',
      'print the token alone, for programs like curl: ALFRED_TOKEN if it is set, else that of alfred login, which counts for minutes',
    )
    .option('--json', 'as JSON')
    .action(async ({ json, token }: { json?: boolean; token?: boolean }) => {
      const { api, terminal } = context;
      if (token) return terminal.print(await api.token());
      const me = await api.call('/v1/me', { answer: Me });
      if (json) return terminal.printJson(me);
      terminal.print(
        table([
          ['subject', me.subject],
          ['tenant', me.tenant],
          ['kind', me.kind],
          ['roles', me.roles.join(', ') || 'none'],
          ['groups', me.groups.join(', ') || 'none'],
          ['scopes', me.scopes.join(', ') || 'all that the roles allow'],
          ['signed in', waysIn[me.via]],
          ['until', me.expiresAt === null ? 'no end' : formatMinute(me.expiresAt)],
        ]),
      );
    });
}
