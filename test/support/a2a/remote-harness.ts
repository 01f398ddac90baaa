import { agents as ownAgents } from '../../../agents/index.ts';
import { remoteAgentsOf } from '../../../agents/remote-agents.ts';
import { agentQueue } from '../../../contract/ids.ts';
import { loadConfig } from '../../../runtime/config.ts';
import { createApiHarness } from '../../api/api-harness.ts';

/** The API and workers for the orchestrator and for these remote agents, on real servers. */
export async function createRemoteHarness(settings: Record<string, object>, { isServed = true } = {}) {
  const remote = { ALFRED_REMOTE_AGENTS: JSON.stringify(settings) };
  const agents = {
    ...ownAgents,
    ...remoteAgentsOf(loadConfig({ DATABASE_URL: 'postgres://unused', ...remote }), ownAgents),
  };
  const queues = [agentQueue('alfred'), ...(isServed ? Object.keys(settings).map(agentQueue) : [])];
  const harness = await createApiHarness(remote, { agents }, { agents, queues });
  for (const name of ['delegate', 'set_plan', 'ask_person']) harness.useBuiltInTool(name);
  return {
    ...harness,
    agents,
    runToEnd: async (agent: string, text: string, request: object = {}) => {
      const { id, handle } = await harness.start({ agent, input: { text }, ...request });
      await handle.result().catch(() => {});
      return { id, row: await harness.row(id), events: await harness.followToEnd(id) };
    },
  };
}
export type RemoteHarness = Awaited<ReturnType<typeof createRemoteHarness>>;
