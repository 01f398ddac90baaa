import type { Audit, Documents, SlackFiles } from '../../contract/ports/index.ts';
import type { ChangedQuestion } from '../asking/question.ts';
import { slackSubject } from '../asking/slack-principals.ts';

type Deps = {
  documents: Pick<Documents, 'delete'>;
  files: Pick<SlackFiles, 'listOwn' | 'remove'>;
  audit: Pick<Audit, 'note'>;
};

/** @returns how many documents were deleted */
export type RemoveFiles = (deleted: ChangedQuestion) => Promise<number>;

/** Deletes the documents of a message that was deleted in Slack: there is no one who may read it. Safe to repeat. */
export const createRemoveFiles =
  ({ documents, files, audit }: Deps): RemoveFiles =>
  async (deleted) => {
    const { team, userId, isDirect } = deleted;
    let removed = 0;
    for (const { tenant, subject, documentId } of await files.listOwn(deleted)) {
      if (!(await documents.delete({ tenant, subject }, documentId))) continue;
      removed += 1;
      const actor = { tenant, subject: isDirect ? subject : slackSubject(team, userId), kind: 'person', via: 'slack' };
      const resource = { type: 'document', id: documentId };
      audit.note({ ...actor, action: 'document.delete', resource, outcome: 'ok' });
    }
    await files.remove(deleted);
    return removed;
  };
