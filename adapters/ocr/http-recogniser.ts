import { AlfredError } from '../../contract/errors.ts';
import type { TextRecogniser } from '../../contract/ports/index.ts';
import { linkAbort } from '../../runtime/link-abort.ts';

/** For one picture, from the request to the whole answer. */
const timeoutMs = 120_000;
const maxAnswerBytes = 4_000_000;

/** How pictures begin; others are TIFF. */
const mediaTypes: [string, string][] = [
  ['\x89PNG', 'image/png'],
  ['\xff\xd8\xff', 'image/jpeg'],
];

/**
 * The server of ALFRED_OCR. A picture is sent as the body of a POST; the answer is its text (text/plain), or JSON with
 * the field `text`.
 *
 * @param settings.apiKey sent as a bearer token
 */
export function createHttpRecogniser(url: string, { apiKey }: { apiKey: string | undefined }): TextRecogniser {
  const { host } = new URL(url);
  const failure = (problem: string, cause?: unknown) =>
    new AlfredError(
      'file_unreadable',
      `text recognition at ${host} ${problem}. See that it runs and ALFRED_OCR is right, then add the file again.`,
      { cause },
    );

  return {
    async recognise(picture, signal) {
      const limit = linkAbort([signal], { timeoutMs });
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers: {
            'content-type': mediaTypeOf(picture),
            accept: 'text/plain, application/json',
            ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
          },
          body: new Uint8Array(picture),
          // A redirect is not followed: pictures go to the configured address only.
          redirect: 'manual',
          signal: limit.signal,
        });
        if (!response.ok) {
          await response.body?.cancel();
          throw failure(`answered ${response.status}`);
        }
        return textOf(await readBody(response), response.headers.get('content-type') ?? '');
      } catch (error) {
        if (error instanceof AlfredError || signal.aborted) throw error;
        throw failure(
          limit.hasTimedOut() ? `did not answer within ${timeoutMs / 1_000} s` : 'cannot be reached',
          error,
        );
      } finally {
        limit.release();
      }
    },
  };

  async function readBody(response: Response): Promise<string> {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += piece.length;
      if (bytes > maxAnswerBytes) throw failure('answered with more than 4 MB');
      pieces.push(piece);
    }
    return Buffer.concat(pieces).toString('utf8');
  }

  function textOf(body: string, contentType: string): string {
    if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(contentType)) return body;
    try {
      const { text } = JSON.parse(body) as { text?: unknown };
      if (typeof text === 'string') return text;
    } catch {
      // Reported below, like JSON without a text.
    }
    throw failure('answered with JSON that has no "text"');
  }
}

function mediaTypeOf(picture: Uint8Array): string {
  const head = Buffer.from(picture.subarray(0, 4)).toString('latin1');
  return mediaTypes.find(([sign]) => head.startsWith(sign))?.[1] ?? 'image/tiff';
}
