import { z } from 'zod';
import { AgentList, type AgentDescription } from '../../contract/agents.ts';
import type { Agent } from '../../agents/index.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { usableAgents } from '../usable-agents.ts';
import { json, problems } from '../http/responses.ts';

export const agentRoutes = (deps: Pick<ApiDeps, 'agents' | 'config'>) => async (app: Api) => {
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
      reply.send({ agents: Object.keys(usableAgents(deps, scope)).flatMap((name) => described.get(name) ?? []) }),
  });
};

const describe = (name: string, { description, tools, maxSteps, input, output }: Agent): AgentDescription => ({
  name,
  description,
  tools: [...tools],
  maxSteps,
  inputSchema: z.toJSONSchema(input, { io: 'input' }) as AgentDescription['inputSchema'],
  outputSchema: z.toJSONSchema(output, { io: 'output' }) as AgentDescription['outputSchema'],
});
