import {
  longestColumn,
  longestValue,
  mostAddresses,
  mostCustom,
  type ContactBody,
  type ContactLine,
} from '../../contract/contacts.ts';
import { fieldOf, isOwnColumn, type ContactField } from '../../contract/rules/contacts/contact-fields.ts';
import { plainCell } from '../../contract/rules/contacts/neutral-cell.ts';
import { findCountry } from './find-country.ts';
import { normaliseEmail } from './normalise-email.ts';
import { normaliseName, splitName } from './normalise-name.ts';
import { normalisePhone } from './normalise-phone.ts';

export type NormalisedLine =
  { line: number; body: ContactBody } | { line: number; reason: string; fields: Record<string, string> };

const separators = { email: /[;,\n]/, phone: /\n|;(?!\s*ext=)|\s\/\s/ } as const;

/**
 * Checks a line, and brings its values into one form. A value that is wrong rejects the whole line, with everything
 * that is wrong with it: what is left out silently is lost.
 *
 * @param defaultCountry for phone numbers without a country code, where the line names no country
 */
export function normaliseLine({ line, fields, fault }: ContactLine, defaultCountry: string | null): NormalisedLine {
  const problems: string[] = fault === undefined ? [] : [fault];
  const values = new Map<ContactField, string[]>();
  const custom: [string, string][] = [];
  for (const [column, cell] of fault === undefined ? Object.entries(fields) : []) {
    const value = plainCell(cell).normalize('NFC').trim();
    const field = fieldOf(column);
    if (value === '' || isOwnColumn(column)) continue;
    if (column.length > longestColumn)
      problems.push(`${shorten(column)}: its name is longer than ${longestColumn} characters`);
    else if (!isStorable(column) || !isStorable(value))
      problems.push(`${column}: has characters that no text can have`);
    else if (value.length > longestValue) problems.push(`${column}: is longer than ${longestValue} characters`);
    else if (field === undefined) custom.push([column, value]);
    else values.set(field, [...(values.get(field) ?? []), value]);
  }
  const single = (field: ContactField) => oneLine(values.get(field)?.[0]) ?? null;
  const givenCountry = single('country');
  const country = givenCountry === null ? null : findCountry(givenCountry);
  if (country === undefined) problems.push(`country: "${shorten(givenCountry)}" is no country that is known`);
  const list = (field: 'email' | 'phone', read: (text: string) => string | undefined) => {
    const texts = (values.get(field) ?? []).flatMap((value) => value.split(separators[field]));
    const read_ = texts.map((text) => text.trim()).filter((text) => text !== '');
    return [
      ...new Set(
        read_.flatMap((text) => {
          const normalised = read(text);
          if (normalised === undefined) problems.push(`${field}: "${shorten(text)}" ${wrong[field]}`);
          return normalised ?? [];
        }),
      ),
    ];
  };
  const emails = list('email', normaliseEmail);
  const phones = list('phone', (text) => normalisePhone(text, country ?? defaultCountry));
  if (problems.length === 0 && emails.length + phones.length === 0)
    problems.push('has neither an e-mail address nor a phone number');
  if (emails.length > mostAddresses || phones.length > mostAddresses)
    problems.push(`has more than ${mostAddresses} e-mail addresses or phone numbers`);
  if (custom.length > mostCustom) problems.push(`has more than ${mostCustom} fields that Alfred does not know`);
  if (problems.length > 0) return { line, reason: problems.slice(0, 5).join('; '), fields };
  const names = namesOf(single('name'), single('firstName'), single('lastName'));
  const body = { ...names, emails, phones, company: single('company'), title: single('title') };
  return { line, body: { ...body, country: country ?? null, custom: Object.fromEntries(custom) } };
}

const wrong = {
  email: 'is no e-mail address',
  phone: 'is no phone number of the country; write it with a country code, like +49 30 901820',
} as const;

function namesOf(name: string | null, first: string | null, last: string | null) {
  const firstName = first === null ? null : normaliseName(first);
  const lastName = last === null ? null : normaliseName(last);
  if (firstName !== null || lastName !== null) {
    const whole = name === null ? [firstName, lastName].filter((part) => part !== null).join(' ') : normaliseName(name);
    return { name: whole, firstName, lastName };
  }
  return name === null ? { name: null, firstName, lastName } : splitName(name);
}

const oneLine = (text: string | undefined) => text?.replaceAll(/\s+/g, ' ');
const isStorable = (text: string) => !text.includes('\u0000') && text.isWellFormed();
const shorten = (text: string | null) => (text ?? '').slice(0, 60).toWellFormed();
