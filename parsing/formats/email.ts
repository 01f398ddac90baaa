import PostalMime, { type Address } from 'postal-mime';
import { decodeAs } from '../decode-bytes.ts';
import { isCertainlyUtf8 } from '../decode-text.ts';
import { readAttachments, type ReadFile } from './email-attachments.ts';
import { readHtml } from './html.ts';
import { singleLine } from '../normalise.ts';
import { readPlainText } from './plain-text.ts';
import { body, type Outline, type Unit } from '../chunks/unit.ts';

/**
 * Reads a message: subject, sender, recipients, date, the text with the messages that it quotes, and what is attached.
 * The HTML is used when there is no text, when it contains a table, or when the text only refers to it.
 *
 * @param readFile reads an attachment
 */
export async function readEmail(bytes: Uint8Array, readFile: ReadFile): Promise<Outline> {
  const email = await PostalMime.parse(withUtf8Named(bytes), { forceRfc822Attachments: true });
  const subject = singleLine(email.subject ?? '');
  const envelope = [
    ['From', email.from && addressList([email.from])],
    ['To', addressList(email.to ?? [])],
    ['Cc', addressList(email.cc ?? [])],
    // The header as it is, because it has the sender's time zone.
    ['Date', email.headers.find(({ key }) => key === 'date')?.value],
  ].flatMap(([name, value]) => (value ? [`${name}: ${value}`] : []));
  return {
    title: subject || undefined,
    units: [
      ...(subject ? [{ kind: 'heading', depth: 1, text: subject, page: null } satisfies Unit] : []),
      ...envelope.map((line, index) => body(line, { tight: index > 0 })),
      ...bodyOf(email).map(indent),
      ...(await readAttachments(email.attachments, readFile)),
    ],
  };
}

/** Some programs name another encoding for a message that is UTF-8 as it stands. */
function withUtf8Named(bytes: Uint8Array): Uint8Array {
  const text = decodeAs(bytes, 'utf-8');
  if (text === undefined || !isCertainlyUtf8(text)) return bytes;
  // Of packed parts the bytes do not show in which encoding they are.
  if (/^content-transfer-encoding:\s*(?:base64|quoted-printable)/im.test(text)) return bytes;
  return Buffer.from(text.replace(/^(content-type:[^\n]*(?:\n[ \t][^\n]*)*?charset=)"?[\w.:-]+"?/gim, '$1utf-8'));
}

/** In the plain text of a message, a table has become a list of its cells. */
const holdsTable = (html: string) => /<th[\s>]/i.test(html);

function bodyOf({ text, html }: { text?: string | undefined; html?: string | undefined }): Unit[] {
  const plain = text?.trim() ? readPlainText(text).units : [];
  if (!html) return plain;
  const rich = readHtml(html).units;
  return plain.length === 0 || holdsTable(html) || isStub(plain, rich) ? rich : plain;
}

/** Of the same text in two forms, most words occur in both. */
const minSharedWords = 0.5;

/** Whether the plain text is not the message: it says that another program is needed, or is a short extract. */
function isStub(plain: Unit[], rich: Unit[]): boolean {
  const plainWords = wordsOf(plain);
  const richWords = wordsOf(rich);
  const known = new Set(richWords);
  const shared = plainWords.filter((word) => known.has(word)).length;
  if (plainWords.length < richWords.length * minSharedWords) return true;
  return shared < plainWords.length * minSharedWords && plainWords.length < richWords.length * 2;
}

const wordsOf = (units: Unit[]): string[] =>
  units.flatMap(({ text }) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);

/** Headings in the text are below the subject. */
const indent = (unit: Unit): Unit => (unit.kind === 'heading' ? { ...unit, depth: unit.depth + 1 } : unit);

const addressList = (addresses: Address[]): string =>
  addresses
    .map(({ group, name, address }) => (group ? addressList(group) : name ? `${name} <${address}>` : (address ?? '')))
    .filter(Boolean)
    .join(', ');

const headerLine =
  /^(?:from|to|cc|date|subject|received|return-path|message-id|mime-version|content-type|delivered-to|reply-to|x-[\w-]+|dkim-signature|arc-[\w-]+|authentication-results):/im;

/** Whether a file begins like a message: with at least two of the usual header lines, or with parts. */
export function hasEmailHeader(bytes: Uint8Array): boolean {
  const header = new TextDecoder('latin1').decode(bytes.subarray(0, 16_000)).split(/\r?\n\r?\n/, 1)[0] ?? '';
  return (
    /^content-type:\s*multipart\//im.test(header) ||
    header.split(/\r?\n/).filter((line) => headerLine.test(line)).length >= 2
  );
}
