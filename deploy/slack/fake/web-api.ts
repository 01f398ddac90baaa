import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRecord, parseJson } from '../../../contract/json.ts';
import { text } from './args.ts';
import type { Faults } from './faults.ts';
import type { Context, Method } from './methods/method.ts';
import { methods } from './methods/index.ts';
import type { RateLimits } from './rate-limits.ts';
import type { State } from './state.ts';
import { type Args, type Call, SlackError, type Workspace } from './types.ts';

export type WebApi = { handle(method: string, request: IncomingMessage, response: ServerResponse): Promise<void> };

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

async function readArgs(request: IncomingMessage): Promise<Args> {
  const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
  const body = (await readBody(request)).toString('utf8');
  if (request.headers['content-type']?.startsWith('application/json')) {
    const value = parseJson(body === '' ? '{}' : body);
    if (!isRecord(value)) throw new SlackError('invalid_json');
    return value;
  }
  return { ...Object.fromEntries(query), ...Object.fromEntries(new URLSearchParams(body)) };
}

const json = (response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}) => {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(value));
};

const bearer = (request: IncomingMessage): string | undefined =>
  /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];

/** @throws SlackError `not_authed`, `invalid_auth`, `not_allowed_token_type`, `account_inactive` */
export function authorize(state: State, method: Method, token: string | undefined): Workspace | undefined {
  if (method.token === 'none') return undefined;
  if (token === undefined) throw new SlackError('not_authed');
  const workspace = [...state.workspaces.values()].find(({ botToken }) => botToken === token);
  const isApp = token === state.app.appToken;
  if (!workspace && !isApp) throw new SlackError('invalid_auth');
  if ((method.token === 'app') !== isApp) throw new SlackError('not_allowed_token_type');
  if (workspace && !workspace.installed) throw new SlackError('account_inactive');
  return workspace;
}

function requireScopes(method: Method, workspace: Workspace | undefined): void {
  const { scopes } = method;
  if (!scopes || !workspace || scopes.some((scope) => workspace.scopes.has(scope))) return;
  throw new SlackError('missing_scope', { needed: scopes.join(','), provided: [...workspace.scopes].join(',') });
}

const asError = (error: unknown): Args => {
  if (error instanceof SlackError) return { ok: false, error: error.code, ...error.details };
  throw error;
};

/** The Web API over HTTP: https://docs.slack.dev/apis/web-api */
export function createWebApi({
  state,
  context,
  faults,
  rateLimits,
  calls,
}: {
  state: State;
  context: () => Omit<Context, 'workspace'>;
  faults: Faults;
  rateLimits: RateLimits;
  calls: Call[];
}): WebApi {
  const record = (call: Omit<Call, 'at'>): void => {
    const { token: _, client_secret: __, ...args } = call.args;
    calls.push({ ...call, args, at: state.clock.now() });
  };

  const run = (args: Args, method: Method, workspace: Workspace | undefined): Args => {
    try {
      requireScopes(method, workspace);
      // Methods without a workspace never ask for it.
      return { ok: true, ...method.run(args, { ...context(), workspace: workspace as Workspace }) };
    } catch (error) {
      return asError(error);
    }
  };

  return {
    async handle(name, request, response) {
      const args = await readArgs(request);
      if (faults.delayMs() > 0) await sleep(faults.delayMs());
      const method = methods[name];
      if (!method) {
        record({ method: name, args, workspace: undefined, outcome: 'unknown_method', response: {} });
        return json(response, 200, { ok: false, error: 'unknown_method' });
      }
      let workspace: Workspace | undefined;
      try {
        workspace = authorize(state, method, bearer(request) ?? text(args, 'token'));
      } catch (error) {
        const refusal = asError(error);
        record({ method: name, args, workspace: undefined, outcome: String(refusal['error']), response: refusal });
        return json(response, 200, refusal);
      }
      const common = { method: name, args, workspace: workspace?.id };
      const fault = faults.take(name);
      const limited =
        fault?.kind === 'rate_limit'
          ? fault.retryAfterSeconds
          : rateLimits.take(name, workspace?.id ?? 'app', text(args, 'channel'));
      if (limited !== undefined) {
        record({ ...common, outcome: 'ratelimited', response: { retry_after: limited } });
        return json(response, 429, { ok: false, error: 'ratelimited' }, { 'retry-after': String(limited) });
      }
      if (fault?.kind === 'http') {
        record({ ...common, outcome: `http_${fault.status}`, response: {} });
        response.writeHead(fault.status).end('upstream failure');
        return undefined;
      }
      if (fault?.kind === 'hang') return record({ ...common, outcome: 'hang', response: {} });
      const result = fault?.kind === 'error' ? { ok: false, error: fault.code } : run(args, method, workspace);
      const outcome = fault?.kind === 'lost' ? 'lost' : result['ok'] === true ? 'ok' : String(result['error']);
      record({ ...common, outcome, response: result });
      if (fault?.kind === 'lost') return void request.socket.destroy();
      return json(response, 200, result, { 'x-oauth-scopes': [...(workspace?.scopes ?? [])].join(',') });
    },
  };
}
