import { AlfredError } from '../../../contract/errors.ts';
import type { PartyNames } from '../text/signals.ts';

export type Side = 'customer' | 'supplier';
/** The parties of a contract, seen from ours. `side`: whether we buy or sell. */
export type Parties = PartyNames & { side: Side };

const customers = [
  'customer',
  'client',
  'buyer',
  'purchaser',
  'licensee',
  'subscriber',
  'lessee',
  'principal',
  'employer',
  'tenant',
  'end user',
  'hirer',
  'retailer',
  'reseller',
];
const suppliers = [
  'supplier',
  'vendor',
  'provider',
  'service provider',
  'seller',
  'licensor',
  'consultant',
  'contractor',
  'agency',
  'lessor',
  'freelancer',
  'developer',
  'host',
  'manufacturer',
  'processor',
  'adviser',
  'advisor',
  'carrier',
  'designer',
];

/** Names in brackets that are no parties. */
const noParty =
  /agreement|contract|services?$|software|product|date|term$|fees?$|information|parties|party|deliverable|confidential|data$|platform|schedule|order|works?$|purpose|territory|order|project|goods|materials|policy|documentation|site|laws?$/i;

/** The defined names in one pair of brackets: (“Acme” or the “Supplier”). */
const inBrackets = /\(([^()]{2,160})\)/g;
const quoted = /[“"'‘]\*{0,3}\s{0,5}([^”"'’“]{2,40}?)\s{0,5}\*{0,3}[”"'’]/g;
/** Where the beginning of a contract names its parties, in characters. */
const beginning = 8_000;

/**
 * Finds the parties of a contract by the names that its beginning defines, else by the words for roles.
 *
 * @param wanted which party we are, as the request or the playbook says
 * @throws AlfredError `invalid_request` that names the parties, when ours is not clear
 */
export function findParties(text: string, wanted: string | undefined): Parties {
  const groups = definedParties(text.slice(0, beginning));
  const [first, second] = groups.length >= 2 ? groups : rolesIn(text);
  if (!first || !second)
    throw new AlfredError(
      'invalid_request',
      'The parties of the contract were not found. Its beginning must define them, as in: Acme Ltd (“Supplier”).',
    );
  const choices = [first, second].map((names) => names.join(' / ')).join('; ');
  if (wanted === undefined)
    throw new AlfredError(
      'invalid_request',
      `Say in \`party\` which party you are, or in the playbook (We are: …). The parties are: ${choices}.`,
    );
  const us = [first, second].find((names) => isNamed(names, wanted));
  const ours = us ?? bySide([first, second], wanted);
  if (!ours)
    throw new AlfredError('invalid_request', `"${wanted}" is no party of the contract. The parties are: ${choices}.`);
  const them = ours === first ? second : first;
  return { us: ours, them, side: sideOf(ours) ?? opposite(sideOf(them) ?? 'supplier') };
}

function definedParties(text: string): string[][] {
  const groups: string[][] = [];
  for (const [, inner = ''] of text.matchAll(inBrackets)) {
    const names = [...inner.matchAll(quoted)].map(([, name = '']) => name.replace(/^(?:the|a)\s+/i, '').trim());
    const bare =
      names.length === 0 && roles.includes(inner.replace(/^the\s+/i, '').toLowerCase())
        ? [inner.replace(/^the\s+/i, '')]
        : names;
    const parties = bare.filter((name) => /^\p{Lu}/u.test(name) && !noParty.test(name));
    if (parties.length > 0 && !groups.some((group) => group.some((name) => parties.includes(name))))
      groups.push(parties);
  }
  return groups;
}

const roles = [...customers, ...suppliers];

/** The words for roles that the text uses most, one of each side. */
function rolesIn(text: string): string[][] {
  const count = (role: string) =>
    [...text.matchAll(new RegExp(`\\b${role.replace(/\b\w/g, (c) => c.toUpperCase())}\\b`, 'g'))].length;
  const mostUsed = (names: string[]) =>
    names.map((name) => ({ name, uses: count(name) })).sort((a, b) => b.uses - a.uses)[0];
  const [customer, supplier] = [mostUsed(customers), mostUsed(suppliers)];
  return customer && supplier && customer.uses > 0 && supplier.uses > 0 ? [[customer.name], [supplier.name]] : [];
}

const isNamed = (names: string[], wanted: string) =>
  names.some((name) => name.toLowerCase() === wanted.trim().toLowerCase());

const sideOf = (names: readonly string[]): Side | undefined => {
  const lower = names.map((name) => name.toLowerCase());
  if (lower.some((name) => customers.includes(name))) return 'customer';
  return lower.some((name) => suppliers.includes(name)) ? 'supplier' : undefined;
};

const opposite = (side: Side): Side => (side === 'customer' ? 'supplier' : 'customer');

/** The party whose role is on the same side as the wanted one: a "Client" where we are the customer. */
function bySide(groups: string[][], wanted: string): string[] | undefined {
  const side = sideOf([wanted]);
  if (!side) return undefined;
  const own = groups.find((names) => sideOf(names) === side);
  return (
    own ??
    groups.find((names) => sideOf(names) === undefined && groups.some((other) => sideOf(other) === opposite(side)))
  );
}
