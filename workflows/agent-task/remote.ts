import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { StepResult } from '../../contract/references.ts';
import { remoteCancel, remoteFollow, remoteStart } from '../policies.ts';

const { startRemote } = proxyActivities<Activities>(remoteStart);
const { followRemote } = proxyActivities<Activities>(remoteFollow);
const { cancelRemote } = proxyActivities<Activities>(remoteCancel);

type Made = Parameters<Activities['startRemote']>[0];

/** Has an agent that works elsewhere answer. Made again after a wait, it finds the run that it has begun. */
export async function runRemote(made: Made): Promise<StepResult> {
  const started = await startRemote(made);
  if (started.next !== 'follow') return started;
  while (true) {
    const result = await followRemote(made);
    if (result) return result;
  }
}

/** The task ends in any case: that its run could not be cancelled stands in its events and in the log. */
export async function cancelRemoteRun(made: Parameters<Activities['cancelRemote']>[0]): Promise<void> {
  await cancelRemote(made).catch(() => {});
}
