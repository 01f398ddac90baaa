import { request } from './request.ts';
import type { ItemOf, ListRoute, RequestArguments, RequestOptions } from './routes.ts';
import type { Server } from './server.ts';

type Page = { nextCursor: string | null };

/** Yields the items of all pages. The next page is asked for when the items of this one have been read. */
export async function* list<R extends ListRoute>(
  server: Server,
  route: R,
  options?: RequestOptions<R>,
): AsyncGenerator<ItemOf<R>, void, undefined> {
  let cursor: string | null | undefined;
  do {
    const { query = {}, ...rest } = (options ?? {}) as { query?: object };
    const given = { ...rest, query: cursor === undefined ? query : { ...query, cursor } };
    const page = (await request(server, route, ...([given] as unknown as RequestArguments<R>))) as Page;
    yield* Object.values<unknown>(page).find(Array.isArray) as ItemOf<R>[];
    cursor = page.nextCursor;
  } while (typeof cursor === 'string');
}
