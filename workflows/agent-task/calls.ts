import { patched, workflowInfo } from '@temporalio/workflow';
import type { Verdict, WaitReason } from '../../contract/references.ts';
import { waitReasonOf } from '../failure.ts';

/** Waits for every call, also after one has failed: an undo needs to know what each of them did. */
export async function settleAll<T>(calls: Promise<T>[]): Promise<T[]> {
  // One call ends either way. Its marker, an event and an update of search attributes, is in older histories only.
  const isMarked = calls.length > 1 || workflowInfo().unsafe.isReplaying;
  if (!isMarked || !patched('all-calls-end')) return Promise.all(calls);
  const results = await Promise.allSettled(calls);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/** A line of Temporal's timeline. A model chooses the name of a tool, and Temporal takes 200 bytes. */
export const summaryOf = (tool: string, step: number) => `step ${step} · ${tool.slice(0, 40)}`;

export const approvalRefOf = ({ id, runs, argumentsHash }: Verdict) => ({ id, runs, argumentsHash });

/** Turns a failure that the task can wait out into what it waits for. */
export async function catchWait<T extends object>(call: Promise<T>): Promise<T | { wait: WaitReason }> {
  try {
    return await call;
  } catch (error) {
    const wait = waitReasonOf(error);
    if (!wait) throw error;
    return { wait };
  }
}
