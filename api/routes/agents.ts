import { z } from 'zod';
import { AgentList, type AgentDescription } from '../../contract/agents.ts';
import type { Principal } from '../../contract/principal.ts';
import { mayUseTool } from '../../contract/rules/agent-rights.ts';
import type { Agent } from '../../agents/index.ts';
import { toolRolesOf } from '../../runtime/agent-settings.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { usableAgents } from '../usable-agents.ts';
import { json, problems } from '../http/responses.ts';

export const agentRoutes = (deps: Pick<ApiDeps, 'agents' | 'config' | 'tenants'>) => async (app: Api) => {
  const isUsable = ({ roles }: Principal, agent: string, tool: string) =>
    mayUseTool(roles, toolRolesOf(deps.config, agent, tool));
  const described = new Map(Object.entries(deps.agents).map(([name, agent]) => [name, describe(name, agent)]));

  app.route({
    method: 'GET',
    url: '/v1/agents',
    schema: {
      operationId: 'listAgents',
      tags: ['agents'],
      summary: 'List the agents that you may use, with the schemas of their input and output',
      response: { 200: json('Every agent', AgentList), ...problems() },
    },
    handler: async ({ scope }, reply) =>
      reply.send({
        agents: Object.keys(await usableAgents(deps, scope)).flatMap((name) => {
          const agent = described.get(name);
          return agent ? [{ ...agent, tools: agent.tools.filter((tool) => isUsable(scope, name, tool)) }] : [];
        }),
      }),
  });
};

const describe = (name: string, agent: Agent): AgentDescription => {
  const { description, tools, maxSteps, input, output, answer, pack } = agent;
  return {
    name,
    description,
    tools: [...tools],
    maxSteps,
    inputSchema: schemaOf(input, 'input'),
    outputSchema: schemaOf(output, 'output'),
    ...(answer && { answerSchema: schemaOf(answer, 'output') }),
    ...(pack && { pack: `${pack.name}@${pack.version}` }),
  };
};

const schemaOf = (schema: z.ZodType, io: 'input' | 'output') =>
  z.toJSONSchema(schema, { io }) as AgentDescription['inputSchema'];
