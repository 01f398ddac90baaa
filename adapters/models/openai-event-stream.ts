import { TransformStream, type TransformStreamDefaultController, type Transformer } from 'node:stream/web';

/**
 * Prepares a streamed response of Chat Completions for the SDK, which hides two things that matter:
 *
 * - Whether the server has marked the end of its stream with `[DONE]`. A chunk with `isDone` is added before the mark,
 *   because some servers end without a `finish_reason`, and a connection that breaks off has no mark.
 * - A single JSON document, which some servers and gateways send although a stream was asked for. It becomes the only
 *   chunk.
 *
 * @returns the response itself when it is an error or has no body
 */
export function normalizeEventStream(response: Response): Response {
  if (!response.ok || !response.body) return response;
  const body = response.body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .pipeThrough(new TransformStream(createNormalizer()) as ReadableWritablePair<string, string>)
    .pipeThrough(new TextEncoderStream());
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}

const doneChunk = 'data: {"choices":[],"isDone":true}\n\n';
const doneLine = /^data:\s*\[DONE\]\s*$/;

function createNormalizer(): Transformer<string, string> {
  let isJson: boolean | undefined;
  /** The pieces of a JSON document, or of a line that has not ended yet. */
  let pending: string[] = [];

  const writeLine = (line: string, ending: string, controller: TransformStreamDefaultController<string>) => {
    if (doneLine.test(line)) controller.enqueue(doneChunk);
    controller.enqueue(line + ending);
  };

  return {
    transform(text, controller) {
      pending.push(text);
      if (isJson === undefined) {
        const start = pending.join('').trimStart();
        if (start === '') return;
        isJson = start.startsWith('{');
      }
      if (isJson || !text.includes('\n')) return;
      const lines = pending.join('').split('\n');
      pending = [lines.pop() ?? ''];
      for (const line of lines) writeLine(line, '\n', controller);
    },

    flush(controller) {
      const rest = pending.join('');
      if (isJson) {
        const document = parseDocument(rest);
        // A document that broke off is no answer.
        if (document !== undefined) controller.enqueue(`data: ${document}\n\n${doneChunk}data: [DONE]\n\n`);
      } else if (rest) writeLine(rest, '', controller);
    },
  };
}

/** @returns the document on one line; undefined when it is not complete */
function parseDocument(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return undefined;
  }
}
