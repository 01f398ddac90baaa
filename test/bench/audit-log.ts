import { randomBytes } from 'node:crypto';
import { createAuditWriter } from '../../adapters/audit/audit-writer.ts';
import { verifyLog } from '../../adapters/audit/verify-log.ts';
import { createAuditStore } from '../../adapters/postgres/audit/audit-store.ts';
import { auditKeysIn, type AuditKeys } from '../../runtime/audit-key-text.ts';
import { loadConfig } from '../../runtime/config.ts';
import { openPostgres } from '../../runtime/database/postgres.ts';
import { formatThousands, runConcurrently } from './measure.ts';
import { startDatabase, type Surroundings } from './servers.ts';

/** Requests that write at the same time. */
const atOnce = 50;
const oneByOne = 500;

/** Measures how fast the audit log is written, how much CPU an entry takes, and how fast `count` entries verify. */
export async function measureAudit({ count, ...surroundings }: { count: number } & Surroundings) {
  const { dir, log, cleanups } = surroundings;
  const server = await startDatabase(surroundings);
  const postgres = openPostgres(loadConfig({ DATABASE_URL: server.url, ALFRED_DATA_DIR: dir }), log);
  cleanups.push(() => postgres.close());
  const store = createAuditStore(postgres.db);
  const keys = auditKeysIn(randomBytes(32).toString('base64')) as AuditKeys;
  const writer = createAuditWriter({ store, keys: async () => keys, log });
  const write = (n: number) =>
    writer.write({
      tenant: 'bench',
      subject: `person-${n % 50}`,
      kind: 'person',
      via: 'oidc',
      action: 'task.start',
      resource: { type: 'task', id: `01a8c2d0-5b1e-7c40-9d3a-${String(n).padStart(12, '0')}` },
      outcome: 'ok',
      requestId: `request-${n}`,
      address: '198.51.100.7',
      client: 'node',
    });

  await write(0);
  await report(`${oneByOne} entries, one at a time`, oneByOne, async () => {
    for (let n = 0; n < oneByOne; n++) await write(n);
  });
  const rest = count - oneByOne - 1;
  await report(`${formatThousands(rest)} entries, ${atOnce} at a time`, rest, () =>
    runConcurrently(rest, atOnce, (n) => write(n)),
  );
  await report(`verification of ${formatThousands(count)} entries`, count, async () => {
    const { entries, findings } = await verifyLog({ store, keys, outside: [] });
    if (entries !== count || findings.length > 0)
      throw new Error(`verification found ${JSON.stringify(findings.slice(0, 5))} in ${entries} entries`);
  });
  await writer.close();
}

/** Prints the time, and the CPU of this process for each. */
async function report(what: string, count: number, run: () => Promise<unknown>) {
  const startedAtMs = performance.now();
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  const ms = performance.now() - startedAtMs;
  console.log(
    `${what}: ${(ms / 1_000).toFixed(2)} s, ${(ms / count).toFixed(3)} ms and ${((user + system) / 1_000 / count).toFixed(3)} ms of CPU for each`,
  );
}
