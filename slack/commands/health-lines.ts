import type { Readiness } from '../../contract/health.ts';
import type { Principal } from '../../contract/principal.ts';
import { hasRole } from '../../contract/rules/policy.ts';
import { escapeMrkdwn } from '../rendering/mrkdwn.ts';
import type { SlackMessage } from '../rendering/slack-message.ts';
import { linesMessage } from './lines-message.ts';

const marks = { ok: ':white_check_mark:', degraded: ':warning:', down: ':x:' } as const;

/** What answers and what does not. Details, which name machines, are for those who run Alfred. */
export function healthMessage({ status, dependencies }: Readiness, { roles }: Principal): SlackMessage {
  const seesDetails = hasRole(roles, 'operator') || hasRole(roles, 'admin');
  const states = Object.entries(dependencies);
  const isWell = status === 'ready' && states.every(([, state]) => state.status === 'ok');
  const lines = states.map(([name, state]) => {
    const detail = 'detail' in state && state.detail && seesDetails ? `: ${state.detail}` : '';
    return `${marks[state.status]} ${escapeMrkdwn(`${name}${detail}`)}`;
  });
  return linesMessage(
    isWell ? '*All that I need answers.*' : '*Not all is well.* Your messages are kept, and answered when it is.',
    lines,
    isWell || seesDetails ? [] : ['The person who runs Alfred sees more of it at the address of its health.'],
  );
}
