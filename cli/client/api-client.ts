import type { z } from 'zod';
import { Problem } from '../../contract/problem.ts';
import { parseJson } from '../../contract/json.ts';
import { CliError } from '../cli-error.ts';
import type { Stack } from '../stack.ts';

type Call<T extends z.ZodType> = {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Sent as JSON. */
  json?: unknown;
  form?: FormData;
  /** Sent as it is, with the `content-type` of `headers`. */
  body?: Blob;
  headers?: Record<string, string>;
  query?: Record<string, string | number | undefined>;
  signal?: AbortSignal;
  /** The schema of a successful response. */
  answer: T;
};

/** An access token or an API key, and where it comes from. */
export type Credential = { token: string; from: 'ALFRED_TOKEN' | 'alfred login' };

/** No server answered, or the connection broke. */
export class Unreachable extends CliError {
  override readonly name = 'Unreachable';
  /** The request cannot have reached the server: no connection was made. */
  readonly neverReachedServer: boolean;
  constructor(stack: Stack, cause: unknown) {
    const { code, message } = ((cause as Error).cause ?? cause) as { code?: string; message: string };
    super(
      `Alfred does not answer at ${stack.url} (${stack.foundBy}): ${code ?? message}\n` +
        'Start it with `npm start` in another terminal, or set ALFRED_URL to where it runs.',
      { cause },
    );
    this.neverReachedServer = ![
      'ECONNRESET',
      'EPIPE',
      'ETIMEDOUT',
      'UND_ERR_SOCKET',
      'UND_ERR_HEADERS_TIMEOUT',
      'UND_ERR_BODY_TIMEOUT',
    ].includes(code ?? '');
  }
}

/** The server answered with a problem document (RFC 9457). */
export class ApiProblem extends CliError {
  override readonly name = 'ApiProblem';
  readonly status: number;
  readonly code: string;
  readonly retryAfterMs: number | undefined;
  /** What is wrong where, in the names of the API. */
  readonly issues: NonNullable<Problem['issues']>;
  constructor(
    status: number,
    problem: Pick<Problem, 'code' | 'detail' | 'issues' | 'requestId'>,
    retryAfter: string | null,
  ) {
    super(`${problem.detail}${status >= 500 ? `\n(${problem.code}, request ${problem.requestId})` : ''}`);
    this.status = status;
    this.code = problem.code;
    this.issues = problem.issues ?? [];
    this.retryAfterMs = retryAfter && /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1_000 : undefined;
  }
}

/**
 * Calls the HTTP API and checks every response against its schema.
 *
 * @param find  finds the server before each request: a restart may have moved it to another port
 * @param readCredential gives what is sent with each request to this server
 */
export function createApiClient(
  find: () => Promise<Stack>,
  readCredential: (stack: Stack) => Promise<Credential | undefined> = async () => undefined,
) {
  async function open(
    path: string,
    { method = 'GET', json, form, body: blob, headers = {}, query = {}, signal }: Omit<Call<z.ZodType>, 'answer'>,
  ) {
    const stack = await find();
    const credential = await readCredential(stack);
    const authorization: Record<string, string> = credential ? { authorization: `Bearer ${credential.token}` } : {};
    const url = new URL(stack.url + path);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const body = form ?? blob ?? (json === undefined ? null : JSON.stringify(json));
    const type = json === undefined ? {} : { 'content-type': 'application/json' };
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        body,
        headers: { accept: 'application/json', ...authorization, ...type, ...headers },
        signal: signal ?? null,
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Unreachable(stack, error);
    }
    if (response.ok) return { response, stack };
    const text = await response.text().catch(() => '');
    const problem = Problem.safeParse(parseJson(text));
    if (problem.success) {
      const { data } = problem;
      const detail = response.status === 401 ? `${data.detail}\n${signInHint(credential)}` : data.detail;
      throw new ApiProblem(response.status, { ...data, detail }, response.headers.get('retry-after'));
    }
    throw new CliError(
      `${method} ${url.href} answered ${response.status}, and not as Alfred does. Is something else listening at ${stack.url} (${stack.foundBy})?`,
    );
  }

  return {
    /** What is sent with requests, fresh. @throws CliError when the caller is not signed in */
    async token(): Promise<string> {
      const stack = await find();
      const credential = await readCredential(stack);
      if (credential) return credential.token;
      throw new CliError(`There is no token for Alfred at ${stack.url}. ${signInHint(undefined)}`);
    },

    /**
     * The response itself, for streams.
     *
     * @throws Unreachable, ApiProblem
     */
    open: async (path: string, call: Omit<Call<z.ZodType>, 'answer'> = {}) => (await open(path, call)).response,

    /** @throws Unreachable, ApiProblem, CliError when the response does not match the schema */
    async call<T extends z.ZodType>(path: string, call: Call<T>): Promise<z.infer<T>> {
      const { response, stack } = await open(path, call);
      let text: string;
      try {
        text = await response.text();
      } catch (error) {
        if (call.signal?.aborted) throw error;
        throw new Unreachable(stack, error);
      }
      const parsed = call.answer.safeParse(text === '' ? undefined : parseJson(text));
      if (parsed.success) return parsed.data;
      const issue = parsed.error.issues[0];
      throw new CliError(
        `The answer of ${path} is not what this version expects (${issue?.path.join('.') || 'body'}: ${issue?.message}). Do the command and the server at ${stack.url} have the same version?`,
      );
    },
  };
}
const signInHint = (credential: Credential | undefined) => {
  if (credential?.from === 'ALFRED_TOKEN')
    return 'It was sent because ALFRED_TOKEN is set. Set it to another access token or API key.';
  if (credential) return 'It is that of `alfred login`. Run `alfred login` again.';
  return 'Run `alfred login`, or set ALFRED_TOKEN to an access token of your identity provider or to an API key.';
};

export type ApiClient = ReturnType<typeof createApiClient>;
