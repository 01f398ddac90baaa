import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Problem } from '../../contract/problem.ts';

const statuses: Record<string, [number, string]> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are larger than the limit.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time.'],
};

/** Answers connections whose bytes could not be parsed as a request: not HTTP, or endless headers. */
export function answerBrokenRequests(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, detail] = statuses[error.code ?? ''] ?? [400, 'This is not an HTTP request.'];
  const requestId = randomUUID();
  const problem: Problem = {
    type: 'urn:alfred:problem:malformed_request',
    title: 'The request could not be read.',
    status,
    code: 'malformed_request',
    detail,
    requestId,
  };
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${status} Error\r\ncontent-type: application/problem+json\r\nx-request-id: ${requestId}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
