import type { Tasks } from '../../contract/ports/index.ts';
import type { TaskRef } from '../../contract/references.ts';
import { mayUseTool } from '../../contract/rules/agent-rights.ts';

export type ToolRightsDeps = {
  tasks: Pick<Tasks, 'getCurrentRoles'>;
  /** The roles that a tool of an agent is kept for; undefined: every task of the agent may call it. */
  toolRolesOf: (agent: string, tool: string) => readonly string[] | undefined;
};

/** Those of the tools that a task may call at this moment, with the roles of its request that its owner still has. */
export async function callableTools(
  { tasks, toolRolesOf }: ToolRightsDeps,
  task: TaskRef,
  tools: readonly string[],
): Promise<readonly string[]> {
  if (tools.every((tool) => toolRolesOf(task.agent, tool) === undefined)) return tools;
  const roles = await tasks.getCurrentRoles(task);
  return tools.filter((tool) => mayUseTool(roles, toolRolesOf(task.agent, tool)));
}

export const mayCallTool = async (deps: ToolRightsDeps, task: TaskRef, tool: string): Promise<boolean> =>
  (await callableTools(deps, task, [tool])).length > 0;
