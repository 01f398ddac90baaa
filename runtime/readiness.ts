import type { DependencyState, Readiness } from '../contract/health.ts';
import { withTimeout } from './with-timeout.ts';

type Check = () => Promise<void>;
/** @returns what is wrong, or undefined */
type Warning = () => Promise<string | undefined>;

/**
 * Tells whether a process can serve: its phase, and whether its dependencies answer. The checks run on each `read`.
 *
 * @param checks dependencies by name; a check that rejects or takes longer than `timeoutMs` means "down"
 */
export function createReadiness(checks: Record<string, Check>, { timeoutMs = 2_000 } = {}) {
  const warnings = new Map<string, Warning>();
  let phase: 'starting' | 'serving' | 'draining' = 'starting';
  const allChecks = { ...checks };
  return {
    /** Adds a dependency that not every process has. */
    require: (name: string, check: Check) => {
      allChecks[name] = check;
    },
    markServing: () => {
      phase = 'serving';
    },
    markDraining: () => {
      phase = 'draining';
    },
    isDraining: () => phase === 'draining',
    /** Adds something to report that keeps the process from serving well, but not from serving. */
    addWarning: (name: string, warning: Warning) => {
      warnings.set(name, warning);
    },
    async read(): Promise<Readiness> {
      const states = await Promise.all(
        Object.entries(allChecks).map(async ([name, check]) => [name, await stateOf(check, timeoutMs)] as const),
      );
      const warned = await Promise.all(
        [...warnings].map(async ([name, warning]) => [name, await warnedState(warning, timeoutMs)] as const),
      );
      const allUp = states.every(([, state]) => state.status === 'ok');
      return {
        status: phase === 'serving' ? (allUp ? 'ready' : 'unready') : phase,
        dependencies: Object.fromEntries([...states, ...warned]),
      };
    },
  };
}
export type ReadinessProbe = ReturnType<typeof createReadiness>;

async function stateOf(check: Check, timeoutMs: number): Promise<DependencyState> {
  const startedAt = performance.now();
  try {
    await withTimeout(check(), timeoutMs, () => {
      throw new Error(`no answer within ${timeoutMs} ms`);
    });
    return { status: 'ok', latencyMs: Math.round(performance.now() - startedAt) };
  } catch (error) {
    return { status: 'down', detail: error instanceof Error && error.message ? error.message : 'no answer' };
  }
}

async function warnedState(warning: Warning, timeoutMs: number): Promise<DependencyState> {
  let detail: string | undefined;
  const state = await stateOf(async () => {
    detail = await warning();
  }, timeoutMs);
  if (state.status === 'down') return { ...state, status: 'degraded' };
  return detail === undefined ? state : { status: 'degraded', detail };
}
