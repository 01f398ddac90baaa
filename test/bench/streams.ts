import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { percentile } from '../../cli/eval/measures.ts';
import { cpuSeconds } from './measure.ts';
import type { Surroundings } from './servers.ts';
import { startStack } from './stack.ts';
import type { StreamResult, StreamLoad } from './stream-load.ts';

/** Measures how long a piece of an answer takes from the provider's socket to the client's, with `count` at once. */
export async function measureStreams({ count, ...surroundings }: { count: number } & Surroundings) {
  const load = fork(fileURLToPath(new URL('./stream-load.ts', import.meta.url)));
  surroundings.cleanups.push(async () => load.kill());
  const [{ port }] = (await once(load, 'message')) as [{ port: number }];
  const { url, pids } = await startStack(surroundings, {
    ALFRED_MODEL: 'openai:bench',
    ALFRED_MODELS: '{"openai:bench": {"input": 0, "output": 0, "contextTokens": 100000}}',
    OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`,
  });

  for (const streamCount of [1, count]) {
    const before = await cpuSeconds(pids);
    const startedAtMs = performance.now();
    load.send({ url, streams: streamCount, rounds: 3 } satisfies StreamLoad);
    const [{ firstMs, everyMs, pieces }] = (await once(load, 'message')) as [StreamResult];
    const seconds = (performance.now() - startedAtMs) / 1_000;
    const after = await cpuSeconds(pids);
    const used = Object.entries(after).map(
      ([name, total]) => `${name} ${(((total - (before[name] ?? 0)) / seconds) * 100).toFixed(0)} %`,
    );
    console.log(
      `\n${streamCount} streams at once, ${firstMs.length} in all, ${pieces} pieces of one word, 33 a second each`,
    );
    printRow('first piece', firstMs);
    printRow('every piece', everyMs);
    console.log(`  CPU: ${used.join(', ')} of one core`);
  }
}

const printRow = (name: string, values: number[]) =>
  console.log(
    `  ${name.padEnd(14)} p50 ${percentile(values, 0.5).toFixed(1).padStart(7)} ms   p95 ${percentile(values, 0.95).toFixed(1).padStart(7)} ms   most ${Math.max(
      ...values,
    )
      .toFixed(1)
      .padStart(7)} ms`,
  );
