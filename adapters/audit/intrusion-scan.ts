import { randomUUID } from 'node:crypto';
import type { Audit, Webhooks } from '../../contract/ports/index.ts';
import {
  findSignals,
  newSignals,
  placeOf,
  signalKey,
  subjectKey,
  windowMs,
  type IntrusionRule,
  type IntrusionSignal,
  type KnownBefore,
  type ObservedEntry,
} from '../../contract/rules/intrusion/signals.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { IntrusionRows } from '../postgres/audit/intrusion-rows.ts';

/** A signal is given again after this time, when what it is about goes on. */
const repeatAfterMs = 6 * 3_600_000;
const hourMs = 3_600_000;
const webhookTimeoutMs = 10_000;

type Deps = {
  rows: IntrusionRows;
  audit: Pick<Audit, 'record'>;
  log: Pick<Logger, 'warn'>;
  metrics?: Pick<Metrics, 'intrusionSignals'> | undefined;
  /** Is called for each signal. */
  hook?: { url: string; secret: string; webhooks: Webhooks } | undefined;
  now?: () => number;
};

/** Looks through the audit log for what looks like an intrusion, and reports each find once. */
export function createIntrusionScan({ rows, audit, log, metrics, hook, now = Date.now }: Deps) {
  /** Signals that were given, and whose entries wait; by their keys, with the time. */
  const late = new Map<string, number>();
  let volumes: { end: number; known: KnownBefore['volumes'] } | undefined;

  /** Of the last full hour; they do not change until the next. */
  async function readVolumes(): Promise<KnownBefore['volumes']> {
    const end = Math.floor(now() / hourMs) * hourMs;
    if (volumes?.end !== end) volumes = { end, known: volumesOf(await rows.volumesAt(new Date(end))) };
    return volumes.known;
  }

  async function readKnown(entries: ObservedEntry[], begin: Date): Promise<KnownBefore> {
    const signedIn = entries.filter(({ action, outcome }) => action === 'sign_in' && outcome === 'ok');
    const subjects = [...new Map(signedIn.map((one) => [subjectKey(one), one])).values()];
    const read = new Set(entries.flatMap(({ action, resourceId }) => (action === 'document.read' && resourceId) || []));
    const [origins, canaries, known] = await Promise.all([
      subjects.length === 0
        ? []
        : rows.originsBefore(
            subjects.map(({ tenant, subject }) => ({ tenant, subject })),
            begin,
          ),
      read.size === 0 ? [] : rows.canariesAmong([...read]),
      readVolumes(),
    ]);
    return { origins: originsOf(origins), canaries: new Set(canaries), volumes: known };
  }

  async function scan(): Promise<void> {
    const begin = new Date(now() - windowMs);
    const entries = await rows.entriesSince(begin);
    const found = findSignals(entries, await readKnown(entries, begin));
    if (found.length === 0) return;
    const given = await rows.signalsSince(new Date(now() - repeatAfterMs));
    const earlier = given.map(({ tenant, subject, code, address, resource_id: id }) =>
      signalKey({
        rule: code as IntrusionRule,
        tenant,
        subject,
        network: address ?? undefined,
        documentId: id ?? undefined,
      }),
    );
    for (const [key, at] of late) if (now() - at >= repeatAfterMs) late.delete(key);
    for (const signal of newSignals(found, new Set([...earlier, ...late.keys()]))) await report(signal);
  }

  async function report(signal: IntrusionSignal): Promise<void> {
    const { rule, tenant, subject, network, documentId, count } = signal;
    try {
      await audit.record({
        tenant,
        subject,
        action: 'intrusion.signal',
        outcome: 'signal',
        code: rule,
        count,
        address: network,
        resource: documentId === undefined ? undefined : { type: 'document', id: documentId },
      });
    } catch (error) {
      // The entry is stored later.
      late.set(signalKey(signal), now());
      log.warn({ err: error }, 'the entry of a signal waits for the audit log');
    }
    metrics?.intrusionSignals.inc({ rule });
    log.warn(signal, 'this looks like an intrusion');
    if (hook) void notify(hook, signal);
  }

  async function notify({ url, secret, webhooks }: NonNullable<Deps['hook']>, signal: IntrusionSignal) {
    const id = `msg_${randomUUID()}`;
    const body = { type: 'intrusion.signal', timestamp: new Date(now()).toISOString(), data: signal };
    try {
      const { status } = await webhooks.send(
        { url, secret, id, body },
        { signal: AbortSignal.timeout(webhookTimeoutMs) },
      );
      if (status >= 300) log.warn({ status }, 'the receiver of signals did not take one');
    } catch (error) {
      log.warn({ err: error }, 'a signal could not be sent to ALFRED_INTRUSION_WEBHOOK');
    }
  }

  return { scan: () => rows.exclusively(scan) };
}

type OriginRow = Awaited<ReturnType<IntrusionRows['originsBefore']>>[number];

function originsOf(rows: OriginRow[]): KnownBefore['origins'] {
  const origins = new Map<string, { places: Set<string>; clients: Set<string> }>();
  for (const row of rows) {
    const key = subjectKey(row);
    const known = origins.get(key) ?? { places: new Set(), clients: new Set() };
    origins.set(key, known);
    const place = placeOf(row);
    if (place !== undefined) known.places.add(place);
    if (row.client !== null) known.clients.add(row.client);
  }
  return origins;
}

function volumesOf(rows: { tenant: string; week: number; entries: number }[]): KnownBefore['volumes'] {
  const volumes = new Map<string, { now: number; before: number[] }>();
  for (const { tenant, week, entries } of rows) {
    const volume = volumes.get(tenant) ?? { now: 0, before: [] };
    volumes.set(tenant, volume);
    if (week === 0) volume.now = entries;
    else volume.before.push(entries);
  }
  return volumes;
}
