import { expect, test } from '@jest/globals';
import { SlackCallError } from '../../../slack/api-calls/call-error.ts';
import { createTokenWatch } from '../../../slack/api-calls/token-problems.ts';
import { isMendable, isPlaceClosed } from '../../../slack/posting/post-errors.ts';

test('a refused token is a problem until a call succeeds', () => {
  const watch = createTokenWatch();
  watch.observe({ method: 'auth.test', outcome: 'ok' });
  expect(watch.problem()).toBeUndefined();
  watch.observe({ method: 'chat.update', outcome: 'token_revoked' });
  expect(watch.problem()).toContain('Slack refuses SLACK_BOT_TOKEN (token_revoked)');
  watch.observe({ method: 'chat.update', outcome: 'unavailable' });
  expect(watch.problem()).toContain('token_revoked');
  watch.observe({ method: 'users.info', outcome: 'ok' });
  expect(watch.problem()).toBeUndefined();
});

test('a missing scope is a problem until a call of its method succeeds', () => {
  const watch = createTokenWatch();
  watch.observe({ method: 'users.info', outcome: 'missing_scope' });
  watch.observe({ method: 'chat.update', outcome: 'ok' });
  expect(watch.problem()).toContain('missing_scope in users.info');
  watch.observe({ method: 'users.info', outcome: 'ok' });
  expect(watch.problem()).toBeUndefined();
});

test('errors about a place or a message are no problem of the token', () => {
  const watch = createTokenWatch();
  for (const outcome of ['channel_not_found', 'is_archived', 'msg_too_long', 'ratelimited'])
    watch.observe({ method: 'chat.postMessage', outcome });
  expect(watch.problem()).toBeUndefined();
});

test.each(['token_revoked', 'account_inactive', 'app_uninstalled', 'org_login_required', 'missing_scope', 'http_407'])(
  '%s closes no place: an operator mends it, and posts are repeated',
  (code) => {
    const error = new SlackCallError('chat.postMessage', code, 'refused');
    expect([isMendable(error), isPlaceClosed(error)]).toEqual([true, false]);
  },
);
