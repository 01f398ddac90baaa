import type { Agents } from '../agents/index.ts';
import { AlfredError } from '../contract/errors.ts';
import type { TaskRequest } from '../contract/task.ts';
import { parse } from './http/problems.ts';

/**
 * The request with its input as the agent's own schema sees it.
 *
 * @param at where the request stands in the body
 * @throws AlfredError `unknown_agent`, InvalidRequest
 */
export function checkInput<R extends Pick<TaskRequest, 'agent' | 'input'>>(
  agents: Agents,
  request: R,
  at: string[] = [],
): R {
  const agent = Object.hasOwn(agents, request.agent) ? agents[request.agent] : undefined;
  if (!agent) {
    throw new AlfredError(
      'unknown_agent',
      `There is no agent "${request.agent}". There are: ${Object.keys(agents).join(', ')}.`,
    );
  }
  return { ...request, input: parse(agent.input, request.input, [...at, 'input']) as TaskRequest['input'] };
}
