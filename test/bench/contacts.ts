import { setTimeout as sleep } from 'node:timers/promises';
import { startContactIngest } from '../../adapters/temporal/contact-control.ts';
import { ContactIngest } from '../../contract/contacts.ts';
import { systemQueue } from '../../contract/ids.ts';
import type { Adapters } from '../../wiring/adapters.ts';
import type { Edge } from '../../runtime/edge.ts';
import { generatedContacts } from '../support/contacts/generated-contacts.ts';
import { createKillableProcesses } from '../support/processes/killable-processes.ts';
import { toMegabytes } from './measure.ts';
import type { Surroundings } from './servers.ts';
import { openStack, startStack } from './stack.ts';

const pollMs = 100;
/** About how long a worker works before it is killed. */
const betweenKillsMs = 1_500;

/**
 * Measures an upload of generated contacts over HTTP, with API and workers in this process: how long until all are
 * stored, and how much memory that takes. With kills it compares the contacts with those of an upload whose worker is
 * killed again and again.
 */
export async function measureContacts(options: { count: number; kills: number } & Surroundings) {
  const { count, kills, ...surroundings } = options;
  const variables = { ALFRED_MAX_UPLOAD_MB: '200', ALFRED_QUEUES: systemQueue };
  if (kills > 0) return measureKilled(count, kills, surroundings, variables);
  const { url, edge } = await startStack(surroundings, variables);
  const memory = watchMemory();
  const cpuBefore = process.cpuUsage();
  const startedAtMs = performance.now();
  const seconds = () => ((performance.now() - startedAtMs) / 1_000).toFixed(1);
  const response = await fetch(`${url}/v1/contacts`, {
    method: 'POST',
    headers: { 'content-type': 'text/csv' },
    body: ReadableStream.from(bytesOf(count)),
    duplex: 'half',
  });
  if (response.status !== 202) throw new Error(await response.text());
  const { id } = ContactIngest.parse(await response.json());
  console.log(`\n${count} lines received after ${seconds()} s`);
  while (true) {
    const ingest = ContactIngest.parse(await (await fetch(`${url}/v1/contact-ingests/${id}`)).json());
    if (ingest.status === 'running') {
      await sleep(pollMs);
      continue;
    }
    const { before, most } = memory.stop();
    console.log(`${ingest.status} after ${seconds()} s: ${JSON.stringify(ingest.counts)}`);
    const { user, system } = process.cpuUsage(cpuBefore);
    console.log(`CPU of API, workers and the sender: ${((user + system) / 1_000_000).toFixed(1)} s`);
    console.log(`memory of API and workers: ${toMegabytes(before)} MB before, ${toMegabytes(most)} MB at the most`);
    const { rows } = await edge.postgres.pool.query('select count(*)::int as contacts from contacts');
    console.log(JSON.stringify(rows[0]));
    return;
  }
}

async function measureKilled(count: number, kills: number, surroundings: Surroundings, variables: object) {
  const stack = await openStack(surroundings, { ...(variables as Record<string, string>) });
  const workers = createKillableProcesses(['workers/main.ts', '--queue', systemQueue], stack.config, {
    urlFor: () => stack.config.DATABASE_URL,
  });
  surroundings.cleanups.push(() => workers.end());
  workers.start();
  await workers.someReady();
  const plain = await ingestFor(stack, count, 'undisturbed');
  const disturbed = ingestFor(stack, count, 'killed');
  let isOver = false;
  void disturbed.finally(() => (isOver = true)).catch(() => undefined);
  while (workers.killed() < kills && !isOver) {
    await sleep(betweenKillsMs * (0.2 + Math.random()));
    for (const name of workers.ready()) workers.kill(name);
  }
  const killed = await disturbed;
  const isSame = JSON.stringify(plain) === JSON.stringify(killed);
  console.log(`\n${count} lines, workers killed ${workers.killed()} times: ${isSame ? 'the same' : 'DIFFERENT'}`);
  console.log(JSON.stringify({ plain, killed }, null, 2));
  if (!isSame) process.exitCode = 1;
}

/** Stores an upload for a tenant. @returns counts, and a hash of all its contacts */
async function ingestFor({ adapters, edge }: { adapters: Adapters; edge: Edge }, count: number, tenant: string) {
  const by = { tenant, subject: 'bench' };
  const { ingest } = await adapters.contactIngests.receive(
    by,
    {
      format: 'csv',
      charset: undefined,
      source: 'api',
      name: undefined,
      country: undefined,
      idempotencyKey: undefined,
    },
    bytesOf(count),
  );
  await startContactIngest(edge.client, edge.config, { ingestId: ingest.id, ...by });
  while ((await adapters.contactIngests.get(by, ingest.id))?.status === 'running') await sleep(pollMs);
  const ended = await adapters.contactIngests.get(by, ingest.id);
  const { rows } = await edge.postgres.pool.query<{ contacts: number; hash: string }>(
    `select count(*)::int as contacts, md5(string_agg(body::text, '' order by body::text)) as hash
     from contacts where tenant = $1`,
    [tenant],
  );
  return { status: ended?.status, counts: ended?.counts, ...rows[0] };
}

async function* bytesOf(count: number) {
  for (const piece of generatedContacts(count)) yield Buffer.from(piece);
}

function watchMemory() {
  const before = process.memoryUsage().rss;
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 50);
  return {
    stop() {
      clearInterval(timer);
      return { before, most };
    },
  };
}
