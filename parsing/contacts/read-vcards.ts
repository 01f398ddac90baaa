import ICAL from 'ical.js';
import type { ContactLine } from '../../contract/contacts.ts';
import { InvalidRequest } from '../../contract/errors.ts';
import { rawColumn } from '../../contract/rules/contacts/contact-fields.ts';
import { linesOf } from './read-json-contacts.ts';
import { modernCard } from './modern-card.ts';

/** A longer card has large pictures, or is no card. */
const longestCard = 5_000_000;

/**
 * Reads vCards 2.1, 3.0 and 4.0, one after the other. A line is the one where a card begins. Names, e-mail addresses,
 * phone numbers, company, title and country are read, and nothing else.
 *
 * @throws InvalidRequest when there is text that belongs to no card
 */
export async function* readVCards(texts: AsyncIterable<string>): AsyncGenerator<ContactLine> {
  let line = 0;
  let begin = 0;
  let size = 0;
  let card: string[] | undefined;
  for await (const text of linesOf(texts)) {
    line++;
    if (card === undefined) {
      if (text.trim() === '') continue;
      if (!/^BEGIN:VCARD\s*$/i.test(text)) throw noCard(line, 'expected BEGIN:VCARD');
      [card, begin, size] = [[], line, 0];
    } else if (/^END:VCARD\s*$/i.test(text)) {
      yield lineOf(begin, card);
      card = undefined;
    } else if (/^BEGIN:VCARD\s*$/i.test(text)) throw noCard(line, 'the card before has no END:VCARD');
    else {
      card.push(text);
      size += text.length;
      if (size > longestCard) throw noCard(begin, `the card is longer than ${longestCard} characters`);
    }
  }
  if (card !== undefined) throw noCard(begin, 'the card has no END:VCARD');
}

const noCard = (line: number, problem: string) => new InvalidRequest([{ path: `line ${line}`, message: problem }]);

/** A property as jCard has it (RFC 7095). */
type Property = [name: string, parameters: Record<string, string | string[]>, type: string, ...values: unknown[]];

function lineOf(line: number, card: string[]): ContactLine {
  try {
    const [, properties] = ICAL.parse(`BEGIN:VCARD\r\n${modernCard(card)}\r\nEND:VCARD`) as [string, Property[]];
    return { line, fields: fieldsOf(properties) };
  } catch {
    const raw = card.join('\n').slice(0, 2_000).toWellFormed();
    return { line, fields: { [rawColumn]: raw }, fault: 'is a vCard that cannot be read' };
  }
}

function fieldsOf(properties: Property[]): Record<string, string> {
  const all = (name: string) =>
    properties
      .filter(([found]) => found === name)
      .sort(([, a], [, b]) => preferenceOf(a) - preferenceOf(b))
      .map(([, , , value]) => value);
  const part = (name: string, n: number) => {
    const [value] = all(name);
    const inner: unknown = Array.isArray(value) ? (value as unknown[])[n] : n === 0 ? value : undefined;
    return [inner]
      .flat()
      .filter((text) => typeof text === 'string')
      .join(' ');
  };
  return {
    name: part('fn', 0),
    firstName: part('n', 1),
    lastName: part('n', 0),
    email: all('email').map(String).join('\n'),
    phone: all('tel').map(String).join('\n'),
    company: part('org', 0),
    title: part('title', 0),
    country: part('adr', 6),
  };
}

/** The lowest comes first: `PREF=1` of vCard 4.0, `TYPE=pref` of those before. */
function preferenceOf({ type, pref }: Record<string, string | string[]>): number {
  if (pref !== undefined) return Number(pref) || 100;
  return [type ?? []].flat().some((one) => /(^|,)pref(,|$)/i.test(one)) ? 1 : 100;
}
