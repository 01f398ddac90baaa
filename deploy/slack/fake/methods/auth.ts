import { required, text } from '../args.ts';
import { SlackError } from '../types.ts';
import type { Method } from './method.ts';

const test: Method = {
  run(_args, { state, workspace, url }) {
    return {
      url: `${url}/`,
      team: workspace.name,
      user: state.users.get(workspace.botUserId)?.name,
      team_id: workspace.id,
      user_id: workspace.botUserId,
      bot_id: workspace.botId,
      is_enterprise_install: workspace.isOrg,
    };
  },
};

const revoke: Method = {
  run(_args, { workspace }) {
    workspace.installed = false;
    return { revoked: true };
  },
};

const oauthAccess: Method = {
  token: 'none',
  run(args, { state }) {
    if (text(args, 'client_id') !== state.app.clientId) throw new SlackError('invalid_client_id');
    if (text(args, 'client_secret') !== state.app.clientSecret) throw new SlackError('bad_client_secret');
    const code = required(args, 'code', 'invalid_code');
    const workspace = state.workspaces.get(state.oauthCodes.get(code) ?? '');
    if (!workspace || !state.oauthCodes.delete(code)) throw new SlackError('invalid_code');
    workspace.installed = true;
    return {
      app_id: state.app.id,
      authed_user: { id: workspace.botUserId },
      scope: [...workspace.scopes].join(','),
      token_type: 'bot',
      access_token: workspace.botToken,
      bot_user_id: workspace.botUserId,
      team: workspace.isOrg ? null : { id: workspace.id, name: workspace.name },
      enterprise: workspace.isOrg ? { id: `E${workspace.id.slice(1)}`, name: workspace.name } : null,
      is_enterprise_install: workspace.isOrg,
    };
  },
};

export const authMethods: Record<string, Method> = {
  'api.test': { token: 'none', run: (args) => ({ args }) },
  'auth.revoke': revoke,
  'auth.test': test,
  'oauth.v2.access': oauthAccess,
  'apps.connections.open': { token: 'app', run: (_args, { openSocket }) => ({ url: openSocket() }) },
};
