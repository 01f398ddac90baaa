import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { withTimeout } from '../../runtime/with-timeout.ts';
import type { AcceptedTools } from './accepted-tools.ts';
import type { ServerConnection } from './server-connection.ts';

/** The start of a process waits so long for its servers, in milliseconds. */
const startMs = 5_000;
/** Pause before the list of a server is read that has announced changes, in milliseconds. It may announce without end. */
const changeMs = 1_000;

type Deps = {
  connections: ReadonlyMap<string, ServerConnection>;
  accepted: AcceptedTools;
  log: Logger;
  metrics: Pick<Metrics, 'mcpServerUp' | 'mcpToolsUnaccepted'> | undefined;
  /** `pollMs`: between reads of what operators have accepted; `listMs`: between reads of the servers’ lists */
  times: { pollMs: number; listMs: number };
};

/** Follows the tools of servers, and what operators accept. Says once what has become of a server or a tool. */
export function createServerWatch({ connections, accepted, log, metrics, times }: Deps) {
  const reported = new Map<string, string>();
  let watched: readonly string[] = [];
  /** Servers that have announced a change, to read with the next read. */
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let changeTimer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | undefined;
  let listedAt = 0;

  /** Whether this is news. */
  const isNew = (subject: string, state: string): boolean => {
    const before = reported.get(subject);
    reported.set(subject, state);
    return before !== state;
  };

  const reportTools = (server: string) => {
    const tools = accepted.statesOf(server);
    metrics?.mcpServerUp.set({ server }, connections.get(server)?.tools() ? 1 : 0);
    metrics?.mcpToolsUnaccepted.set({ server }, tools.filter(({ state }) => state === 'unaccepted').length);
    for (const { tool, state, row } of tools) {
      const fingerprint = row?.fingerprint;
      if (!isNew(`${server}/${tool}`, `${state} ${fingerprint ?? ''}`)) continue;
      if (state === 'unaccepted')
        log.warn(
          { server, tool, fingerprint, changed: row?.acceptedFingerprint != null },
          'a tool of an MCP server is held until an operator accepts it: alfred mcp show, alfred mcp accept',
        );
      else if (state === 'gone')
        log.warn({ server, tool }, 'an MCP server does not have a configured tool, or it is too large');
      else if (state === 'offered') log.info({ server, tool, fingerprint }, 'a tool of an MCP server is offered');
    }
  };

  const refresh = async (server: string) => {
    try {
      await connections.get(server)?.refresh();
      reported.delete(server);
    } catch (error) {
      const { message } = error as Error;
      if (isNew(server, message)) log.warn({ server, reason: message }, 'an MCP server cannot be used');
    }
  };

  const read = async () => {
    waiting = undefined;
    if (watched.length === 0) return;
    try {
      const isDue = Date.now() - listedAt >= times.listMs;
      if (isDue) listedAt = Date.now();
      const due = watched.filter((server) => isDue || changed.has(server) || !connections.get(server)?.tools());
      changed.clear();
      await Promise.all(due.map(refresh));
      await accepted.read();
      for (const server of watched) reportTools(server);
    } catch (error) {
      log.warn({ err: error }, 'the tools of MCP servers could not be read');
    }
  };

  /** Reads what has changed, after a read that is under way. One read waits at the most. */
  const poll = (): Promise<void> => (waiting ??= running = running.then(read));

  const followChanges = () => {
    changeTimer ??= setTimeout(async () => {
      await poll();
      changeTimer = undefined;
      if (changed.size > 0) followChanges();
    }, changeMs).unref();
  };

  return {
    /** A server has announced that its tools have changed. */
    noteChange(server: string) {
      if (!watched.includes(server)) return;
      changed.add(server);
      followChanges();
    },

    /** Opens sessions with these servers, and follows their tools until `stop`. A server may be away. */
    async start(names: readonly string[]): Promise<void> {
      watched = names.filter((name) => connections.has(name));
      if (watched.length === 0) return;
      listedAt = 0;
      await withTimeout(poll(), startMs, () => {});
      timer = setInterval(() => void poll(), times.pollMs);
      timer.unref();
    },

    async stop(): Promise<void> {
      clearInterval(timer);
      clearTimeout(changeTimer);
      changeTimer = undefined;
      watched = [];
      changed.clear();
      await Promise.all([...connections.values()].map((connection) => connection.close()));
      await running;
    },
  };
}
