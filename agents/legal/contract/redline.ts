import {
  AlignmentType,
  CommentRangeEnd,
  CommentRangeStart,
  CommentReference,
  DeletedTextRun,
  Document,
  InsertedTextRun,
  Packer,
  Paragraph,
  TextRun,
  type ParagraphChild,
} from 'docx';
import { AlfredError } from '../../../contract/errors.ts';
import type { ContractFinding } from './review.ts';

/** One tracked change: the text at [start, end) is deleted, and `text` is inserted in its place. */
type Edit = { start: number; end: number; text: string; reasons: string[] };
/** Most proposals that one document has; the worst findings come first. */
const maxProposals = 500;
/** Most lines that one document has: each is a paragraph. */
const maxLines = 20_000;
type Marks = { author: string; date: Date };

/**
 * The contract as a Word document with tracked changes: each proposal as deletion and insertion with author and date,
 * with its reason as a comment. Text and paragraphs are those that were read; the layout of the original file is not.
 *
 * @returns `left`: how many proposals are beyond the most that it has
 */
export async function redlineDocument(
  text: string,
  findings: readonly ContractFinding[],
  { title, author, date }: Marks & { title: string },
): Promise<{ bytes: Uint8Array; changes: number; left: number }> {
  const proposed = findings.filter(({ proposal }) => proposal !== undefined);
  const kept = proposed.slice(0, maxProposals);
  const edits = editsOf(kept);
  const added = kept.filter(({ proposal }) => !proposal?.replaces);
  const reasons = [...edits.map((edit) => edit.reasons.join('; ')), ...added.map(reasonOf)];
  const revision = createRevisions({ author, date: date.toISOString() });
  const paragraphs = paragraphsOf(text, edits, revision);
  const clauses = added.map(
    ({ proposal }, i) =>
      new Paragraph({ children: withComment([revision.insert(clean(proposal?.text ?? ''))], edits.length + i) }),
  );
  const heading =
    clauses.length > 0 ? [new Paragraph({ children: [revision.insert('Proposed additional clauses')] })] : [];
  const document = new Document({
    creator: author,
    title: clean(title),
    comments: {
      children: reasons.map((reason, id) => ({
        id,
        author,
        date,
        children: [new Paragraph({ children: [new TextRun(clean(reason))] })],
      })),
    },
    sections: [{ children: [...paragraphs, ...heading, ...clauses] }],
  });
  return {
    bytes: new Uint8Array(await Packer.toBuffer(document)),
    changes: edits.length + added.length,
    left: proposed.length - kept.length,
  };
}

const reasonOf = ({ title, risk }: ContractFinding) => `${title}. Risk ${risk.level}: ${risk.rule}.`;

/** The changes in their order. One part is changed once: proposals for the same place are joined. */
function editsOf(findings: readonly ContractFinding[]): Edit[] {
  const edits: Edit[] = [];
  const replaced = findings.flatMap((finding) => {
    const { proposal } = finding;
    return proposal?.replaces ? [{ ...proposal.replaces, text: proposal.text, reasons: [reasonOf(finding)] }] : [];
  });
  // The longest first: a change of a sentence leaves no room for one of a number in it.
  for (const { start, end, text, reasons } of replaced.sort((a, b) => b.end - b.start - (a.end - a.start))) {
    const same = edits.find((edit) => start < edit.end && edit.start < end);
    if (!same) edits.push({ start, end, text, reasons });
    else {
      same.reasons.push(...reasons);
      if (same.start === start && same.end === end && !same.text.includes(text)) same.text += ` ${text}`;
    }
  }
  return edits.sort((a, b) => a.start - b.start);
}

type Revisions = { insert: (text: string) => InsertedTextRun; remove: (text: string) => DeletedTextRun };

/** Each tracked change has a number of its own. */
function createRevisions(marks: { author: string; date: string }): Revisions {
  let id = 0;
  return {
    insert: (text) => new InsertedTextRun({ id: ++id, text, ...marks }),
    remove: (text) => new DeletedTextRun({ id: ++id, text, ...marks }),
  };
}

/** Characters that XML cannot have. */
const clean = (text: string) =>
  text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, ' ').toWellFormed();

const withComment = (children: ParagraphChild[], id: number): ParagraphChild[] => [
  new CommentRangeStart(id),
  ...children,
  new CommentRangeEnd(id),
  new TextRun({ children: [new CommentReference(id)] }),
];

/** The lines of the text, one paragraph each. A change that spans lines is inserted where it begins. */
function paragraphsOf(text: string, edits: Edit[], { insert, remove }: Revisions): Paragraph[] {
  const lines = text.split('\n');
  if (lines.length > maxLines)
    throw new AlfredError(
      'invalid_request',
      `The contract has ${lines.length} lines; at most ${maxLines} become a document with tracked changes. Leave empty lines out, or give a part of it.`,
    );
  let start = 0;
  // Edits are in their order and apart from each other: those that a line is behind are not looked at again.
  let first = 0;
  return lines.map((line) => {
    const end = start + line.length;
    const children: ParagraphChild[] = [];
    let at = start;
    while ((edits[first]?.end ?? Infinity) < start) first++;
    for (let id = first; id < edits.length; id++) {
      const edit = edits[id];
      if (!edit || edit.start > end) break;
      if (edit.end < start || (edit.end === start && edit.start < start)) continue;
      const [from, to] = [Math.max(edit.start, start), Math.min(edit.end, end)];
      if (from > at) children.push(new TextRun(clean(text.slice(at, from))));
      const changed: ParagraphChild[] = to > from ? [remove(clean(text.slice(from, to)))] : [];
      const begins = edit.start >= start;
      if (begins) changed.push(insert(clean(edit.text)));
      children.push(...(begins ? withComment(changed, id) : changed));
      at = Math.max(at, to);
    }
    if (at < end) children.push(new TextRun(clean(text.slice(at, end))));
    start = end + 1;
    return new Paragraph({ alignment: AlignmentType.LEFT, children });
  });
}
