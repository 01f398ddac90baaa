import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { wholeNumber } from '../../cli/commands/number-options.ts';
import { createLogger } from '../../runtime/logger.ts';
import { runChaos } from './chaos.ts';

const count = wholeNumber({ from: 1, like: 50 });
const chaos = new Command('chaos')
  .description('Runs tasks while processes are killed and servers go away, and counts what was lost or paid twice.')
  .option('--tasks <n>', 'tasks', count, 200)
  .option('--kills <n>', 'processes that are killed', count, 50)
  .option('--scale <factor>', 'length of the pauses and outages: 0.2 for a short run', Number, 1)
  .option('--seed <n>', 'repeats the order of a run', Number, Date.now() % 1_000_000)
  .addHelpText('after', '\nWhat it does, and how to read its table: docs/how-to/run-book.md')
  .parse();
const values = chaos.opts<{ tasks: number; kills: number; scale: number; seed: number }>();

const dir = await mkdtemp(join(tmpdir(), 'alfred-chaos-'));
const log = createLogger({ ALFRED_LOG_LEVEL: 'warn', ALFRED_LOG_FORMAT: 'pretty' }, 'chaos');
const cleanups: (() => Promise<unknown>)[] = [];
const begun = performance.now();
const say = (line: string) => console.log(`${((performance.now() - begun) / 1_000).toFixed(0).padStart(5)} s  ${line}`);
let isRight = false;
try {
  say(`seed ${values.seed}`);
  const findings = await runChaos({
    ...values,
    workers: 3,
    apis: 2,
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
