import { ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { StepResult } from '../../contract/references.ts';
import { remoteCancel, remoteFollow, remoteStart } from '../policies.ts';

const { startRemote } = proxyActivities<Activities>(remoteStart);
const { followRemote } = proxyActivities<Activities>(remoteFollow);
const { cancelRemote } = proxyActivities<Activities>(remoteCancel);

type Made = Parameters<Activities['startRemote']>[0];

type Answer = Extract<StepResult, { next: 'answer' }>;

/** Has an agent that works elsewhere answer. Made again after a wait, it finds the run that it has begun. */
export async function runRemote(made: Made): Promise<Answer> {
  const started = await startRemote(made);
  let step = started.next === 'follow' ? await followRemote(made) : started;
  while (!step) step = await followRemote(made);
  if (step.next === 'answer') return step;
  throw ApplicationFailure.nonRetryable('The remote agent has no answer.', 'remote_failed');
}

/** The task ends in any case: that its run could not be cancelled stands in its events and in the log. */
export async function cancelRemoteRun(made: Parameters<Activities['cancelRemote']>[0]): Promise<void> {
  await cancelRemote(made).catch(() => {});
}
