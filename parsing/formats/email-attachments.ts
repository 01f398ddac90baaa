import { append } from '../extremes.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { Attachment } from 'postal-mime';
import { body, type Outline, type Unit } from '../chunks/unit.ts';

export type ReadFile = (file: { name: string; mediaType: string; bytes: Uint8Array }) => Promise<Outline>;

/** Attachments of one message that are read. Further ones are named. */
const maxAttachments = 50;

/**
 * Reads what is attached to a message, each under a heading with its name. Of an attachment that cannot be read the
 * reason is the text. Pictures and signatures hold no text, so they are only named.
 */
export async function readAttachments(attachments: readonly Attachment[], readFile: ReadFile): Promise<Unit[]> {
  const units: Unit[] = [];
  const named: string[] = [];
  let count = 0;
  for (const attachment of attachments) {
    const name = nameOf(attachment);
    if (
      /^(?:image|audio|video)\/|pkcs7-signature|pgp-signature/i.test(attachment.mimeType) ||
      ++count > maxAttachments
    ) {
      named.push(name);
      continue;
    }
    units.push({ kind: 'heading', depth: 2, text: name, page: null });
    append(units, await unitsOf(attachment, name, readFile));
  }
  if (named.length > 0) units.unshift(body(`Attachments (not read): ${named.join(', ')}`));
  return units;
}

async function unitsOf({ content, mimeType }: Attachment, name: string, readFile: ReadFile): Promise<Unit[]> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content);
  try {
    const { units } = await readFile({ name, mediaType: mimeType, bytes });
    if (units.length === 0) return [body('Not read: the file holds no text.')];
    return units.map((unit) => (unit.kind === 'heading' ? { ...unit, depth: unit.depth + 2 } : unit));
  } catch (error) {
    const reason = error instanceof AlfredError ? error.message : 'the file is damaged and cannot be read.';
    return [body(`Not read: ${reason.startsWith(`${name}: `) ? reason.slice(name.length + 2) : reason}`)];
  }
}

const nameOf = ({ filename, mimeType }: Attachment) =>
  filename?.trim() || (mimeType === 'message/rfc822' ? 'message.eml' : mimeType);
