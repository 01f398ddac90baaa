import type { paths } from './api-types.ts';

type Verb = 'get' | 'post' | 'put' | 'patch' | 'delete';
/** Streams and files have methods of their own. */
type ApiPath = Exclude<
  Extract<keyof paths, `/v1/${string}`>,
  `${string}/events` | `${string}/{artifactId}` | `${string}/rejected`
>;
type Described = { responses: object; parameters: object };

/** Every operation of the API, by method and path, like `GET /v1/tasks/{id}`. */
export type Route = {
  [P in ApiPath]: { [V in Verb]: paths[P][V] extends Described ? `${Uppercase<V>} ${P}` : never }[Verb];
}[ApiPath];

type OperationOf<R extends Route> = R extends `${infer V} ${infer P extends ApiPath}`
  ? paths[P][Extract<Verb, Lowercase<V>>]
  : never;

type JsonOf<T> = T extends { content: { 'application/json': infer Body } } ? Body : undefined;
type Responses<R extends Route> = OperationOf<R> extends { responses: infer All } ? All : never;
type Success<R extends Route> = Extract<keyof Responses<R>, 200 | 201 | 202 | 204>;

/** The body of a successful response; undefined where there is none. */
export type Answer<R extends Route> = { [Status in Success<R>]: JsonOf<Responses<R>[Status]> }[Success<R>];

type Parameters<R extends Route> = OperationOf<R> extends { parameters: infer All } ? All : never;
type PathPart<R extends Route> = Parameters<R> extends { path: infer Fields } ? { path: Fields } : { path?: undefined };
type QueryPart<R extends Route> =
  Parameters<R> extends { query: infer Fields }
    ? { query: Fields }
    : Parameters<R> extends { query?: infer Fields }
      ? { query?: Fields }
      : { query?: undefined };

type BodyIn<Content> =
  | (Content extends { 'application/json': infer Body } ? Body : never)
  | (Content extends { 'multipart/form-data': unknown } ? FormData : never);
type BodyPart<R extends Route> =
  OperationOf<R> extends { requestBody: { content: infer Content } }
    ? { body: BodyIn<Content> }
    : OperationOf<R> extends { requestBody?: { content: infer Content } }
      ? { body?: BodyIn<Content> }
      : { body?: undefined };

export type CallOptions = {
  /** Ends the request. What the request began on the server goes on. */
  signal?: AbortSignal | undefined;
  /** How long to wait for each answer, in milliseconds. */
  timeoutMs?: number | undefined;
  /** How long to repeat the request while no server answers or it is overloaded, in milliseconds. 0: not at all. */
  giveUpAfterMs?: number | undefined;
};

export type RequestOptions<R extends Route> = PathPart<R> &
  QueryPart<R> &
  BodyPart<R> &
  CallOptions & {
    headers?: Record<string, string> | undefined;
    /** For routes that make something: the same key and body make it once. Default: a new key for each call. */
    idempotencyKey?: string | undefined;
    /** Seconds that the server may wait for the end of a task or upload before it answers, at most 60. */
    waitS?: number | undefined;
  };

/** `{}` is an argument when no part is required, and then the argument itself may be left out. */
export type RequestArguments<R extends Route> =
  Record<never, never> extends RequestOptions<R> ? [options?: RequestOptions<R>] : [options: RequestOptions<R>];

/** Routes whose answer is a page with a `nextCursor`. */
export type ListRoute = {
  [R in Route]: Answer<R> extends { nextCursor: string | null } ? R : never;
}[Route];

/** What a list route lists. */
export type ItemOf<R extends ListRoute> = {
  [Field in keyof Answer<R>]: Answer<R>[Field] extends readonly (infer Item)[] ? Item : never;
}[keyof Answer<R>];

type HeadersOf<R extends Route> = Parameters<R> extends { header?: infer Fields } ? Fields : never;
/** Routes that take an `Idempotency-Key`. */
type KeyedRoute = {
  [R in Route]: Extract<HeadersOf<R>, { 'idempotency-key'?: string }> extends never ? never : R;
}[Route];

const keyedRoutes: Record<KeyedRoute, true> = {
  'POST /v1/contacts': true,
  'POST /v1/memories': true,
  'POST /v1/tasks': true,
  'POST /v1/conversations': true,
  'POST /v1/schedules': true,
  'POST /v1/sources': true,
};

/** Routes that the API describes as safe to repeat, beside the methods that always are. */
const repeatableRoutes: readonly Route[] = [
  'POST /v1/agents/{name}/settings/rollback',
  'POST /v1/approvals/{id}',
  'POST /v1/conversations/{id}/messages',
  'POST /v1/conversations/{id}/stop',
  'POST /v1/contact-ingests/{id}/cancel',
  'POST /v1/contact-merges/{id}/undo',
  'POST /v1/documents',
  'POST /v1/search',
  'POST /v1/tasks/{id}/budget',
  'POST /v1/tasks/{id}/cancel',
  'POST /v1/tasks/{id}/undo',
];

export const takesKey = (route: Route) => Object.hasOwn(keyedRoutes, route);

/** Whether a request of which no answer came may be sent again. */
export const isRepeatable = (route: Route) =>
  /^(GET|PUT|DELETE) /.test(route) || takesKey(route) || repeatableRoutes.includes(route);
