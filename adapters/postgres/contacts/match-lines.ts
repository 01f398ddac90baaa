import { v7 as newId } from 'uuid';
import type { ContactBody, ContactOutcome, MergeReason } from '../../../contract/contacts.ts';
import { canonicalJson } from '../../../contract/json.ts';
import type { CheckedLine, RejectedLine } from '../../../contract/ports/index.ts';
import { foldedName } from '../../../contract/rules/contacts/fold-words.ts';
import { isSamePerson, keysOf, mergeContact } from '../../../contract/rules/contacts/merge-contacts.ts';
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

const ranks: Record<MergeReason, number> = { email: 0, phone: 1, name: 2 };

/**
 * Decides what becomes of the lines of a batch, one after the other.
 *
 * @param known the contacts that have a key in common with one of the lines
 */
export function matchLines(lines: readonly CheckedLine[], known: readonly WrittenContact[]) {
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

  /** Contacts that are the person, the one that fits best first. */
  const find = (body: ContactBody): Found[] => {
    const found = new Map<string, Found>();
    for (const key of keysOf(body)) {
      const ids = [...(byHash.get(hashKey(key)) ?? [])].sort().slice(0, mostOfKey);
      for (const id of ids) {
        const contact = contacts.get(id);
        if (contact && !found.has(id) && isSamePerson(contact.body, body, key.reason))
          found.set(id, { contact, reason: key.reason });
      }
    }
    const name = body.name === null ? undefined : foldedName(body.name);
    const hasOtherName = ({ contact }: Found) => {
      const own = contact.body.name;
      return name === undefined || own === null || foldedName(own) === name ? 0 : 1;
    };
    return [...found.values()].sort(
      (a, b) =>
        ranks[a.reason] - ranks[b.reason] ||
        hasOtherName(a) - hasOtherName(b) ||
        (a.contact.id < b.contact.id ? -1 : 1),
    );
  };

  const merge = (line: number, body: ContactBody, [target, ...others]: [Found, ...Found[]]): ContactOutcome => {
    const { contact, reason } = target;
    const absorbed = others.filter((other) => isAbsorbed(target.contact, other, body));
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

  const take = (checked: CheckedLine): ContactOutcome => {
    if ('reason' in checked) {
      rejects.push(checked);
      return 'rejected';
    }
    const { line, body } = checked;
    const [first, ...others] = find(body);
    if (first) return merge(line, body, [first, ...others]);
    enter({ id: newId(), body, base: null, apart: [], isNew: true, isChanged: true });
    return 'added';
  };

  for (const line of lines) outcomes[take(line)]++;
  const written = [...contacts.values()].filter(({ isChanged }) => isChanged);
  return { written, deleted, merges, rejects, outcomes };
}

/** Whether a contact becomes part of the one that a line is merged into: the line shows that both are one person. */
function isAbsorbed(target: WrittenContact, { contact, reason }: Found, incoming: ContactBody): boolean {
  const areApart = target.apart.includes(contact.id) || contact.apart.includes(target.id);
  return !areApart && isSamePerson(mergeContact(target.body, incoming), contact.body, reason);
}
