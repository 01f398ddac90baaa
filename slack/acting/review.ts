import { AlfredError } from '../../contract/errors.ts';
import { canonicalJson, isRecord, parseJson, type JsonObject } from '../../contract/json.ts';
import type { ApprovalRow } from '../../contract/ports/index.ts';
import { explainRefusal } from '../../contract/rules/approval-rights.ts';
import type { AskedApproval } from '../rendering/actions.ts';
import { approvalForm, type FormState } from '../rendering/approval-form.ts';
import { describeDecided, describeRefusal, type createDecide } from './decide.ts';
import { openForm } from './open-form.ts';
import { personOf, postAt, type ActingDeps } from './person.ts';
import { originText, type Act, type Submission } from './press.ts';

type Deps = ActingDeps & { decide: ReturnType<typeof createDecide> };

const tooLate = 'That took too long for a form. Press the button again.';

/** The form in which a person decides about a call with a comment or other arguments. */
export function createReview(deps: Deps) {
  const { approvals, calls, notices } = deps;

  /** @returns the approval while this person may decide it; else the person has read why not */
  async function rowFor(act: Act, { taskId, approvalId }: AskedApproval): Promise<ApprovalRow | undefined> {
    const principal = await personOf(deps, act);
    const post = principal && (await postAt(deps, act, taskId, principal));
    if (!post) return undefined;
    const row = await approvals.get(principal, approvalId);
    const why = row && explainRefusal({ ...row, requester: row.requestedBy }, principal);
    if (row && row.status !== 'pending') await notices.send(act, describeDecided(row, principal));
    else if (row && why === undefined) return row;
    else {
      const error = new AlfredError(row ? 'approval_forbidden' : 'not_found', why);
      await notices.send(act, await describeRefusal(deps, { act, principal, post, approvalId }, error));
    }
    return undefined;
  }

  async function open(act: Act, asked: AskedApproval, state?: FormState): Promise<void> {
    const row = await rowFor(act, asked);
    if (!row) return;
    // What the person sees in the form is what counts.
    const view = approvalForm(row, originText(act, { asked: { ...asked, argumentsHash: row.argumentsHash } }), state);
    if (await openForm(calls, act, view)) return;
    await notices.send(act, state?.problem === undefined ? tooLate : `${state.problem} ${tooLate}`);
  }

  return {
    open,

    /** Decides as the form says. What is wrong with other arguments is shown in the form, with what was written. */
    async submit(submission: Submission): Promise<void> {
      const { asked, decision, comment, edit } = submission;
      const written = { comment, edit };
      let edited: JsonObject | undefined;
      if (decision === 'approve' && edit !== undefined) {
        const row = await rowFor(submission, asked);
        if (!row) return;
        const parsed = parseJson(edit);
        if (!isRecord(parsed))
          return open(submission, asked, {
            ...written,
            problem: 'The arguments are no JSON object: nothing is decided.',
          });
        if (canonicalJson(parsed) !== canonicalJson(row.arguments)) edited = parsed as JsonObject;
      }
      const refusal = await deps.decide(submission, asked, {
        decision,
        ...(comment !== '' && { comment }),
        ...(edited !== undefined && { edit: edited }),
      });
      if (!refusal) return;
      if (edited !== undefined && refusal.code === 'invalid_request')
        return open(submission, asked, { ...written, problem: refusal.text });
      await notices.send(submission, refusal.text);
    },
  };
}
