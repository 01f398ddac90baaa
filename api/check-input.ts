import type { Agents } from '../agents/index.ts';
import { AlfredError } from '../contract/errors.ts';
import type { TaskRequest } from '../contract/task.ts';
import { parse } from './problems.ts';

/** The input as the agent's own schema sees it. @throws AlfredError `unknown_agent`, InvalidRequest */
export const createInputCheck =
  (agents: Agents) =>
  (name: string, input: TaskRequest['input'], at: string[] = ['input']): TaskRequest['input'] => {
    const agent = Object.hasOwn(agents, name) ? agents[name] : undefined;
    if (!agent)
      throw new AlfredError(
        'unknown_agent',
        `There is no agent "${name}". There are: ${Object.keys(agents).join(', ')}.`,
      );
    return parse(agent.input, input, at) as TaskRequest['input'];
  };
export type CheckInput = ReturnType<typeof createInputCheck>;
