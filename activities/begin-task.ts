import type { OwnAgent } from '../contract/agent-settings.ts';
import type { TenantAgents, Tasks } from '../contract/ports/index.ts';
import type { BudgetLimits, TaskRef } from '../contract/references.ts';
import { agentNotYours, currentRun } from './activity-context.ts';
import type { AgentSettingsDeps } from './agent-settings.ts';

export type BeginTaskDeps = AgentSettingsDeps & {
  tasks: Pick<Tasks, 'get' | 'getCurrentRoles' | 'start'>;
  tenantAgents: Pick<TenantAgents, 'get'>;
  /** The agent's model, then its fallbacks in order. @param own what the tenant has set; undefined: nothing */
  modelsOf: (agent: string, own: Pick<OwnAgent, 'model'> | undefined) => [string, ...string[]];
};

type Begun = { budget: BudgetLimits; isSteered: boolean; models: [string, ...string[]] };

/**
 * Begins a task with the settings that its tenant had when the task was stored, however often it begins.
 *
 * @throws AlfredError `unknown_agent`
 */
export async function beginTask(deps: BeginTaskDeps, task: TaskRef): Promise<Begun> {
  // Of most tasks the version is the newest, which is known without a question.
  let own = (await deps.tenants.find(task.tenant)).agents.get(task.agent);
  while (true) {
    const begun = (await findOtherVersion(deps, task, own)) ?? (await start(deps, task, own));
    if ('models' in begun) return begun;
    own = await loadVersion(deps, task, begun.settingsVersion);
  }
}

async function start({ tasks, modelsOf }: BeginTaskDeps, task: TaskRef, own: OwnAgent | undefined) {
  const models = modelsOf(task.agent, own);
  const started = await tasks.start(task, currentRun(), { model: models[0], settingsVersion: own?.version });
  return 'budget' in started ? { ...started, models } : started;
}

/**
 * Asks once more who may use the agent: the roles of the owner may have changed since the door let the request in. A
 * task that has begun goes on, also when its workflow was reset or started again.
 *
 * @returns the version of the task, when it is another one and so decides
 * @throws AlfredError `unknown_agent`
 */
async function findOtherVersion(
  deps: BeginTaskDeps,
  task: TaskRef,
  own: OwnAgent | undefined,
): Promise<{ settingsVersion: number | null } | undefined> {
  const agent = deps.agentInTenant(task.agent, own);
  if (agent.isForAll || agent.mayBeUsedWith(await deps.tasks.getCurrentRoles(task))) return undefined;
  const row = await deps.tasks.get(task, task.taskId);
  const settingsVersion = row?.settingsVersion ?? null;
  if (row && settingsVersion !== agent.version) return { settingsVersion };
  if (row?.startedAt) return undefined;
  throw agentNotYours(task.agent);
}

async function loadVersion(
  { tenantAgents }: BeginTaskDeps,
  { tenant, agent }: TaskRef,
  version: number | null,
): Promise<OwnAgent | undefined> {
  if (version === null) return undefined;
  const { instructions: _, ...settings } = (await tenantAgents.get({ tenant, agent }, version))?.settings ?? {};
  return { ...settings, version };
}
