import { AnswerTooLarge, type PendingCall } from './pending-call.ts';

const lineFeed = 10;

/**
 * The response with a body that ends with an error after `maxBytes`; the rest is never read. In a stream that stays
 * open for messages of the server, each message counts by itself.
 */
export function limitBody(
  response: Response,
  { maxBytes, call, isOpenStream }: { maxBytes: number; call: PendingCall | undefined; isOpenStream: boolean },
): Response {
  if (!response.body) return response;
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let bytes = 0;
  const stop = (error: Error, controller: ReadableStreamDefaultController<Uint8Array>) => {
    controller.error(error);
    reader.cancel().catch(() => {});
  };
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          call?.streamEnded();
          return controller.close();
        }
        bytes += value.byteLength;
        if (bytes > maxBytes) {
          const error = new AnswerTooLarge();
          call?.fail(error);
          return stop(error, controller);
        }
        if (isOpenStream && endsMessage(value)) bytes = 0;
        controller.enqueue(value);
      } catch (error) {
        call?.streamEnded();
        stop(error as Error, controller);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}

/** Whether an empty line, which ends a message of an event stream, is at the end of the chunk. */
function endsMessage(chunk: Uint8Array): boolean {
  const [last, before, third] = [chunk.at(-1), chunk.at(-2), chunk.at(-3)];
  return last === lineFeed && (before === lineFeed || third === lineFeed);
}
