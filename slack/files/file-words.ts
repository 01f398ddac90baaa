import { createHash } from 'node:crypto';
import type { SlackFile } from '../../contract/ports/index.ts';
import { slackCollection } from '../../contract/rules/attached-files.ts';
import type { DownloadProblem } from './download.ts';

/**
 * The name of a file's document. Another file of the same name is another document; the same content shared again is
 * the same one.
 */
export const documentNameOf = (name: string, bytes: Uint8Array): string =>
  `${slackCollection}/${createHash('sha256').update(bytes).digest('hex')}/${name}`;

export type FileProblem =
  | Exclude<DownloadProblem, 'gone'>
  | 'deleted'
  | 'hidden'
  | 'page_of_slack'
  | 'too_many'
  | 'no_room'
  | 'broken'
  | 'late';

const quoted = (name: string) => `“${name}”`;

/** What a person reads about a file. @param maxMegabytes what one message may bring */
export function problemLine(problem: FileProblem, name: string, maxMegabytes: number): string {
  const file = quoted(name);
  const lines: Record<FileProblem, string> = {
    not_given: `Slack did not give me ${file}. An admin can change that: install the app again with deploy/slack/manifest.yaml, which has the scope files:read. Then send the file again.`,
    too_large: `${file} is too large: the files of one message may have ${maxMegabytes} MB together. Send it alone, or a part of it; who runs Alfred can raise ALFRED_MAX_UPLOAD_MB.`,
    unavailable: `Slack did not send me ${file} in time. Send it again.`,
    elsewhere: `${file} is not stored in Slack but somewhere else, so I cannot read it. Download it there, and send the file itself.`,
    deleted: `${file} is not in Slack any more, so I could not read it. Send it again.`,
    hidden: `Slack hides ${file}, because the workspace has reached a limit of its plan. Send it again.`,
    page_of_slack: `${file} is a page of Slack and no file, so I cannot read it. Export it, as PDF for example, and send that.`,
    no_room: `I did not read ${file}, because there is no room for more documents. Delete documents, or ask who runs Alfred for more.`,
    too_many: `I did not read ${file}: I take 20 files with one message. Send it with another one.`,
    broken: `Something went wrong on our side while I read ${file}. Send it again; if it happens again, tell an admin.`,
    late: `I am still reading ${file}, so an answer may lack what it says. Ask again in some minutes.`,
  };
  return lines[problem];
}

/** What a person reads about a file that is not read, as the reader of documents says it. */
export const refusedLine = (message: string, name: string, documentName: string): string =>
  `I could not read ${quoted(name)}: ${message.startsWith(`${documentName}: `) ? message.slice(documentName.length + 2) : message}`;

export const problemsOf = (files: SlackFile[]): string[] => files.flatMap(({ problem }) => problem ?? []);

/** What a person reads about a message that has files and no words. */
export function filesReadLine(files: SlackFile[]): string {
  const names = files.filter(({ documentId }) => documentId !== null).map(({ name }) => quoted(name));
  const problems = problemsOf(files);
  if (names.length === 0) return problems.join('\n');
  const all = new Intl.ListFormat('en').format(names);
  return [`I have read ${all}. Ask about it in the thread of your message.`, ...problems].join('\n');
}
