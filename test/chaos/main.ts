import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createLogger } from '../../runtime/logger.ts';
import { runChaos } from './chaos.ts';

// `npm run chaos`: what it does and its options are described in docs/how-to/run-book.md.
const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '200' },
    kills: { type: 'string', default: '50' },
    scale: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});

const dir = await mkdtemp(join(tmpdir(), 'alfred-chaos-'));
const log = createLogger({ ALFRED_LOG_LEVEL: 'warn', ALFRED_LOG_FORMAT: 'pretty' }, 'chaos');
const cleanups: (() => Promise<unknown>)[] = [];
const begun = performance.now();
const say = (line: string) => console.log(`${((performance.now() - begun) / 1_000).toFixed(0).padStart(5)} s  ${line}`);
let isRight = false;
try {
  say(`seed ${values.seed}`);
  const findings = await runChaos({
    tasks: Number(values.tasks),
    kills: Number(values.kills),
    workers: 3,
    apis: 2,
    scale: Number(values.scale),
    seed: Number(values.seed),
    dir,
    log,
    cleanups,
    say,
  });
  console.log('\n|   | what | expected | seen |\n| - | --- | --- | --- |');
  for (const { what, expected, seen, ...finding } of findings)
    console.log(`| ${finding.isRight ? '✓' : '✗'} | ${what} | ${expected} | ${seen} |`);
  isRight = findings.every((finding) => finding.isRight);
} catch (error) {
  console.error(error);
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup().catch((error: unknown) => console.error(error));
}
if (isRight) await rm(dir, { recursive: true, force: true });
else say(`the logs of all processes are in ${dir}`);
process.exit(isRight ? 0 : 1);
