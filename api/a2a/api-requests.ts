import {
  RequestMalformedError,
  TaskNotCancelableError,
  TaskNotFoundError,
  UnsupportedOperationError,
} from '@a2a-js/sdk/errors';
import type { InnerAnswer, InnerRequest, InnerRequests, InnerStream } from '../http/inner-requests.ts';

/** A request that the API refused for who sent it or how often: the answer goes out as it is. */
export class RefusedAtDoor extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: object;

  constructor({ status, headers, body }: InnerAnswer) {
    super('refused at the door');
    this.status = status;
    this.headers = Object.fromEntries(
      ['www-authenticate', 'retry-after'].flatMap((name) =>
        typeof headers[name] === 'string' ? [[name, headers[name]] as const] : [],
      ),
    );
    this.body = body;
  }
}

export type ApiRequests = ReturnType<typeof createApiRequests>;

/** Requests to the API, whose refusals are errors of A2A. */
export function createApiRequests(inner: InnerRequests) {
  let refusal: RefusedAtDoor | undefined;
  const refuse = (answer: InnerAnswer): Error => {
    const error = faultOf(answer);
    if (error instanceof RefusedAtDoor) refusal = error;
    return error;
  };

  return {
    /** What the door has refused, also when the error was caught. */
    refusal: () => refusal,

    /** @throws A2AError, RefusedAtDoor */
    async json<T>(request: InnerRequest): Promise<T> {
      const answer = await inner.call(request);
      if (!answer.ok) throw refuse(answer);
      return answer.body as T;
    },

    /** Opens a stream of events. @throws A2AError, RefusedAtDoor */
    async stream(url: string): Promise<InnerStream> {
      const opened = await inner.stream(url);
      if ('ok' in opened) throw refuse(opened);
      return opened;
    },
  };
}

function faultOf(answer: InnerAnswer): Error {
  const { status } = answer;
  const { detail = 'The request was refused.', code = '' } = answer.body as { detail?: string; code?: string };
  if (status === 404) return new TaskNotFoundError(detail);
  if (code === 'task_ended') return new TaskNotCancelableError(detail);
  if (status === 401 || status === 403 || status === 429 || status >= 500) return new RefusedAtDoor(answer);
  return status === 409 ? new UnsupportedOperationError(detail) : new RequestMalformedError(detail);
}
