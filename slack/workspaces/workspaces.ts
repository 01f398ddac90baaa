import { LRUCache } from 'lru-cache';
import type { webApi } from '@slack/bolt';
import { AlfredError } from '../../contract/errors.ts';
import type { SlackInstallation, SlackInstallations } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { SlackAnswer } from '../api-calls/api-calls.ts';
import { SlackCallError } from '../api-calls/call-error.ts';
import { isTokenProblem } from '../api-calls/token-problems.ts';
import { createWebClient } from '../api-calls/web-client.ts';

/** How long after an operator's command a workspace may still be what it was. */
const cacheMs = 10_000;

type Installed = {
  installation: SlackInstallation;
  token: string | undefined;
  client: webApi.WebClient | undefined;
};

type Deps = {
  /** Absent: Alfred is only in workspaces that have installed it. */
  botToken: string | undefined;
  apiUrl: string | undefined;
  /** Of the workspace of the bot token. */
  tenant: string;
  /** Absent: Alfred is only in the workspace of its bot token. */
  installations: Pick<SlackInstallations, 'find'> | undefined;
  log: Pick<Logger, 'warn'>;
};

export type Workspaces = ReturnType<typeof createWorkspaces>;

/**
 * The workspaces that Alfred is in: that of SLACK_BOT_TOKEN, and those that have installed it. Each has its own token
 * and its own tenant.
 */
export function createWorkspaces({ botToken, apiUrl, tenant, installations, log }: Deps) {
  const ownClient = botToken === undefined ? undefined : createWebClient({ token: botToken, apiUrl });
  const known = new LRUCache<string, { installed: Installed | undefined }>({ max: 1_000, ttl: cacheMs });
  /** Slack's name of the error with which it refuses the token of a workspace. */
  const refused = new Map<string, string>();
  let own: { team: string; name: string } | undefined;

  /** Calls before Slack has answered who Alfred is there name no workspace. */
  const isOwn = (team: string): boolean => installations === undefined || team === '' || team === own?.team;

  async function find(team: string): Promise<Installed | undefined> {
    const cached = known.get(team);
    if (cached) return cached.installed;
    const found = await installations?.find(team);
    let installed: Installed | undefined;
    if (found) {
      const { token, ...installation } = found;
      installed = { installation, token, client: token === undefined ? undefined : createWebClient({ token, apiUrl }) };
    }
    known.set(team, { installed });
    return installed;
  }

  /** @throws SlackCallError when the database is away */
  async function clientOf(team: string, method: string): Promise<webApi.WebClient | undefined> {
    if (isOwn(team)) return ownClient;
    try {
      const installed = await find(team);
      return installed?.installation.state === 'allowed' ? installed.client : undefined;
    } catch {
      throw new SlackCallError(method, 'unavailable', 'unknown');
    }
  }

  /** @throws AlfredError for one that no operator has let in */
  async function allowed(team: string): Promise<{ tenant: string; name: string }> {
    const installation = (await find(team))?.installation;
    if (installation?.state === 'allowed' && installation.tenant !== null)
      return { tenant: installation.tenant, name: installation.name };
    throw new AlfredError('tenant_unknown', 'This workspace is not let in, so I do not answer here.');
  }

  return {
    isOwn,
    /** Slack has answered which workspace the bot token is of. */
    setOwn(team: string, name: string): void {
      own = { team, name };
    },

    /** One that has installed Alfred; undefined for another one. */
    findInstalled: find,
    /** Whether Alfred is or was in the workspace; while it is not known which one is its own, that of any. */
    isKnown: async (team: string): Promise<boolean> =>
      isOwn(team) || (ownClient !== undefined && own === undefined) || (await find(team)) !== undefined,
    /** It has changed. */
    forget: (team: string) => known.delete(team),

    /** Makes one call with the token of the workspace. @throws SlackCallError when it has none that counts */
    async send(team: string, method: string, args: Record<string, unknown>): Promise<SlackAnswer> {
      const client = await clientOf(team, method);
      if (!client) throw new SlackCallError(method, 'not_authed', 'refused');
      return { ...(await client.apiCall(method, args)) };
    },

    /** For a download. @throws SlackCallError when the workspace has none that counts */
    async tokenOf(team: string): Promise<string> {
      const installed = isOwn(team) ? undefined : await find(team);
      const token = isOwn(team) ? botToken : installed?.installation.state === 'allowed' ? installed.token : undefined;
      if (token === undefined) throw new SlackCallError('file download', 'not_authed', 'refused');
      return token;
    },

    tenantOf: async (team: string): Promise<string> => (isOwn(team) ? tenant : (await allowed(team)).tenant),
    /** Asks the database. @returns undefined when it has none */
    readTenantOf: async (team: string): Promise<string | undefined> =>
      isOwn(team) ? tenant : ((await installations?.find(team))?.tenant ?? undefined),
    nameOf: async (team: string): Promise<string> => (isOwn(team) ? (own?.name ?? '') : (await allowed(team)).name),

    /** @param outcome of a call to a workspace that has installed Alfred: `ok`, or Slack's name of the error */
    observe(team: string, outcome: string): void {
      if (isTokenProblem(outcome)) {
        if (refused.get(team) !== outcome) log.warn({ team, code: outcome }, 'Slack refuses the token of a workspace');
        refused.set(team, outcome);
      } else if (outcome === 'ok') refused.delete(team);
    },

    /** Whether Slack refuses tokens of workspaces, and what to do. People of other tenants read it: it names none. */
    async problem(): Promise<string | undefined> {
      for (const team of refused.keys()) if ((await find(team))?.installation.state !== 'allowed') refused.delete(team);
      if (refused.size === 0) return undefined;
      return `Slack refuses the tokens of installed workspaces (${refused.size}), which the log names: let a person there install Alfred again, or remove them with \`alfred slack workspaces remove\``;
    },
  };
}
