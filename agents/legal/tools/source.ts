import { AlfredError } from '../../../contract/errors.ts';
import type { Document } from '../../../contract/documents.ts';
import type { Documents } from '../../../contract/ports/index.ts';
import type { Scope } from '../../../contract/references.ts';
import { findDocumentId } from '../../tools/documents/find-document-id.ts';
import { passageIn } from '../../tools/documents/passage-in.ts';
import { maxText } from '../intents.ts';
import { languagesOf } from '../text/language.ts';
import { withoutQuotes, type Quotation } from '../text/quotation.ts';

export type DocumentPort = Pick<Documents, 'read' | 'findByName'>;

/** A text that a tool works on. `document`: present for one of the knowledge base. */
export type Source = { name: string; text: string; document?: Document };

type Given = { text?: string | undefined; documentId?: string | undefined; document?: string | undefined };

/** @throws AlfredError `invalid_request` unless one of the three ways to name a document was taken */
export function checkGiven({ text, documentId, document }: Given): void {
  const given = [text, documentId, document].filter((one) => one !== undefined).length;
  if (given !== 1)
    throw new AlfredError(
      'invalid_request',
      `Give the document in one way: \`text\`, \`documentId\` or \`document\` (its name); ${given === 0 ? 'none' : 'several'} of them came.`,
    );
}

/**
 * Reads the document that a request names, with the rights of the asker.
 *
 * @throws AlfredError `not_found` when the asker can read no such document, `invalid_request` when there are several,
 *   or it is too long
 */
export async function readSource(documents: DocumentPort, scope: Scope, given: Given): Promise<Source> {
  if (given.text !== undefined) return { name: 'the given text', text: given.text };
  const id = given.documentId ?? (await idByName(documents, scope, given.document ?? ''));
  const stored = await documents.read(scope, id);
  if (!stored) throw new AlfredError('not_found', `There is no document "${id}" that you may read.`);
  if (stored.text.length > maxText)
    throw new AlfredError(
      'invalid_request',
      `"${stored.document.name}" has ${stored.text.length} characters; at most ${maxText} are read at once. Give a part of it in \`text\`, or add its parts as documents of their own.`,
    );
  return { name: stored.document.name, text: stored.text, document: stored.document };
}

async function idByName(documents: DocumentPort, scope: Scope, name: string): Promise<string> {
  const id = await findDocumentId(documents, scope, name);
  if (id !== undefined) return id;
  throw new AlfredError(
    'not_found',
    `There is no document of the name "${name}" that you may read. \`alfred documents list\` shows the names, with their folders.`,
  );
}

/**
 * What is answered for a document in another language than English: nothing is judged, because nothing could be found.
 *
 * @returns undefined for a document that is covered
 */
export async function notCovered({ name, text }: Source): Promise<{ answer: string; others: string[] } | undefined> {
  const { isCovered, others } = await languagesOf(text);
  if (isCovered) return undefined;
  const languages = others.map((code) => languageNames.of(code) ?? code).join(', ');
  return {
    answer: `${disclaimer}\n\n**Not covered:** ${withoutQuotes(name)} is written in ${languages}. The checklists and the review find English words only, so nothing was judged, and no finding means nothing here. Have it read by a lawyer who works in that language, or give an English translation.`,
    others,
  };
}

const languageNames = new Intl.DisplayNames('en', { type: 'language' });

/** Stands at the beginning of every answer. */
export const disclaimer =
  '**This is not legal advice.** It was found by rules over words; a lawyer decides what it means for you.';

/** A quotation as a passage that can be cited. */
export const passageOf = (document: Document, { quote, start, end }: Quotation) =>
  passageIn(document, { text: quote, start, end });
