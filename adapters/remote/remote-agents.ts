import { AlfredError } from '../../contract/errors.ts';
import type { RemoteAgents } from '../../contract/ports/index.ts';
import type { RemoteAgentEntry } from '../../runtime/remote-agent-settings.ts';
import { createA2aClient } from './a2a.ts';
import { createBoundedFetch } from './bounded-fetch.ts';
import { withCredentials, type ReadVariables } from './credentials.ts';
import { createCrewClient } from './crewai.ts';
import type { RemoteClient } from './protocol.ts';

/** The remote agents of the configuration. Connects to nothing until one is asked. */
export function createRemoteAgents(
  entries: Readonly<Record<string, RemoteAgentEntry>>,
  readVariables: ReadVariables,
): RemoteAgents {
  const clients = new Map(
    Object.entries(entries).map(([agent, entry]) => [agent, clientOf(agent, entry, readVariables)]),
  );
  const client = (agent: string): RemoteClient => {
    const found = clients.get(agent);
    if (!found) throw new AlfredError('remote_refused', `ALFRED_REMOTE_AGENTS of this worker has no agent ${agent}.`);
    return found;
  };
  return {
    start: async (agent, request, signal) => client(agent).start(request, signal),
    find: async (agent, request, signal) => client(agent).find(request, signal),
    watch: (agent, run, signal) => client(agent).watch(run, signal),
    cancel: async (agent, run, signal) => client(agent).cancel(run, signal),
  };
}

function clientOf(agent: string, entry: RemoteAgentEntry, readVariables: ReadVariables): RemoteClient {
  const { url, auth } = entry;
  const fetchImpl = withCredentials(agent, auth, { fetchImpl: createBoundedFetch(agent), readVariables });
  if (entry.protocol === 'a2a') return createA2aClient(agent, url, fetchImpl);
  return createCrewClient({ agent, url, inputs: entry.inputs }, fetchImpl);
}
