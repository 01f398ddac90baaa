import { mostAddresses, mostCustom, type ContactBody, type MergeReason } from '../../contacts.ts';
import { foldedCompany, foldedName } from './fold-words.ts';

/**
 * Merges what an upload says of a person into what is known of them.
 *
 * - E-mail addresses and phone numbers: all of both, those that were known first.
 * - Everything else: what comes in counts, where it says something. The three parts of a name go together.
 */
export function mergeContact(known: ContactBody, incoming: ContactBody): ContactBody {
  const named = incoming.name === null ? known : incoming;
  return {
    name: named.name,
    // A whole name alone does not say less than the same name in parts.
    ...partsOf(named, known),
    emails: union(known.emails, incoming.emails),
    phones: union(known.phones, incoming.phones),
    company: incoming.company ?? known.company,
    title: incoming.title ?? known.title,
    country: incoming.country ?? known.country,
    custom: Object.fromEntries(Object.entries({ ...known.custom, ...incoming.custom }).slice(0, mostCustom)),
  };
}

const partsOf = (named: ContactBody, known: ContactBody) => {
  const isSame = named.firstName === null && named.lastName === null && named.name === known.name;
  const { firstName, lastName } = isSame ? known : named;
  return { firstName, lastName };
};

const union = (a: readonly string[], b: readonly string[]) => [...new Set([...a, ...b])].slice(0, mostAddresses);

/** Why contacts cannot be merged without a loss. @returns undefined when they can */
export function mergeProblem(bodies: readonly ContactBody[]): string | undefined {
  const countOf = (listOf: (body: ContactBody) => string[]) => new Set(bodies.flatMap(listOf)).size;
  if (
    Math.max(
      countOf(({ emails }) => emails),
      countOf(({ phones }) => phones),
    ) > mostAddresses
  )
    return `its contact would have more than ${mostAddresses} e-mail addresses or phone numbers`;
  if (countOf(({ custom }) => Object.keys(custom)) > mostCustom)
    return `its contact would have more than ${mostCustom} fields that Alfred does not know`;
  return undefined;
}

/** By what a contact is found again, with what it has in common then. */
export type ContactKey = { reason: MergeReason; value: string };

/** The keys of a contact. A name counts with its company only. */
export function keysOf({ emails, phones, name, company }: ContactBody): ContactKey[] {
  const person = name === null ? '' : foldedName(name);
  const employer = company === null ? '' : foldedCompany(company);
  return [
    ...emails.map((value): ContactKey => ({ reason: 'email', value })),
    ...phones.map((value): ContactKey => ({ reason: 'phone', value })),
    ...(person.includes(' ') && employer !== '' ? [{ reason: 'name', value: `${person}|${employer}` } as const] : []),
  ];
}

/**
 * Whether two contacts that have a key in common are one person.
 *
 * - The same e-mail address: always.
 * - The same phone number: when their names are the same, or one has no name and not both have e-mail addresses. People
 *   of one office share its number.
 * - The same name at the same company: when not both have e-mail addresses. Two people may have one name.
 *
 * @param fold `foldedName`, or one that keeps what it has folded
 */
export function isSamePerson(a: ContactBody, b: ContactBody, reason: MergeReason, fold = foldedName): boolean {
  const bothHaveEmails = a.emails.length > 0 && b.emails.length > 0;
  switch (reason) {
    case 'email':
      return true;
    case 'phone':
      return a.name === null || b.name === null ? !bothHaveEmails : fold(a.name) === fold(b.name);
    case 'name':
      return !bothHaveEmails;
  }
}
