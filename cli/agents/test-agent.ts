import { randomBytes } from 'node:crypto';
import type { Agent } from '../../agents/index.ts';
import { createTools } from '../../agents/tools/index.ts';
import { agentQueue, testAgentName } from '../../contract/ids.ts';
import type { Tool } from '../../contract/ports/index.ts';
import { localPrincipal } from '../../contract/principal.ts';
import { agentSettings } from '../../runtime/agent-settings.ts';
import { ConfigError, type Config } from '../../runtime/config.ts';
import { openEdge } from '../../runtime/edge.ts';
import type { Logger } from '../../runtime/logger.ts';
import { createAdapters, startWorkers } from '../../workers/compose.ts';
import { CliError, usageError } from '../cli-error.ts';
import type { EvalCase } from './cases.ts';
import type { FoundAgent } from './find-agent-folder.ts';
import { createJudge, type Judge } from './judge.ts';
import { runCase, type CaseResult } from './run-case.ts';
import type { ModelScore } from './score-table.ts';
import { createStandIns, unfitResults, withoutApprovers } from './stand-ins.ts';

type Options = {
  models: readonly string[];
  /** `provider:model` of the judge; undefined: the model that is tested. */
  judge?: string | undefined;
  /** Tools that act do so. */
  act?: boolean | undefined;
  atOnce: number;
  log: Logger;
  onProgress: (line: string) => void;
  /** Ends the test: what still runs is cancelled, and its end awaited. */
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
  const tested = models.map((model, i) => ({ model, name: testAgentName(name, `${run}${i}`) }));
  const testConfig = withModels(config, name, tested);
  const { missingVariables = [] } = agent.pack ?? {};
  if (missingVariables.length > 0)
    throw new CliError(`${missingVariables.join(' and ')} must be set: the tools of ${name} need it.`);
  const edge = await openEdge(testConfig, 'test', options.log);
  const adapters = createAdapters(edge);
  try {
    const isJudged = cases.some(({ checks }) => checks.judge !== undefined);
    const judges = models.map((model) => (isJudged ? judgeFor(options.judge ?? model, adapters) : undefined));
    void adapters.startListening();
    const standIns = createStandIns();
    const { tools, ownTools } = toolsFor({ agent, shared: createTools(testConfig, adapters) }, cases, {
      replace: options.act ? (replaced) => replaced : standIns.replaceIn,
    });
    // Not as one of a pack: workers leave out an agent of a pack whose model is not configured, and a test must fail.
    const { pack: _, ...plain } = agent;
    const approvals = agent.approvals?.map(withoutApprovers);
    const served = { ...plain, ownTools, ...(approvals && { approvals }) };
    const agents = Object.fromEntries(tested.map((each) => [each.name, served]));
    const queues = tested.map((each) => agentQueue(each.name));
    const workers = await startWorkers(edge, { ...adapters, tools }, queues, { agents });
    try {
      // A worker that ends by itself leaves its cases without one.
      const broken = new AbortController();
      workers.failed.catch((error: unknown) => broken.abort(error));
      const signal = AbortSignal.any([options.signal, broken.signal]);
      const engine = { adapters, principal: localPrincipal, prepare: standIns.prepare, signal };
      const scores: ModelScore[] = [];
      for (const [i, { model, name: testName }] of tested.entries())
        scores.push({
          model,
          results: await runAll(cases, {
            run: (wanted) => runCase({ ...engine, judge: judges[i] }, { name: testName, agent }, wanted),
            atOnce: options.atOnce,
            onDone: (done) => options.onProgress(`${name}, ${model}: ${done} of ${cases.length} cases`),
          }),
        });
      return scores;
    } finally {
      await workers.stop();
    }
  } catch (error) {
    throw error instanceof ConfigError ? new CliError(error.message, { cause: error }) : error;
  } finally {
    await adapters.close();
    await edge.close();
  }
}

/** The offline provider cannot judge: it quotes. */
const judgeFor = (model: string, adapters: Parameters<typeof createJudge>[1]): Judge | undefined =>
  model.startsWith('offline:') ? undefined : createJudge(model, adapters);

type Tools = Record<string, Tool>;

/**
 * The tools of a test: those that act have stand-ins, and the approvals of all are the test's own.
 *
 * @throws CliError for a case with results of a tool that has no stand-in
 */
function toolsFor(
  { agent, shared }: { agent: Agent; shared: Tools },
  cases: EvalCase[],
  { replace }: { replace: (tools: Tools) => Tools },
): { tools: Tools; ownTools: Tools } {
  const all = { ...shared, ...agent.ownTools };
  for (const wanted of cases) {
    const [unfit] = unfitResults(wanted, agent, all);
    if (unfit !== undefined)
      throw usageError(
        `The case "${wanted.name}" has a result of "${unfit}", which is no tool of the agent that acts: its \`results\` stand in for such tools.`,
      );
  }
  const prepared = (tools: Tools): Tools =>
    Object.fromEntries(
      Object.entries(replace(tools)).map(([name, tool]) => [
        name,
        tool.approvals ? { ...tool, approvals: tool.approvals.map(withoutApprovers) } : tool,
      ]),
    );
  return { tools: prepared(shared), ownTools: prepared({ ...agent.ownTools }) };
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

/** Gives each tested name the settings of the agent, with its model and no fallback, and approvals of the test. */
function withModels(config: Config, name: string, tested: { name: string; model: string }[]): Config {
  const { [name]: own, ...others } = config.ALFRED_AGENTS ?? {};
  const approvals = own?.approvals?.map(withoutApprovers);
  const settings = tested.map(
    (each) => [each.name, { ...own, ...(approvals && { approvals }), model: each.model }] as const,
  );
  return { ...config, ALFRED_SHUTDOWN_GRACE_S: 0, ALFRED_AGENTS: { ...others, ...Object.fromEntries(settings) } };
}
