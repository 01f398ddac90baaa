import { ConfigError, readOwnVariables, type Config } from '../../runtime/config.ts';
import { checkAgentNames, withAgentDefaults } from '../../runtime/agent-settings.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { ReadinessProbe } from '../../runtime/readiness.ts';
import { withTimeout } from '../../runtime/with-timeout.ts';
import { checkAgentTools } from '../check-tools.ts';
import { agents as ownAgents, type Agents } from '../index.ts';
import { mcpToolOutlines } from '../tools/mcp/mcp-tools.ts';
import { checkMcpAgents, withMcpTools } from '../tools/mcp/with-mcp-tools.ts';
import { toolOutlines } from '../tools/tool-outlines.ts';
import type { PackDescription } from './describe-pack.ts';
import { agentFoldersOf, findPack } from './find-pack.ts';
import { importAgents } from './import-agents.ts';
import { PackFault } from './pack-fault.ts';
import { probePack } from './probe.ts';
import { toAgent } from './to-agent.ts';

/** A pack that is left out. `agents`: what its folders are called; undefined when it could not be read at all. */
export type RefusedPack = { source: string; reason: string; agents: readonly string[] | undefined };

export type KnownAgents = {
  /** Every agent by its name: ours and those of packs. */
  agents: Agents;
  /** The configuration with what the packs set where ALFRED_AGENTS says nothing. */
  config: Config;
  packs: readonly PackDescription[];
  refused: readonly RefusedPack[];
};

/** Longest time that a pack may take to be loaded into this process, in milliseconds. */
const longestLoadMs = 30_000;

type LoadEdge = { config: Config; log: Logger; metrics?: Metrics; readiness?: Pick<ReadinessProbe, 'addWarning'> };

/** Several doors and the workers may run in one process: each pack is loaded once. */
const loaded = new WeakMap<Config, Promise<KnownAgents>>();

/**
 * Loads the agents of ALFRED_AGENT_PACKS beside ours. A pack with a fault is left out; the log, the readiness probe and
 * a metric say which one and why.
 *
 * @throws ConfigError when ALFRED_AGENTS names an agent that does not exist
 */
export function loadAgents(edge: LoadEdge): Promise<KnownAgents> {
  const before = loaded.get(edge.config);
  if (before) return before;
  const known = readPacks(edge);
  loaded.set(edge.config, known);
  known.then(
    ({ config }) => loaded.set(config, known),
    () => loaded.delete(edge.config),
  );
  return known;
}

async function readPacks(edge: LoadEdge): Promise<KnownAgents> {
  const { config, log } = edge;
  const packs: PackDescription[] = [];
  const refused: RefusedPack[] = [];
  let agents = withMcpTools(ownAgents, config.ALFRED_MCP_SERVERS);
  // All at once: each waits for a process of its own.
  const probes = config.ALFRED_AGENT_PACKS.map((source) => ({ source, probe: settled(probePack(source)) }));
  for (const { source, probe } of probes) {
    try {
      const found = await probe;
      if (found instanceof Error) throw found;
      // It came to an end in the trial; here it may find another environment.
      const added = await withTimeout(loadPack(found, agents, config), longestLoadMs, () => {
        throw new PackFault(`it was not loaded within ${longestLoadMs / 1_000} s`);
      });
      agents = { ...agents, ...added };
      packs.push(found);
      log.info({ pack: `${found.name}@${found.version}`, agents: Object.keys(added) }, 'agent pack loaded');
    } catch (error) {
      const { message: reason } =
        error instanceof PackFault ? error : new PackFault(`it cannot be loaded: ${String(error)}`);
      const folders = agentFoldersOf(source);
      refused.push({ source, reason, agents: folders.length > 0 ? folders : undefined });
      log.error({ pack: source, reason }, 'agent pack refused; everything else runs');
    }
  }
  report(edge, refused);
  checkNames(config, agents, refused);
  return { agents, config: withAgentDefaults(config, agents), packs, refused };
}

/** A failure that is awaited later than it happens. */
const settled = <T>(work: Promise<T>): Promise<T | Error> => work.catch((error: Error) => error);

/** Loads a pack into this process. @throws PackFault */
async function loadPack(found: PackDescription, known: Agents, config: Config): Promise<Agents> {
  const pack = findPack(found.folder);
  const defined = await importAgents(pack);
  const { name, version } = pack;
  const agents = Object.entries(defined).map(([agent, definition]) => {
    if (Object.hasOwn(known, agent)) {
      const owner = known[agent]?.pack;
      throw new PackFault(
        `its agent ${agent} has a name that is taken by ${owner ? `the pack ${owner.name}` : 'an agent of Alfred'}: rename the folder agents/${agent}`,
      );
    }
    return [agent, toAgent(agent, definition, { pack: { name, version }, readVariables: readOwnVariables })] as const;
  });
  try {
    const { ALFRED_MCP_SERVERS: servers } = config;
    const complete = withMcpTools(Object.fromEntries(agents), servers);
    const outlines = { ...toolOutlines, ...mcpToolOutlines(servers) };
    for (const [agent, made] of Object.entries(complete))
      checkAgentTools(config, { name: agent, agent: made }, outlines);
    return complete;
  } catch (error) {
    if (error instanceof ConfigError) throw new PackFault(error.message, { cause: error });
    throw error;
  }
}

function report({ metrics, readiness }: LoadEdge, refused: readonly RefusedPack[]): void {
  for (const { source } of refused) metrics?.agentPackRefused.set({ pack: source }, 1);
  if (refused.length === 0) return;
  const detail = refused.map(({ source, reason }) => `${source} is refused: ${reason}`).join('. ');
  readiness?.addWarning('agent_packs', async () => detail);
}

/** An agent of a refused pack may have settings: the fault of a pack must not stop anything else. */
function checkNames(config: Config, agents: Agents, refused: readonly RefusedPack[]): void {
  if (refused.some(({ agents: names }) => names === undefined)) return;
  const known = [...Object.keys(agents), ...refused.flatMap(({ agents: names = [] }) => names)];
  checkAgentNames(config, known);
  checkMcpAgents(config.ALFRED_MCP_SERVERS, known);
}
