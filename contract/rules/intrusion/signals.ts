import { networkOf } from '../network.ts';

export const intrusionRules = [
  'failed_sign_ins',
  'new_origin',
  'refusals',
  'mass_reading',
  'unusual_volume',
  'canary_read',
] as const;
export type IntrusionRule = (typeof intrusionRules)[number];

/** What a rule sees of an entry of the audit log. */
export type ObservedEntry = {
  atMs: number;
  tenant: string;
  subject: string;
  kind: string | null;
  action: string;
  resourceId: string | null;
  outcome: string;
  code: string | null;
  count: number;
  address: string | null;
  country: string | null;
  client: string | null;
};

/** What is known beside the entries of the window. */
export type KnownBefore = {
  /** Origins of earlier sign-ins, by `subjectKey`: networks or countries, and programs. */
  origins: ReadonlyMap<string, { places: ReadonlySet<string>; clients: ReadonlySet<string> }>;
  /** Ids of documents that no one has a reason to read. */
  canaries: ReadonlySet<string>;
  /** By tenant, how much was done in the last full hour, and in the same hour of weeks before. */
  volumes: ReadonlyMap<string, { now: number; before: readonly number[] }>;
};

/** Something that looks like an intrusion. */
export type IntrusionSignal = {
  rule: IntrusionRule;
  tenant: string;
  /** Empty: not known. */
  subject: string;
  /** The network that it comes from. */
  network?: string | undefined;
  documentId?: string | undefined;
  count: number;
};

/** How long the window is that the rules look at, in milliseconds. */
export const windowMs = 600_000;

/** Codes of credentials that were good once and are sent by programs that no one looks after. */
const forgotten = ['token_missing', 'token_expired', 'token_not_yet_valid', 'key_expired', 'session_ended'];

/** Codes that say how much was asked, and not that it was forbidden. */
const tooMuch = ['rate_limited', 'too_many_streams', 'too_many_uploads'];

const limits = {
  /** Wrong credentials in the window: from one network, and from several together. */
  failedFromNetwork: 20,
  failedTogether: 100,
  networksTogether: 5,
  /** Requests of one subject that were refused. */
  refused: 40,
  /** Documents and reports that one subject reads. */
  read: 200,
  /** How many times the most of the hours before, and how many entries more. */
  volumeTimes: 3,
  volumeMore: 200,
  weeksNeeded: 2,
};

export const subjectKey = ({ tenant, subject }: { tenant: string; subject: string }) =>
  JSON.stringify([tenant, subject]);

/** Where a sign-in came from: the country, where a proxy says it, else the network. */
export const placeOf = ({ country, address }: Pick<ObservedEntry, 'country' | 'address'>): string | undefined =>
  country ?? (address === null ? undefined : networkOf(address));

/** What the rules find in the entries of a window. */
export const findSignals = (entries: readonly ObservedEntry[], known: KnownBefore): IntrusionSignal[] => [
  ...failedSignIns(entries),
  ...newOrigins(entries, known),
  ...bursts('refusals', limits.refused, entries.filter(isRefusal)),
  ...bursts('mass_reading', limits.read, entries.filter(isReading)),
  ...unusualVolumes(known),
  ...canaryReads(entries, known),
];

/** Wrong keys and tokens: many from one network, or many from several, as of a list of stolen credentials. */
function failedSignIns(entries: readonly ObservedEntry[]): IntrusionSignal[] {
  const failed = entries.filter(
    ({ action, outcome, code }) => action === 'sign_in' && outcome === 'refused' && !forgotten.includes(code ?? ''),
  );
  return [...groupBy(failed, ({ tenant }) => tenant)].flatMap(([tenant, ofTenant]) => {
    const networks = [...groupBy(ofTenant, ({ address }) => networkOf(address ?? ''))];
    const found = networks.flatMap(([network, some]) =>
      total(some) < limits.failedFromNetwork
        ? []
        : [signal('failed_sign_ins', { tenant, subject: '', network, count: total(some) })],
    );
    const isTogether = total(ofTenant) >= limits.failedTogether && networks.length >= limits.networksTogether;
    return found.length === 0 && isTogether
      ? [signal('failed_sign_ins', { tenant, subject: '', count: total(ofTenant) })]
      : found;
  });
}

