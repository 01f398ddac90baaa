import { AlfredError } from '../../contract/errors.ts';
import type { Reach } from '../../contract/references.ts';
import { reachOf } from '../../contract/rules/policy.ts';
import { BudgetGrant } from '../../contract/task.ts';
import { mayPass } from '../failures.ts';
import { grantOfValue } from '../rendering/actions.ts';
import { escapeMrkdwn } from '../rendering/mrkdwn.ts';
import { createRecord, ownerOf, personOf, postAt, type ActingDeps } from './person.ts';
import type { Press } from './press.ts';

const gone = 'The task is not there any more: it was deleted.';
const notTheirs = (taskId: string) =>
  `You may not raise this budget. Who has asked may, and people with the role operator or admin, here or by \`alfred tasks grant ${taskId}\`.`;

/** Raises the limit that a task waits at to the total that the button names. */
export const createGrant = (deps: ActingDeps) => async (press: Press) => {
  const { control, notices, tenants, audit } = deps;
  const { taskId, limit, total } = grantOfValue(press.value);
  const principal = await personOf(deps, press);
  const post = principal && (await postAt(deps, press, taskId, principal));
  if (!post) return;
  const record = createRecord(deps, 'grantBudget', taskId);
  // In a channel the task is the channel's, and the one who asked for it acts for it.
  const hasAsked = post.userId === press.userId;
  const reach: Reach = hasAsked ? ownerOf(post) : reachOf(principal, 'grant', 'task');
  const mayGrant = hasAsked || (reach.of === 'tenant' && reach.tenant === post.tenant);
  audit.check();
  try {
    const grant = BudgetGrant.safeParse({ [limit]: total });
    // A grant lets a task go on, which that of a suspended tenant does not.
    await tenants.requireActive(post.tenant);
    if (!grant.success) throw new AlfredError('budget_refused', 'This total is more than a limit can be.');
    if (!(await control.tasks.grantBudget(reach, taskId, grant.data))) throw new AlfredError('not_found');
  } catch (error) {
    if (!(error instanceof AlfredError) || mayPass(error)) throw error;
    record.refused(principal, error);
    if (error.code !== 'not_found') return notices.send(press, escapeMrkdwn(error.message));
    return notices.send(press, mayGrant ? gone : notTheirs(taskId));
  }
  await record.done(principal);
};
