import { z } from 'zod';
import { findAgent } from '../../agents/index.ts';
import {
  AgentSettings,
  AgentSettingsChange,
  AgentSettingsList,
  AgentSettingsListQuery,
  AgentSettingsRollback,
  AgentSettingsVersion,
  type OwnAgentSettings,
} from '../../contract/agent-settings.ts';
import { AlfredError } from '../../contract/errors.ts';
import { agentInTenant, modelsInTenant, namedModels } from '../../runtime/agent-in-tenant.ts';
import { agentSettings } from '../../runtime/agent-settings.ts';
import { whyNotCallable } from '../../runtime/callable-model.ts';
import { checkOwnSettings } from '../check-own-settings.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { bodyProblems, json, problems } from '../http/responses.ts';

type Deps = Pick<ApiDeps, 'agents' | 'catalog' | 'config' | 'providers' | 'tenantAgents'>;

const AgentParams = z.object({ name: z.string().describe('Of the agent, as `GET /v1/agents` lists it') });
const VersionParams = AgentParams.extend({
  version: z.coerce.number().int().min(1).max(1_000_000_000).describe('As the list of versions has it'),
});

/** What tenants set for agents, in versions. A change is for tasks that begin after it. */
export const agentSettingsRoutes = (deps: Deps) => async (app: Api) => {
  readRoutes(app, deps);
  changeRoutes(app, deps);
};

function readRoutes(app: Api, deps: Deps) {
  const { tenantAgents } = deps;

  app.route({
    method: 'GET',
    url: '/v1/agents/:name/settings',
    schema: {
      operationId: 'getAgentSettings',
      tags: ['agents'],
      summary: 'Read what your tenant has set for an agent, and what it may set; for the role admin',
      params: AgentParams,
      response: { 200: json('What holds now', AgentSettings), ...problems('not_found') },
    },
    handler: async ({ scope, params: { name } }, reply) => {
      requireAgent(deps, name);
      return reply.send(show(deps, name, await tenantAgents.get({ tenant: scope.tenant, agent: name })));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/agents/:name/settings/versions',
    schema: {
      operationId: 'listAgentSettings',
      tags: ['agents'],
      summary: 'List the versions of an agent’s settings, newest first',
      params: AgentParams,
      querystring: AgentSettingsListQuery,
      response: { 200: json('One page', AgentSettingsList), ...problems('not_found', 'invalid_request') },
    },
    handler: async ({ scope, params: { name }, query }, reply) => {
      requireAgent(deps, name);
      return reply.send(await tenantAgents.list({ tenant: scope.tenant, agent: name }, query));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/agents/:name/settings/versions/:version',
    schema: {
      operationId: 'getAgentSettingsVersion',
      tags: ['agents'],
      summary: 'Read one version of an agent’s settings',
      params: VersionParams,
      response: { 200: json('The version', AgentSettingsVersion), ...problems('not_found') },
    },
    handler: async ({ scope, params: { name, version } }, reply) => {
      requireAgent(deps, name);
      return reply.send(await findVersion(deps, scope.tenant, { name, version }));
    },
  });
}

function changeRoutes(app: Api, deps: Deps) {
  const { tenantAgents } = deps;

  app.route({
    method: 'PUT',
    url: '/v1/agents/:name/settings',
    schema: {
      operationId: 'setAgentSettings',
      tags: ['agents'],
      summary: 'Set an agent’s instructions, models, budget and users for your tenant, as a new version',
      description:
        'What the body leaves out is as the operator has it. Tasks that have been asked for keep the version that they began with; within five seconds every process uses the new one. The same settings again make no version.',
      params: AgentParams,
      body: AgentSettingsChange,
      response: {
        200: json('What holds now', AgentSettings),
        ...problems('not_found', 'settings_changed', ...bodyProblems),
      },
    },
    handler: async ({ scope, params: { name }, body }, reply) => {
      requireAgent(deps, name);
      const { note, basedOn, ...settings } = body;
      await checkOwnSettings(deps, scope, name, settings);
      return reply.send(show(deps, name, await tenantAgents.set(scope, name, { settings, note, basedOn })));
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/agents/:name/settings/rollback',
    schema: {
      operationId: 'rollBackAgentSettings',
      tags: ['agents'],
      summary: 'Bring a version back, as a new version',
      description:
        'Version 0 stands for an agent of which the tenant has set nothing. What the operator does not allow any more is refused. Safe to repeat.',
      params: AgentParams,
      body: AgentSettingsRollback,
      response: {
        200: json('What holds now', AgentSettings),
        ...problems('not_found', 'settings_changed', ...bodyProblems),
      },
    },
    handler: async ({ scope, params: { name }, body }, reply) => {
      requireAgent(deps, name);
      const { version, note, basedOn } = body;
      const settings = version === 0 ? {} : (await findVersion(deps, scope.tenant, { name, version })).settings;
      await checkOwnSettings(deps, scope, name, settings);
      const set = await tenantAgents.set(scope, name, { settings, note, basedOn, restores: version });
      return reply.send(show(deps, name, set));
    },
  });
}

/** @throws AlfredError `not_found` */
function requireAgent({ agents }: Deps, name: string) {
  const agent = findAgent(agents, name);
  if (!agent)
    throw new AlfredError('not_found', `There is no agent "${name}". There are: ${Object.keys(agents).join(', ')}.`);
  return agent;
}

/** @throws AlfredError `not_found` */
async function findVersion(
  { tenantAgents }: Deps,
  tenant: string,
  { name, version }: { name: string; version: number },
) {
  const found = await tenantAgents.get({ tenant, agent: name }, version);
  if (!found) throw new AlfredError('not_found', `The settings of the agent ${name} have no version ${version}.`);
  return found;
}

function show(deps: Deps, name: string, newest: AgentSettingsVersion | undefined): AgentSettings {
  const { config } = deps;
  const settings: OwnAgentSettings = newest?.settings ?? {};
  const own = newest && { ...settings, version: newest.version };
  const { instructions, remote } = requireAgent(deps, name);
  const elsewhere = remote && `${remote.protocol}:${name}`;
  const { model, fallbacks, budget, roles } = agentSettings(config, name);
  const inTenant = agentInTenant(config, name, own);
  const isUsable = (each: string) => whyNotCallable(each, deps) === undefined;
  return {
    agent: name,
    version: newest?.version ?? 0,
    settings,
    note: newest?.note ?? null,
    by: newest?.by ?? null,
    at: newest?.at ?? null,
    operator: {
      instructions,
      model: elsewhere ?? [model, ...fallbacks].join(','),
      models: remote ? [] : namedModels(config).filter(isUsable),
      budget,
      roles: roles ?? null,
    },
    effective: {
      enabled: inTenant.isEnabled,
      model: elsewhere ?? modelsInTenant(config, name, { own, isUsable }).join(','),
      budget: inTenant.budget,
    },
  };
}
