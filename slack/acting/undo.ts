import { setTimeout as sleep } from 'node:timers/promises';
import { AlfredError } from '../../contract/errors.ts';
import type { TaskRow } from '../../contract/ports/index.ts';
import type { Effect } from '../../contract/task.ts';
import { mayPass } from '../failures.ts';
import { escapeMrkdwn } from '../rendering/mrkdwn.ts';
import { describeEffect } from '../rendering/outcome.ts';
import { createRecord, ownerOf, personOf, postAt, type ActingDeps } from './person.ts';
import type { Press } from './press.ts';

/** How long the outcome is waited for. */
const waitMs = 5_000;
const pollMs = 100;
const shownEffects = 20;

const notTheirs = 'Only who has asked for this takes it back.';

/** What an undo did not take back. */
const remaining: ReadonlySet<Effect['state']> = new Set(['undo_failed', 'cannot_be_undone', 'unknown']);

const isUndoing = ({ effects }: TaskRow) => effects.some(({ state }) => state === 'undoing');

/** Takes back what a stopped task has changed, for the person who asked for it. */
export const createUndo = (deps: ActingDeps) => async (press: Press) => {
  const { control, posts, tasks, tenants, notices, audit } = deps;
  const principal = await personOf(deps, press);
  const post = principal && (await postAt(deps, press, press.value, principal));
  if (!post) return;
  const record = createRecord(deps, 'undoTask', post.taskId);
  if (post.userId !== press.userId) {
    record.refused(principal, new AlfredError('not_found'));
    deps.onUndo('refused');
    return notices.send(press, notTheirs);
  }
  const owner = ownerOf(post);
  audit.check();
  let row: TaskRow | undefined;
  try {
    // To undo is to call tools, which a suspended tenant does not.
    await tenants.requireActive(post.tenant);
    row = await control.tasks.undo(owner, post.taskId);
    if (!row) throw new AlfredError('not_found', 'The task is not there any more.');
  } catch (error) {
    if (!(error instanceof AlfredError) || mayPass(error)) throw error;
    record.refused(principal, error);
    deps.onUndo('refused');
    return notices.send(press, escapeMrkdwn(error.message));
  }
  await record.done(principal);
  deps.onUndo('begun');
  // The message in the thread then shows for all what came of it, also when that takes longer.
  await posts.showAgain(post.taskId);
  for (const until = Date.now() + waitMs; isUndoing(row) && Date.now() < until; await sleep(pollMs))
    row = (await tasks.get(owner, post.taskId)) ?? row;
  const lines = row.effects.slice(0, shownEffects).map(describeEffect);
  await notices.send(press, [headingOf(row), ...lines].join('\n'));
};

function headingOf(row: TaskRow): string {
  if (isUndoing(row)) return 'I am taking this back. My message shows what comes of it:';
  return row.effects.some(({ state }) => remaining.has(state)) ? 'Not all of it was taken back:' : 'Taken back:';
}
