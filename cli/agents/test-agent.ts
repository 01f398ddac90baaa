import { randomBytes } from 'node:crypto';
import { agentQueue } from '../../contract/ids.ts';
import { localPrincipal } from '../../contract/principal.ts';
import { agentSettings } from '../../runtime/agent-settings.ts';
import { ConfigError, type Config } from '../../runtime/config.ts';
import { openEdge } from '../../runtime/edge.ts';
import type { Logger } from '../../runtime/logger.ts';
import { createAdapters, startWorkers } from '../../workers/compose.ts';
import { CliError } from '../cli-error.ts';
import type { EvalCase } from './cases.ts';
import type { FoundAgent } from './find-agent-folder.ts';
import { runCase, type CaseResult } from './run-case.ts';
import type { ModelScore } from './score-table.ts';

type Options = {
  models: readonly string[];
  atOnce: number;
  log: Logger;
  onProgress: (line: string) => void;
  /** Ends the test: what still runs is cancelled. */
  signal: AbortSignal;
};

/**
 * Runs the cases of an agent with each model, in the servers of the stack and with workers of this process. So the
 * agent need not be known to the stack: each model gets a name and a queue of its own for the time of the test.
 */
export async function testAgent(found: FoundAgent, cases: EvalCase[], options: Options): Promise<ModelScore[]> {
  const { name, agent, config } = found;
  const { model: usual } = agentSettings(config, name);
  const models = options.models.length > 0 ? options.models : [usual];
  const run = randomBytes(3).toString('hex');
  const tested = models.map((model, i) => ({ model, name: `${name.slice(0, 48)}-t${run}${i}` }));
  const testConfig = withModels(config, name, tested);
  const { missingVariables = [] } = agent.pack ?? {};
  if (missingVariables.length > 0)
    throw new CliError(`${missingVariables.join(' and ')} must be set: the tools of ${name} need it.`);
  const edge = await openEdge(testConfig, 'test', options.log);
  const adapters = createAdapters(edge);
  void adapters.startListening();
  // Not as one of a pack: workers leave out an agent of a pack whose model is not configured, and a test must fail.
  const { pack: _, ...plain } = agent;
  const agents = Object.fromEntries(tested.map((each) => [each.name, plain]));
  const queues = tested.map((each) => agentQueue(each.name));
  const workers = await startWorkers(edge, adapters, queues, { agents }).catch(async (error: unknown) => {
    await adapters.close();
    await edge.close();
    throw error instanceof ConfigError ? new CliError(error.message, { cause: error }) : error;
  });
  try {
    const engine = { adapters, principal: localPrincipal, signal: options.signal };
    const scores: ModelScore[] = [];
    for (const { model, name: testName } of tested)
      scores.push({
        model,
        results: await runAll(cases, {
          run: (wanted) => runCase(engine, { name: testName, agent }, wanted),
          atOnce: options.atOnce,
          onDone: (done) => options.onProgress(`${name}, ${model}: ${done} of ${cases.length} cases`),
        }),
      });
    return scores;
  } finally {
    await workers.stop();
    await adapters.close();
    await edge.close();
  }
}

type Run = { run: (wanted: EvalCase) => Promise<CaseResult>; atOnce: number; onDone: (done: number) => void };

async function runAll(cases: EvalCase[], { run, atOnce, onDone }: Run): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  let next = 0;
  let done = 0;
  const work = async () => {
    for (let i = next++; i < cases.length; i = next++) {
      const wanted = cases[i];
      if (wanted) results[i] = await run(wanted);
      onDone(++done);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

/** Gives each tested name the settings of the agent, with its model and no fallback. */
function withModels(config: Config, name: string, tested: { name: string; model: string }[]): Config {
  const { [name]: own, ...others } = config.ALFRED_AGENTS ?? {};
  const settings = tested.map((each) => [each.name, { ...own, model: each.model }] as const);
  return { ...config, ALFRED_SHUTDOWN_GRACE_S: 0, ALFRED_AGENTS: { ...others, ...Object.fromEntries(settings) } };
}
