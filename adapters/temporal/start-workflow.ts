import {
  WorkflowExecutionAlreadyStartedError,
  type Client,
  type WorkflowClient,
  type WorkflowStartOptions,
} from '@temporalio/client';
import type * as workflows from '../../workflows/index.ts';

/** Our workflow functions by their wire names: a name or an argument that does not exist fails to compile. */
export type Workflows = typeof workflows;
type StartOptions<Name extends keyof Workflows> = WorkflowStartOptions<Workflows[Name]>;

/** A dead worker is noticed after this time, also while a local activity runs inside a workflow task. */
export const workflowTaskTimeout = '5 s' as const;

/** Of a workflow that runs once for its id, and begins at once. */
export const onceAtOnce = {
  workflowIdReusePolicy: 'REJECT_DUPLICATE',
  workflowIdConflictPolicy: 'USE_EXISTING',
  requestEagerStart: true,
  workflowTaskTimeout,
} as const;

/** Starts a workflow. Idempotent: when a workflow of that id has run, nothing happens. */
export async function startWorkflow<Name extends keyof Workflows>(
  client: Client,
  name: Name,
  options: StartOptions<Name>,
): Promise<void> {
  try {
    await client.workflow.start<Workflows[Name]>(name, options);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** Signals a workflow, and starts it first if it does not run. */
export async function signalWithStart<Name extends keyof Workflows>(
  client: Client,
  name: Name,
  options: StartOptions<Name> & { signal: string },
): Promise<void> {
  // The SDK's type of the options is conditional on the workflow, which is not known here.
  type Options = Parameters<typeof WorkflowClient.prototype.signalWithStart<Workflows[Name], []>>[1];
  await client.workflow.signalWithStart<Workflows[Name], []>(name, {
    ...options,
    signalArgs: [],
  } as unknown as Options);
}
