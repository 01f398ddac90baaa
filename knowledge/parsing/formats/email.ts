import PostalMime, { type Address } from 'postal-mime';
import { readHtml } from './html.ts';
import { singleLine } from '../normalise.ts';
import { readPlainText } from './plain-text.ts';
import { body, type Outline, type Unit } from '../chunks/unit.ts';

/**
 * Reads a message: subject, sender, recipients, date, and the text with the messages
 * that it quotes. The HTML is used when there is no text or when it contains a table.
 * Attachments are only named: they have to be added as files of their own.
 */
export async function readEmail(_name: string, bytes: Uint8Array): Promise<Outline> {
  const email = await PostalMime.parse(bytes);
  const subject = singleLine(email.subject ?? '');
  const envelope = [
    ['From', email.from && addressList([email.from])],
    ['To', addressList(email.to ?? [])],
    ['Cc', addressList(email.cc ?? [])],
    // The header as it is, because it has the sender's time zone.
    ['Date', email.headers.find(({ key }) => key === 'date')?.value],
  ].flatMap(([name, value]) => (value ? [`${name}: ${value}`] : []));
  const attached = email.attachments.map(({ filename, mimeType }) => filename ?? mimeType);
  return {
    title: subject || undefined,
    units: [
      ...(subject ? [{ kind: 'heading', depth: 1, text: subject, page: null } satisfies Unit] : []),
      ...envelope.map((line, index) => body(line, { tight: index > 0 })),
      ...bodyOf(email).map(indent),
      ...(attached.length > 0 ? [body(`Attachments (not read): ${attached.join(', ')}`)] : []),
    ],
  };
}

/** In the plain text of a message, a table has become a list of its cells. */
const holdsTable = (html: string) => /<th[\s>]/i.test(html);

function bodyOf({ text, html }: { text?: string | undefined; html?: string | undefined }): Unit[] {
  if (html && (!text?.trim() || holdsTable(html))) return readHtml(html).units;
  return text ? readPlainText(text).units : [];
}

/** Headings in the text are below the subject. */
const indent = (unit: Unit): Unit => (unit.kind === 'heading' ? { ...unit, depth: unit.depth + 1 } : unit);

const addressList = (addresses: Address[]): string =>
  addresses
    .map(({ group, name, address }) => (group ? addressList(group) : name ? `${name} <${address}>` : (address ?? '')))
    .filter(Boolean)
    .join(', ');

const headerLine =
  /^(?:from|to|cc|date|subject|received|return-path|message-id|mime-version|content-type|delivered-to|reply-to|x-[\w-]+|dkim-signature|arc-[\w-]+|authentication-results):/im;

/** Whether a file begins like a message: with at least two of the usual header lines. */
export function hasEmailHeader(bytes: Uint8Array): boolean {
  const header = new TextDecoder('latin1').decode(bytes.subarray(0, 16_000)).split(/\r?\n\r?\n/, 1)[0] ?? '';
  return header.split(/\r?\n/).filter((line) => headerLine.test(line)).length >= 2;
}
