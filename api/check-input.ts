import { findAgent, type Agents } from '../agents/index.ts';
import { AlfredError } from '../contract/errors.ts';
import type { TaskRequest } from '../contract/task.ts';
import { parse } from './http/problems.ts';

/**
 * Validates the input of a request against its agent's schema.
 *
 * @param at where the request stands in the body
 * @returns the request with the parsed input
 * @throws AlfredError `unknown_agent`, InvalidRequest
 */
export function checkInput<R extends Pick<TaskRequest, 'agent' | 'input'>>(
  agents: Agents,
  request: R,
  at: string[] = [],
): R {
  const agent = findAgent(agents, request.agent);
  if (!agent) {
    throw new AlfredError(
      'unknown_agent',
      `There is no agent "${request.agent}". There are: ${Object.keys(agents).join(', ')}.`,
    );
  }
  return { ...request, input: parse(agent.input, request.input, [...at, 'input']) as TaskRequest['input'] };
}
