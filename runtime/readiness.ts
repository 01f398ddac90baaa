import type { DependencyState, Readiness } from '../contract/health.ts';

type Check = () => Promise<void>;

/** What a process needs to serve, asked when somebody wants to know, each with a bound on the answer's time. */
export function createReadiness(checks: Record<string, Check>, { timeoutMs = 2_000 } = {}) {
  let phase: 'starting' | 'serving' | 'draining' = 'starting';
  return {
    serving: () => void (phase = 'serving'),
    draining: () => void (phase = 'draining'),
    isDraining: () => phase === 'draining',
    async read(): Promise<Readiness> {
      const states = await Promise.all(
        Object.entries(checks).map(async ([name, check]) => [name, await stateOf(check, timeoutMs)] as const),
      );
      const up = states.every(([, state]) => state.status === 'ok');
      return {
        status: phase === 'serving' ? (up ? 'ready' : 'unready') : phase,
        dependencies: Object.fromEntries(states),
      };
    },
  };
}
export type ReadinessProbe = ReturnType<typeof createReadiness>;

async function stateOf(check: Check, timeoutMs: number): Promise<DependencyState> {
  const begun = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>(
    (_, reject) => (timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)),
  );
  try {
    await Promise.race([check(), late]);
    return { status: 'ok', latencyMs: Math.round(performance.now() - begun) };
  } catch (error) {
    return { status: 'down', detail: error instanceof Error && error.message ? error.message : 'no answer' };
  } finally {
    clearTimeout(timer);
  }
}
