import { findPhoneNumbersInText } from 'libphonenumber-js';
import validator from 'validator';
import type { Span } from '../../../contract/rules/sentences.ts';
import { createPause } from '../../../runtime/create-pause.ts';

export const personalDataKinds = [
  'email',
  'phone',
  'iban',
  'card',
  'us_social_security_number',
  'ip_address',
  'date_of_birth',
] as const;
export type PersonalDataKind = (typeof personalDataKinds)[number];

/**
 * Where personal data stands in a document, in UTF-16 code units. `shown`: the value with most of it masked, because a
 * report goes to more people than the document.
 */
export type PersonalData = Span & { kind: PersonalDataKind; shown: string };

/**
 * Candidates, and what a library or a rule says of each. The widest kinds come last. No repetition is without a bound:
 * the time would grow faster than the text.
 */
const detectors: { kind: PersonalDataKind; candidate: RegExp; isReal: (value: string) => boolean }[] = [
  {
    kind: 'email',
    candidate: /(?<![\p{L}\p{N}._%+'-])[\p{L}\p{N}._%+'-]{1,64}@[\p{L}\p{N}.-]{1,255}\.\p{L}{2,63}/gu,
    isReal: (value) => validator.isEmail(value) || /\.(example|test|invalid)$/.test(value),
  },
  {
    kind: 'iban',
    candidate: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b/g,
    isReal: (value) => validator.isIBAN(value.replaceAll(' ', '')),
  },
  {
    kind: 'card',
    candidate: /\b\d(?:[ -]?\d){12,18}\b/g,
    isReal: (value) => validator.isCreditCard(value.replace(/[ -]/g, '')),
  },
  {
    kind: 'us_social_security_number',
    // Area 000, 666 and from 900 on, group 00 and serial 0000 are never issued.
    candidate: /\b(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}\b/g,
    isReal: () => true,
  },
  { kind: 'ip_address', candidate: /\b\d{1,3}(?:\.\d{1,3}){3}\b/g, isReal: (value) => validator.isIP(value, 4) },
  {
    kind: 'date_of_birth',
    candidate:
      /(?<=\b(?:born(?: on)?|date of birth|birth ?date|d\.?o\.?b\.?)\s{0,5}[:–-]?\s{0,5})(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2} \p{L}{1,20} \d{4}|\p{L}{1,20} \d{1,2}, \d{4})/giu,
    isReal: () => true,
  },
];

/** Telephone numbers are looked for in pieces of so many characters: the time then grows with the text's length. */
const phonePiece = 2_000;

/**
 * Finds personal data by its form: candidates by patterns that `validator` confirms (checksums of IBAN and card numbers
 * among them), and telephone numbers with a country code by `libphonenumber-js`. Names and addresses have no form, and
 * are not found.
 */
export async function findPersonalData(text: string): Promise<PersonalData[]> {
  const pause = createPause();
  const found: PersonalData[] = [];
  // One mark a character: comparing each with all that were found would be quadratic.
  const taken = new Uint8Array(text.length);
  const add = (kind: PersonalDataKind, start: number, value: string) => {
    const end = start + value.length;
    if (taken.subarray(start, end).includes(1)) return;
    taken.fill(1, start, end);
    found.push({ kind, start, end, shown: masked(kind, value) });
  };
  for (const { kind, candidate, isReal } of detectors)
    for (const match of text.matchAll(candidate)) {
      await pause();
      if (isReal(match[0])) add(kind, match.index, match[0]);
    }
  for (let at = 0; at < text.length; at += phonePiece) {
    await pause();
    // A piece ends in the next one, so that a number at the border is seen whole.
    const piece = text.slice(at, at + phonePiece + 40);
    for (const { startsAt, endsAt } of findPhoneNumbersInText(piece, { extended: true })) {
      if (startsAt !== undefined && endsAt !== undefined && startsAt < phonePiece)
        add('phone', at + startsAt, piece.slice(startsAt, endsAt));
    }
  }
  return found.sort((a, b) => a.start - b.start);
}

/** The first and the last characters of a value, and the domain of an e-mail address. */
function masked(kind: PersonalDataKind, value: string): string {
  if (kind === 'email') {
    const at = value.indexOf('@');
    return `${value.slice(0, 1)}…${value.slice(at)}`;
  }
  return `${value.slice(0, 2)}…${value.slice(-2)}`;
}
