import PostalMime, { type Address } from 'postal-mime';
import { readHtml } from './html.ts';
import { singleLine } from '../normalise.ts';
import { readPlainText } from './plain-text.ts';
import { body, type Outline, type Unit } from '../chunks/unit.ts';

/**
 * A message: the subject, who wrote to whom and when, and its text with what it quotes; the HTML where there is no
 * text, or where it holds a table. Attachments are named and not read: add those that matter as files of their own.
 */
export async function readEmail(_name: string, bytes: Uint8Array): Promise<Outline> {
  const email = await PostalMime.parse(bytes);
  const subject = singleLine(email.subject ?? '');
  const envelope = [
    ['From', email.from && people([email.from])],
    ['To', people(email.to ?? [])],
    ['Cc', people(email.cc ?? [])],
    // As the sender wrote it, in the sender's time zone.
    ['Date', email.headers.find(({ key }) => key === 'date')?.value],
  ].flatMap(([name, value]) => (value ? [`${name}: ${value}`] : []));
  const attached = email.attachments.map(({ filename, mimeType }) => filename ?? mimeType);
  return {
    title: subject || undefined,
    units: [
      ...(subject ? [{ kind: 'heading', depth: 1, text: subject, page: null } satisfies Unit] : []),
      ...envelope.map((line, index) => body(line, { tight: index > 0 })),
      ...bodyOf(email).map(below),
      ...(attached.length > 0 ? [body(`Attachments (not read): ${attached.join(', ')}`)] : []),
    ],
  };
}

/** The text alternative of a table is a list of its cells. */
const holdsTable = (html: string) => /<th[\s>]/i.test(html);

function bodyOf({ text, html }: { text?: string | undefined; html?: string | undefined }): Unit[] {
  if (html && (!text?.trim() || holdsTable(html))) return readHtml(html).units;
  return text ? readPlainText(text).units : [];
}

/** The subject stands over everything in the message. */
const below = (unit: Unit): Unit => (unit.kind === 'heading' ? { ...unit, depth: unit.depth + 1 } : unit);

const people = (addresses: Address[]): string =>
  addresses
    .map((one) => (one.group ? people(one.group) : one.name ? `${one.name} <${one.address}>` : (one.address ?? '')))
    .filter(Boolean)
    .join(', ');

const headerLine =
  /^(?:from|to|cc|date|subject|received|return-path|message-id|mime-version|content-type|delivered-to|reply-to|x-[\w-]+|dkim-signature|arc-[\w-]+|authentication-results):/im;

/** Whether the first lines are those of a message: at least two header lines that every program writes. */
export function looksLikeEmail(bytes: Uint8Array): boolean {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 16_000)).split(/\r?\n\r?\n/, 1)[0] ?? '';
  return head.split(/\r?\n/).filter((line) => headerLine.test(line)).length >= 2;
}
