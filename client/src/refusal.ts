import { AlfredError } from './alfred-error.ts';
import type { Problem } from './schemas.ts';

type Called = { method: string; path: string };

/** Statuses after which the same request can succeed: overload, and a proxy whose server restarts. */
const passing = [429, 502, 503, 504];

export function unreachable(url: string, error: unknown): AlfredError {
  const { code, message } = ((error as Error).cause ?? error) as { code?: string; message?: string };
  const reason = code ?? message ?? String(error);
  return new AlfredError(
    'unreachable',
    `Alfred cannot be reached at ${url} (${reason}). Is it running, and is url right?`,
    {
      retryable: true,
      cause: error,
    },
  );
}

export const noAnswer = (url: string, { method, path }: Called, limitMs: number) =>
  new AlfredError('no_answer', `${method} ${url}${path} was not answered within ${limitMs / 1_000} s (timeoutMs).`, {
    retryable: true,
  });

type Answered = { status?: number; retryAfterMs?: number | undefined };

export const notAlfred = (url: string, { method, path }: Called, what: string, answered: Answered = {}) =>
  new AlfredError('not_alfred', `${method} ${url}${path} ${what}, which is not how Alfred answers. Is url right?`, {
    ...answered,
    retryable: answered.status !== undefined && passing.includes(answered.status),
  });

/** The error that a response without success stands for. */
export function problemOf(url: string, call: Called, { status, type, headers }: Response, text: string): AlfredError {
  if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    const target = headers.get('location');
    return notAlfred(url, call, `is redirected${target === null ? '' : ` to ${target}`}`, { status });
  }
  const problem = parseProblem(text);
  const retryAfterMs = readRetryAfter(headers.get('retry-after'));
  if (!problem) return notAlfred(url, call, `answered ${status}`, { status, retryAfterMs });
  return new AlfredError(problem.code, problem.detail, {
    status,
    requestId: problem.requestId,
    // A wrong token or key does not become right.
    retryable: passing.includes(status) && problem.code !== 'sign_ins_paused',
    retryAfterMs,
    issues: problem.issues,
    taskId: problem.taskId,
  });
}

function parseProblem(text: string): Problem | undefined {
  try {
    const value = JSON.parse(text) as Problem | null;
    return typeof value?.code === 'string' && typeof value.detail === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Reads seconds or a date. @returns milliseconds */
function readRetryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
