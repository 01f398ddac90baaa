import type { Agent } from '../../agents/index.ts';
import type { ApprovalRule, ApprovalRuleInput } from '../../contract/approval.ts';
import type { Tool } from '../../contract/ports/index.ts';
import type { EvalCase } from './cases.ts';

type Tools = Readonly<Record<string, Tool>>;

/**
 * What takes the place of tools that act while an agent is tested. A call is checked, approved and recorded as any
 * other; only what the tool would do outside of Alfred is left out, and the case says what came of it.
 */
export function createStandIns() {
  const results = new Map<string, EvalCase['results']>();
  const replace = (tool: Tool): Tool => {
    if (tool.effect !== 'write') return tool;
    // Nothing was done that could be asked for, or taken back.
    const rest = { ...tool };
    delete rest.reconcile;
    delete rest.undo;
    return {
      ...rest,
      repeatable: true,
      async run(_input, { taskId, beforeSend }) {
        await beforeSend();
        const given = results.get(taskId) ?? {};
        const output = Object.hasOwn(given, tool.name) ? given[tool.name] : undefined;
        return { output: output ?? { done: true }, summary: 'Not done for real: this is a test' };
      },
    };
  };
  return {
    replaceIn: (tools: Tools): Record<string, Tool> =>
      Object.fromEntries(Object.entries(tools).map(([name, tool]) => [name, replace(tool)])),
    /** What the calls of a task return, before it starts. */
    prepare: (taskId: string, wanted: EvalCase) => void results.set(taskId, wanted.results),
  };
}

/** The tools that a case has results for and that the agent does not have, or that do not act. */
export const unfitResults = ({ results = {} }: EvalCase, agent: Pick<Agent, 'tools'>, tools: Tools): string[] =>
  Object.keys(results).filter(
    (name) => !agent.tools.includes(name) || !Object.hasOwn(tools, name) || tools[name]?.effect !== 'write',
  );

/** A rule whose calls the test decides itself, in the name of no one who could be asked. */
export function withoutApprovers<R extends Omit<ApprovalRuleInput, 'tool'> | ApprovalRule>(rule: R): R {
  const { approvers: _approvers, escalateS: _escalateS, escalateTo: _escalateTo, ...rest } = rule;
  return rest as R;
}
