import { v7 as newId } from 'uuid';
import type { ContactBody, ContactOutcome, MergeReason } from '../../../contract/contacts.ts';
import { canonicalJson } from '../../../contract/json.ts';
import type { CheckedLine, RejectedLine } from '../../../contract/ports/index.ts';
import { foldedName } from '../../../contract/rules/contacts/fold-words.ts';
import { isSamePerson, keysOf, mergeContact, mergeProblem } from '../../../contract/rules/contacts/merge-contacts.ts';
import { hashesOf, hashKey, type WrittenContact } from './contact-rows.ts';

/** A key that more contacts have tells nothing about a person, like the number of a switchboard. */
export const mostOfKey = 50;

/** A merge that is to be recorded. */
export type NewMerge = {
  id: string;
  contact_id: string;
  line: number;
  reason: MergeReason;
  incoming: ContactBody;
  absorbed_id: string | null;
  absorbed_base: ContactBody | null;
};

type Working = WrittenContact & { hashes: string[]; isNew: boolean; isChanged: boolean };
type Found = { contact: Working; reason: MergeReason };
/** A checked line with its values as they came. */
type Line = CheckedLine & Pick<RejectedLine, 'fields'>;

const ranks: Record<MergeReason, number> = { email: 0, phone: 1, name: 2 };

/**
 * Decides what becomes of the lines of a batch, one after the other.
 *
 * @param known the contacts that have a key in common with one of the lines
 */
export function matchLines(lines: readonly Line[], known: readonly WrittenContact[]) {
  const contacts = new Map<string, Working>();
  const byHash = new Map<string, Set<string>>();
  const merges: NewMerge[] = [];
  const rejects: RejectedLine[] = [];
  const deleted: string[] = [];
  const outcomes: Record<ContactOutcome, number> = { added: 0, merged: 0, unchanged: 0, rejected: 0 };

  const enter = (contact: Omit<Working, 'hashes'>) => {
    const hashes = hashesOf(contact.body);
    contacts.set(contact.id, { ...contact, hashes });
    for (const hash of hashes) byHash.set(hash, (byHash.get(hash) ?? new Set()).add(contact.id));
  };
  const leave = ({ id, hashes }: Working) => {
    contacts.delete(id);
    for (const hash of hashes) byHash.get(hash)?.delete(id);
  };
  for (const contact of known) enter({ ...contact, isNew: false, isChanged: false });
  // Not all contacts of these are known: after a merge more may be left than stand here.
  const crowded = new Set([...byHash].filter(([, ids]) => ids.size > mostOfKey).map(([hash]) => hash));
  const fold = createFold();

  /** Contacts that are the person, the one that fits best first. */
  const find = (body: ContactBody): Found[] => {
    const found = new Map<string, Found>();
    const tried = new Set<string>();
    for (const key of keysOf(body)) {
      const hash = hashKey(key);
      const ids = byHash.get(hash) ?? new Set<string>();
      if (crowded.has(hash) || ids.size > mostOfKey) continue;
      for (const id of ids) {
        const contact = contacts.get(id);
        if (!contact || found.has(id) || tried.has(`${key.reason} ${id}`)) continue;
        tried.add(`${key.reason} ${id}`);
        if (isSamePerson(contact.body, body, key.reason, fold)) found.set(id, { contact, reason: key.reason });
      }
    }
    return clearOnes([...found.values()], body).sort(byFit(body, fold));
  };

  const merge = (checked: Line & { body: ContactBody }, [target, ...others]: [Found, ...Found[]]): ContactOutcome => {
    const { line, body, fields } = checked;
    const { contact, reason } = target;
    const absorbed = others.filter((other) => isAbsorbed(target.contact, other, body, fold));
    const problem = mergeProblem([contact.body, body, ...absorbed.map((other) => other.contact.body)]);
    if (problem !== undefined) {
      rejects.push({ line, reason: problem, fields });
      return 'rejected';
    }
    let after = contact.body;
    for (const other of absorbed) after = mergeContact(after, other.contact.body);
    after = mergeContact(after, body);
    if (absorbed.length === 0 && canonicalJson(after) === canonicalJson(contact.body)) return 'unchanged';
    const common = { contact_id: contact.id, line };
    for (const other of absorbed) {
      const { id, body: incoming, base } = other.contact;
      merges.push({
        ...common,
        id: newId(),
        reason: other.reason,
        incoming,
        absorbed_id: id,
        absorbed_base: base ?? incoming,
      });
      leave(other.contact);
      if (!other.contact.isNew) deleted.push(id);
    }
    merges.push({ ...common, id: newId(), reason, incoming: body, absorbed_id: null, absorbed_base: null });
    leave(contact);
    enter({
      ...contact,
      body: after,
      base: contact.base ?? contact.body,
      apart: [...new Set([contact, ...absorbed.map((other) => other.contact)].flatMap(({ apart }) => apart))],
      isChanged: true,
    });
    return 'merged';
  };

  const take = (checked: Line): ContactOutcome => {
    if ('reason' in checked) {
      rejects.push(checked);
      return 'rejected';
    }
    const { body } = checked;
    const [first, ...others] = find(body);
    if (first) return merge(checked, [first, ...others]);
    enter({ id: newId(), body, base: null, apart: [], isNew: true, isChanged: true });
    return 'added';
  };

  for (const line of lines) outcomes[take(line)]++;
  const written = [...contacts.values()].filter(({ isChanged }) => isChanged);
  return { written, deleted, merges, rejects, outcomes };
}

/** Whether a contact becomes part of the one that a line is merged into: the line shows that both are one person. */
function isAbsorbed(
  target: WrittenContact,
  { contact, reason }: Found,
  incoming: ContactBody,
  fold: typeof foldedName,
): boolean {
  const areApart = target.apart.includes(contact.id) || contact.apart.includes(target.id);
  return !areApart && isSamePerson(mergeContact(target.body, incoming), contact.body, reason, fold);
}

/** `foldedName` that keeps what it has folded. */
function createFold(): typeof foldedName {
  const folded = new Map<string, string>();
  return (name) => {
    const known = folded.get(name) ?? foldedName(name);
    folded.set(name, known);
    return known;
  };
}

/** A number alone does not say which of several people it is: then only contacts without a name, too, are this one. */
function clearOnes(found: Found[], { name }: ContactBody): Found[] {
  const isUnclear = name === null && found.filter(({ reason }) => reason === 'phone').length > 1;
  return isUnclear ? found.filter(({ contact, reason }) => reason !== 'phone' || contact.body.name === null) : found;
}

/** Orders contacts: the one that fits best first. */
function byFit({ name }: ContactBody, fold: typeof foldedName) {
  const hasOtherName = ({ contact }: Found) => {
    const own = contact.body.name;
    return name === null || own === null || fold(own) === fold(name) ? 0 : 1;
  };
  return (a: Found, b: Found) =>
    ranks[a.reason] - ranks[b.reason] || hasOtherName(a) - hasOtherName(b) || (a.contact.id < b.contact.id ? -1 : 1);
}
