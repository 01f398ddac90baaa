import { activityInfo } from '@temporalio/activity';
import { AlfredError } from '../../contract/errors.ts';
import type { ToolMessage } from '../../contract/messages.ts';
import type { MessageHead, StepResult, TaskRef, ToolResultRef } from '../../contract/references.ts';
import { annotateCalls, type ApprovalDeps } from '../acting/approve.ts';
import { currentRun, orWaitForService, requireWorkingTenant, withHeartbeat } from '../activity-context.ts';
import type { Tenants } from '../../contract/ports/index.ts';
import type { CallAttempt } from './ask-model.ts';
import { outage } from './gate.ts';
import { runStep, type StepDeps } from './run-step.ts';

export type ModelDeps = StepDeps & ApprovalDeps & { tenants: Pick<Tenants, 'find'> };

type CallModel = {
  task: TaskRef;
  step: number;
  model: string;
  /** Called in this order while the models before do not answer. */
  fallbacks?: string[] | undefined;
  head: MessageHead;
  results: ToolResultRef[];
  /** The workflow knows how to wait for our own services. */
  canWait?: boolean | undefined;
};

export const createModelActivities = (deps: ModelDeps) => ({
  /**
   * Runs one step: sends the conversation to the model, streams its text, stores its response. A repeat returns the
   * stored response, so nothing is paid twice.
   *
   * @throws AlfredError `model_outage`, `budget_exceeded` and `tenant_suspended` with `details`: the task can wait and
   *   call again
   */
  callModel: ({ task, step, model, fallbacks = [], head, results, canWait }: CallModel): Promise<StepResult> =>
    withHeartbeat((signal) =>
      orWaitForService(canWait, async () => {
        await requireWorkingTenant(deps.tenants, task.tenant, canWait);
        const at = { ...currentRun(), step, attempt: activityInfo().attempt };
        const next: ToolMessage | undefined = results.length
          ? { role: 'tool', results: results.map((result) => ({ isError: false, ...result })) }
          : undefined;
        // Why the first model does not answer: its outage is the one to wait for.
        let firstOutage: AlfredError | undefined;
        for (const name of [model, ...fallbacks]) {
          if (firstOutage) await reportFallback(deps, { task, at, from: model, to: name, outage: firstOutage });
          try {
            return await annotateCalls(deps, task, await runStep(deps, { task, at, model: name, head, next }, signal));
          } catch (error) {
            const isOfModel = error instanceof AlfredError && ['model_outage', 'model_denied'].includes(error.code);
            if (!isOfModel) throw error;
            firstOutage ??= error;
          }
        }
        throw firstOutage ?? outage({ name: model });
      }),
    ),
});

async function reportFallback(
  { events, metrics }: ModelDeps,
  {
    task,
    at,
    from,
    to,
    outage: { code, details },
  }: { task: TaskRef; at: CallAttempt; from: string; to: string; outage: AlfredError },
) {
  metrics.modelFallbacks.inc({ from, to });
  const isDenied = code === 'model_denied' || (details?.reason === 'outage' && details.because === 'auth');
  const reason = isDenied ? 'auth' : 'outage';
  const data = { step: at.step, from, to, reason };
  await events.appendOnce(task, at, { type: 'model.fallback', data });
}
