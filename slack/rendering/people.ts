import type { Approvers } from '../../contract/approval.ts';
import { escapeMrkdwn } from './mrkdwn.ts';

/** The subject of a Slack user whom no link names another one for. */
const slackUser = /^slack:[A-Z0-9]+:([UW][A-Z0-9]+)$/;

/** A person as mrkdwn: by name where Slack knows one. */
export function personMrkdwn(subject: string): string {
  const userId = slackUser.exec(subject)?.[1];
  return userId === undefined ? escapeMrkdwn(subject) : `<@${userId}>`;
}

/** Who may decide, as mrkdwn: `<@U1>, anybody with the role boss` */
export function approversMrkdwn({ subjects = [], roles = [] }: Approvers): string {
  const named = [...subjects.map(personMrkdwn), ...roles.map((role) => `anybody with the role ${escapeMrkdwn(role)}`)];
  return named.length === 0 ? 'anybody' : named.join(', ');
}
