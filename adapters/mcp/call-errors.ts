import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ErrorCode as RpcCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { AlfredError } from '../../contract/errors.ts';
import { isRecord } from '../../contract/json.ts';
import { causeWithoutWords } from '../../runtime/cause-without-words.ts';
import { AnswerTooLarge } from './pending-call.ts';

/** Longest part of a server's error that a model reads, in characters. */
const longestMessage = 500;

/** Codes of connections that were never made: nothing was sent. */
const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT', 'ENOENT', 'EACCES']);
const timeoutCode: number = RpcCode.RequestTimeout;
const closedCode: number = RpcCode.ConnectionClosed;

/** Errors of the protocol with which a server says that it did not run the tool. */
const notRun = new Set<number>([
  RpcCode.InvalidParams,
  RpcCode.MethodNotFound,
  RpcCode.InvalidRequest,
  RpcCode.ParseError,
]);

type Failure = {
  /** Name and place of the server. */
  server: string;
  place: string;
  error: unknown;
  timeoutMs: number;
  maxBytes: number;
  /** The call may have changed something: what was sent and got no clear answer has an unknown outcome. */
  mayHaveActed: boolean;
};

/**
 * The error of a call. Words of the server stand in `fullMessage` only, which no log and no history gets; the error of
 * the SDK repeats what a server answered.
 */
export function callError({ server, place, error, timeoutMs, maxBytes, mayHaveActed }: Failure): AlfredError {
  if (error instanceof AlfredError) return error;
  const cause = causeWithoutWords(error);
  const who = `The MCP server ${server} (${place})`;
  const unclear = (what: string, otherwise: 'tool_failed' | 'destination_refused') =>
    mayHaveActed
      ? new AlfredError('effect_unknown', `${who} ${what}: the call may or may not have taken effect.`, { cause })
      : new AlfredError(otherwise, `${who} ${what}.`, { cause });
  if (isTooLarge(error))
    return unclear(`answered with more than ${maxBytes} bytes, which is its \`maxBytes\``, 'destination_refused');
  if (error instanceof StreamableHTTPError) return httpError(error, who, unclear);
  if (error instanceof McpError) {
    const code: number = error.code;
    if (code === timeoutCode) return unclear(`did not answer within ${timeoutMs / 1_000} s`, 'tool_failed');
    if (code === closedCode) return unclear('ended before its answer', 'tool_failed');
    const words = ` It says: ${error.message.replace(/^MCP error -?\d+: /, '').slice(0, longestMessage)}`;
    if (notRun.has(code)) {
      const message = `${who} refused the call (${code}).`;
      return new AlfredError('destination_refused', message, { fullMessage: message + words });
    }
    return unclear(`answered with the error ${code}`, 'tool_failed');
  }
  if (isUnreachable(error))
    return new AlfredError('tool_failed', `${who} does not answer: nothing was sent.`, { cause });
  return unclear('broke off before its answer', 'tool_failed');
}

function httpError(
  error: StreamableHTTPError,
  who: string,
  unclear: (what: string, otherwise: 'tool_failed' | 'destination_refused') => AlfredError,
): AlfredError {
  const { code = -1 } = error;
  if (code === 401 || code === 403)
    return new AlfredError(
      'destination_refused',
      `${who} refused Alfred’s credentials (${code}). The operator checks its \`headers\` or \`oauth\` in ALFRED_MCP_SERVERS, and the variables that they name.`,
    );
  if (code === 429) return new AlfredError('tool_failed', `${who} takes no more calls for the moment (429).`);
  if (code >= 300 && code < 500 && code !== 408)
    return new AlfredError('destination_refused', `${who} answered ${code}. The operator checks its \`url\`.`);
  return unclear(code === -1 ? 'answered with something that is not MCP' : `answered ${code}`, 'tool_failed');
}

/** Whether there is no connection: nothing was sent. The SDK's error of a session that has ended has no class. */
export const isUnreachable = (error: unknown): boolean =>
  (error instanceof Error && error.message === 'Not connected') || codesOf(error).some((code) => neverSent.has(code));

/** Whether a server no longer knows the session: it has not taken the request. */
export const isLostSession = (error: unknown, hadSession: boolean): boolean =>
  error instanceof StreamableHTTPError && hadSession && (error.code === 404 || error.code === 400);

const isTooLarge = (error: unknown): boolean => causesOf(error).some((one) => one instanceof AnswerTooLarge);

const codesOf = (error: unknown): string[] =>
  causesOf(error).flatMap((one) => (isRecord(one) && typeof one['code'] === 'string' ? [one['code']] : []));

/** An error and what caused it, at most five deep. */
function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  for (let one = error; one !== undefined && causes.length < 5; one = isRecord(one) ? one['cause'] : undefined)
    causes.push(one);
  return causes;
}
