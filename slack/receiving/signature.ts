import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** How far the clocks of Slack and of this machine may be apart, in either direction. */
const toleranceS = 300;

type Signed = { time: string; signature: string };

/**
 * What the headers of a request say, before its body is read.
 *
 * @returns undefined when the request cannot be one that Slack has signed just now
 */
export function readSignature(headers: IncomingHttpHeaders, nowMs = Date.now()): Signed | undefined {
  const time = headers['x-slack-request-timestamp'];
  const signature = headers['x-slack-signature'];
  if (typeof time !== 'string' || typeof signature !== 'string' || !/^\d{1,12}$/.test(time)) return undefined;
  return Math.abs(nowMs / 1_000 - Number(time)) > toleranceS ? undefined : { time, signature };
}

/**
 * Whether Slack has signed a request: https://docs.slack.dev/authentication/verifying-requests-from-slack
 *
 * Not Bolt's `isValidSlackRequest`, which accepts a time in the future: a request that leaked could be sent later.
 *
 * @param secret without one, or with an empty one, no request counts
 * @param nowMs milliseconds since 1970
 */
export function isSigned(
  { headers, rawBody }: { headers: IncomingHttpHeaders; rawBody: Buffer },
  secret: string | undefined,
  nowMs = Date.now(),
): boolean {
  const signed = readSignature(headers, nowMs);
  if (!secret || !signed) return false;
  const { time, signature } = signed;
  const expected = Buffer.from(
    `v0=${createHmac('sha256', secret).update(`v0:${time}:`).update(rawBody).digest('hex')}`,
  );
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
