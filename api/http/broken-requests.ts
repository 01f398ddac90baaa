import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Problem } from '../../contract/problem.ts';
import { dataHeaders } from './headers.ts';

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
  const headers = {
    ...dataHeaders,
    'content-type': 'application/problem+json',
    'x-request-id': requestId,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} Error\r\n${lines.join('')}\r\n${body}`);
}
