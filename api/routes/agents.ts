import { z } from 'zod';
import { AgentList, type AgentDescription } from '../../contract/agents.ts';
import type { Agent } from '../../agents/index.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { json, problems } from '../http/responses.ts';

export const agentRoutes =
  ({ agents }: Pick<ApiDeps, 'agents'>) =>
  async (app: Api) => {
    const list = { agents: Object.entries(agents).map(([name, agent]) => describe(name, agent)) };

    app.route({
      method: 'GET',
      url: '/v1/agents',
      schema: {
        operationId: 'listAgents',
        tags: ['agents'],
        summary: 'List the agents, with the schemas of their input and output',
        response: { 200: json('Every agent', AgentList), ...problems() },
      },
      handler: async (_request, reply) => reply.send(list),
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
