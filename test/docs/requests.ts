import type { Page } from './read-pages.ts';

/** A request that a page shows. Without a method any fits. */
export type Request = { method?: string; parts: string[]; line: number };

/** Every request of `curl` in a block, and every `POST /v1/tasks` in a code span. */
export function requestsOf({ blocks, spans }: Page): Request[] {
  const curls = blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text, line }) =>
      [...text.replace(/\\\n/g, ' ').matchAll(/curl\b[^\n]*?\$ALFRED_URL(\/v1\/[^\s"'?]*)[^\n]*/g)].map(
        ([call, path]) => ({
          method: methodOf(call),
          parts: partsOf(path ?? ''),
          line,
        }),
      ),
    );
  const named = spans.flatMap(({ text, line }) =>
    [...text.matchAll(/(?:\b(GET|POST|PUT|PATCH|DELETE) )?(\/v1\/[^\s`?]*)/g)].map(([, method, path]) => ({
      ...(method ? { method } : {}),
      parts: partsOf(path ?? ''),
      line,
    })),
  );
  return [...curls, ...named];
}

/** curl sends a POST when there is a body. */
const methodOf = (call: string) =>
  /-X (\w+)/.exec(call)?.[1] ?? (/ (-d|-F|--data\S*|--json) /.test(call) ? 'POST' : 'GET');

const partsOf = (path: string) => path.replace(/[.,:]$/, '').split('/');
