import type { Audit, Documents, SlackFiles, SlackRemoval } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ChangedQuestion } from '../asking/question.ts';
import { slackSubject } from '../asking/slack-principals.ts';

type Deps = {
  documents: Pick<Documents, 'delete' | 'endIngestion'>;
  files: Pick<SlackFiles, 'listRemoved' | 'markRemoved'>;
  audit: Pick<Audit, 'note'>;
};

/** Who has deleted it, when Slack says that. */
type By = Pick<ChangedQuestion, 'team' | 'userId' | 'isDirect'>;

export type RemoveFiles = ReturnType<typeof createRemoveFiles>;

/** Deletes the documents of what was deleted in Slack: there is no one who may read it. Safe to repeat. */
export function createRemoveFiles({ documents, files, audit }: Deps) {
  async function removeDocuments(removals?: SlackRemoval[], by?: By): Promise<number> {
    let removed = 0;
    for (const { tenant, subject, documentId } of await files.listRemoved(removals)) {
      if (!(await documents.delete({ tenant, subject }, documentId))) continue;
      removed += 1;
      const actor = by && !by.isDirect ? slackSubject(by.team, by.userId) : subject;
      const resource = { type: 'document', id: documentId };
      audit.note({
        tenant,
        subject: actor,
        kind: 'person',
        via: 'slack',
        action: 'document.delete',
        resource,
        outcome: 'ok',
      });
    }
    return removed;
  }

  return {
    /** @returns how many documents were deleted. What is being read now is deleted by `sweep` */
    async remove(removals: SlackRemoval[], by?: By): Promise<number> {
      if (removals.length === 0) return 0;
      for (const { ingestionId, ...scope } of await files.markRemoved(removals))
        await documents.endIngestion(scope, ingestionId, 'cancelled', { isKnown: false });
      return removeDocuments(removals, by);
    },

    /** Deletes documents that have come of files after these were deleted. */
    sweep: () => removeDocuments(),
  };
}

const everyMs = 30_000;

/** @returns ends it */
export function startSweepOfFiles({ sweep }: Pick<RemoveFiles, 'sweep'>, log: Pick<Logger, 'warn'>): () => void {
  const timer = setInterval(() => {
    sweep().catch((error: unknown) =>
      log.warn({ err: error }, 'documents of deleted messages could not be removed; the next attempt does it'),
    );
  }, everyMs).unref();
  return () => clearInterval(timer);
}