/**
 * A credential from where its subject never was. People change networks and programs: without a country, both must be
 * new. Services do not: one is enough. A subject that was never seen before has no origin to compare with.
 */
function newOrigins(entries: readonly ObservedEntry[], { origins }: KnownBefore): IntrusionSignal[] {
  const found = new Map<string, IntrusionSignal>();
  for (const entry of entries.filter(({ action, outcome }) => action === 'sign_in' && outcome === 'ok')) {
    const before = origins.get(subjectKey(entry));
    const place = placeOf(entry);
    if (!before || place === undefined) continue;
    const isNewPlace = !before.places.has(place);
    const isNewClient = entry.client !== null && !before.clients.has(entry.client);
    const isEnough = entry.kind === 'service' || entry.country !== null ? isNewPlace : isNewPlace && isNewClient;
    if (!isEnough && !(entry.kind === 'service' && isNewClient)) continue;
    const { tenant, subject, count } = entry;
    found.set(subjectKey(entry), signal('new_origin', { tenant, subject, network: place, count }));
  }
  return [...found.values()];
}

const isRefusal = ({ action, outcome, subject, code }: ObservedEntry) =>
  outcome === 'refused' && action !== 'sign_in' && subject !== '' && !tooMuch.includes(code ?? '');

const isReading = ({ action, outcome }: ObservedEntry) =>
  outcome === 'ok' && ['artifact.read', 'document.read', 'usage.read', 'audit.read', 'other.read'].includes(action);

/** Much of one kind by one subject. */
function bursts(rule: IntrusionRule, least: number, entries: readonly ObservedEntry[]): IntrusionSignal[] {
  return [...groupBy(entries, subjectKey).values()].flatMap((some) => {
    const [first] = some;
    const count = total(some);
    return first && count >= least ? [signal(rule, { tenant: first.tenant, subject: first.subject, count })] : [];
  });
}

/** Much more than in the same hour of the weeks before, as when a person takes data away at night. */
const unusualVolumes = ({ volumes }: KnownBefore): IntrusionSignal[] =>
  [...volumes].flatMap(([tenant, { now, before }]) => {
    if (before.length < limits.weeksNeeded) return [];
    const most = Math.max(...before);
    const isUnusual = now >= limits.volumeTimes * most && now >= most + limits.volumeMore;
    return isUnusual ? [signal('unusual_volume', { tenant, subject: '', count: now })] : [];
  });

const canaryReads = (entries: readonly ObservedEntry[], { canaries }: KnownBefore): IntrusionSignal[] =>
  entries
    .filter(
      ({ action, outcome, resourceId }) =>
        action === 'document.read' && outcome === 'ok' && canaries.has(resourceId ?? ''),
    )
    .map(({ tenant, subject, resourceId, count, address }) => ({
      ...signal('canary_read', { tenant, subject, count }),
      documentId: resourceId ?? '',
      network: address === null ? undefined : networkOf(address),
    }));

/** Those signals that were not given already. */
export function newSignals(signals: readonly IntrusionSignal[], earlier: ReadonlySet<string>): IntrusionSignal[] {
  const seen = new Set(earlier);
  return signals.filter((one) => {
    const key = signalKey(one);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** What makes a signal the same as one that was given: its rule and who it is about, and of canaries which one. */
export const signalKey = ({ rule, tenant, subject, network, documentId }: Omit<IntrusionSignal, 'count'>): string =>
  JSON.stringify([rule, tenant, subject, subject === '' ? (network ?? null) : null, documentId ?? null]);

const signal = (rule: IntrusionRule, rest: Omit<IntrusionSignal, 'rule'>): IntrusionSignal => ({ rule, ...rest });

const total = (entries: readonly ObservedEntry[]) => entries.reduce((sum, { count }) => sum + count, 0);

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
