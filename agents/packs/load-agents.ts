import { canonicalJson } from '../../contract/json.ts';
import { ConfigError, readOwnVariables, type Config } from '../../runtime/config.ts';
import { checkAgentNames, withAgentDefaults } from '../../runtime/agent-settings.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { ReadinessProbe } from '../../runtime/readiness.ts';
import { withTimeout } from '../../runtime/with-timeout.ts';
import { checkAgentTools } from '../check-tools.ts';
import { agents as ownAgents, type Agent, type Agents } from '../index.ts';
import { remoteAgentsOf } from '../remote-agents.ts';
import { mcpToolOutlines } from '../tools/mcp/mcp-tools.ts';
import { checkMcpAgents, withMcpTools } from '../tools/mcp/with-mcp-tools.ts';
import { toolOutlines } from '../tools/tool-outlines.ts';
import { namesIn, type PackDescription } from './describe-pack.ts';
import { agentFoldersOf, findPack } from './find-pack.ts';
import { importAgents } from './import-agents.ts';
import { PackFault } from './pack-fault.ts';
import { probePack } from './probe.ts';
import { toAgent } from './to-agent.ts';

/** A pack that is left out. `agents`: what its folders are called; undefined when it could not be read at all. */
export type RefusedPack = { source: string; reason: string; agents: readonly string[] | undefined };

export type KnownAgents = {
  /** Every agent by its name: ours, those of packs and those that work elsewhere. */
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
 * @throws ConfigError when ALFRED_AGENTS names an agent that does not exist, or ALFRED_REMOTE_AGENTS one that does
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
      const added = await loadPack(found, agents, config);
      agents = { ...agents, ...added };
      packs.push(found);
      log.info({ pack: `${found.name}@${found.version}`, agents: Object.keys(added) }, 'agent pack loaded');
    } catch (error) {
      // Of any other error the message may hold what the pack has read of the environment.
      const { message: reason } = error instanceof PackFault ? error : new PackFault('it cannot be loaded');
      const folders = agentFoldersOf(source);
      refused.push({ source, reason, agents: folders.length > 0 ? folders : undefined });
      log.error({ pack: source, reason }, 'agent pack refused; everything else runs');
    }
  }
  agents = { ...agents, ...remoteAgentsOf(config, agents) };
  report(edge, refused);
  checkNames(config, agents, refused);
  return { agents, config: withAgentDefaults(config, agents), packs, refused };
}

/** A failure that is awaited later than it happens. */
const settled = <T>(work: Promise<T>): Promise<T | Error> => work.catch((error: Error) => error);

/**
 * Tries a pack and loads it, as workers do at their start, beside our agents alone.
 *
 * @throws PackFault for every fault for which workers refuse it
 */
export async function checkPack(source: string, config: AgentConfig): Promise<PackDescription> {
  const found = await probePack(source);
  await loadPack(found, ownAgents, config);
  return found;
}

type AgentConfig = Pick<Config, 'ALFRED_AGENTS' | 'ALFRED_MCP_SERVERS'>;

/** Loads a pack into this process. @throws PackFault */
async function loadPack(found: PackDescription, known: Agents, config: AgentConfig): Promise<Agents> {
  for (const { name } of found.agents) refuseTaken(name, known);
  // It came to an end in the trial; here it may find another environment.
  const agents = await withTimeout(importAsTried(found), longestLoadMs, () => {
    throw new PackFault(`it was not loaded within ${longestLoadMs / 1_000} s`);
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

function refuseTaken(agent: string, known: Agents): void {
  if (!Object.hasOwn(known, agent)) return;
  const owner = known[agent]?.pack;
  throw new PackFault(
    `its agent ${agent} has a name that is taken by ${owner ? `the pack ${owner.name}` : 'an agent of Alfred'}: rename the folder agents/${agent}`,
  );
}

/**
 * Runs the modules of a pack that has come through its trial. Here they can read the environment, and what they make of
 * it must not stand in a reason: it names nothing but what the trial has reported.
 *
 * @throws PackFault
 */
async function importAsTried({ folder, agents }: PackDescription): Promise<[string, Agent][]> {
  try {
    const pack = findPack(folder);
    const defined = Object.entries(await importAgents(pack));
    const tried = agents.map(({ name, tools, variables, rules }) => [name, { tools, variables, rules }]);
    const found = defined.map(([name, definition]) => [name, namesIn(definition)]);
    if (canonicalJson(found) !== canonicalJson(tried)) throw new Error('it defines something else');
    const { name, version } = pack;
    return defined.map(([agent, definition]) => [
      agent,
      toAgent(agent, definition, { pack: { name, version }, readVariables: readOwnVariables }),
    ]);
  } catch (error) {
    throw new PackFault(
      'it is another one in this process than in its trial, where no variable is set: name the variables that a tool needs in its `settings`, and read them in `run`',
      { cause: error },
    );
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
