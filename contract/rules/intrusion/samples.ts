import { subjectKey, type IntrusionRule, type KnownBefore, type ObservedEntry } from './signals.ts';

/** A pattern that a rule is made for. */
export type IntrusionSample = { description: string; entries: ObservedEntry[]; known: KnownBefore };

const entry = (n: number, more: Partial<ObservedEntry>): ObservedEntry => ({
  atMs: n * 1_000,
  tenant: 'example',
  subject: 'mallory',
  kind: 'person',
  action: 'document.read',
  resourceId: null,
  outcome: 'ok',
  code: null,
  count: 1,
  address: '203.0.113.9',
  country: null,
  client: 'curl',
  ...more,
});
const many = (count: number, more: (n: number) => Partial<ObservedEntry>) =>
  Array.from({ length: count }, (_, n) => entry(n, more(n)));

const nothing: KnownBefore = { origins: new Map(), canaries: new Set(), volumes: new Map() };
const canary = '01a8c2cf-1c44-7e33-8a7e-6f9cbe5d4d04';

/** For each rule the pattern that `alfred intrusion test` replays. */
export const intrusionSamples: Record<IntrusionRule, IntrusionSample> = {
  failed_sign_ins: {
    description: '30 wrong API keys from one network in a minute',
    entries: many(30, () => ({ subject: '', kind: null, action: 'sign_in', outcome: 'refused', code: 'key_invalid' })),
    known: nothing,
  },
  new_origin: {
    description: 'the key of a service, used from a network and with a program that it never had',
    entries: [entry(0, { subject: 'key:3f9c1a7e5b2d8046', kind: 'service', action: 'sign_in' })],
    known: {
      ...nothing,
      origins: new Map([
        [
          subjectKey({ tenant: 'example', subject: 'key:3f9c1a7e5b2d8046' }),
          { places: new Set(['198.51.100.0/24']), clients: new Set(['node']) },
        ],
      ]),
    },
  },
  refusals: {
    description: '60 tasks that one person may not see, asked for one after the other',
    entries: many(60, () => ({ action: 'getTask', outcome: 'refused', code: 'not_found' })),
    known: nothing,
  },
  mass_reading: {
    description: '250 documents read by one person in five minutes',
    entries: many(250, (n) => ({ resourceId: `document-${n}` })),
    known: nothing,
  },
  unusual_volume: {
    description: '900 entries in an hour that had 40 at most in the weeks before',
    entries: [],
    known: { ...nothing, volumes: new Map([['example', { now: 900, before: [12, 40, 31] }]]) },
  },
  canary_read: {
    description: 'one read of a document with the tag canary',
    entries: [entry(0, { resourceId: canary })],
    known: { ...nothing, canaries: new Set([canary]) },
  },
};
