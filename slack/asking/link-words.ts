import type { SlackUserLink } from '../../contract/ports/index.ts';
import { code } from '../commands/lines-message.ts';
import { escapeMrkdwn } from '../rendering/mrkdwn.ts';
import type { PersonLink } from './link-of-person.ts';

const origins: Record<SlackUserLink['madeBy'], string> = {
  sign_in: 'by `/alfred link`',
  email: 'because both have the same e-mail address',
};

/** With whom a Slack user is linked, and how that came about, as mrkdwn. */
export const describeLink = (person: PersonLink): string => {
  if (person.state === 'none') return 'Your Slack user is not linked with a sign-in.';
  if (person.state === 'ambiguous')
    return 'Your Slack user is not linked with a sign-in, because several have your e-mail address. `/alfred link` links the one that you choose, and `/alfred unlink` none.';
  const { subject, tenant, madeBy } = person.link;
  const linked = `Your Slack user is linked with ${code(subject)} of ${escapeMrkdwn(tenant)}, ${origins[madeBy]}.`;
  return person.state === 'counts'
    ? linked
    : `${linked} It does not count at the moment, because your last sign-in there is too long ago: sign in again. \`/alfred link\` shows where.`;
};

/** What a person has to know about its link before it asks; undefined: nothing. */
export function linkNotice(person: PersonLink | undefined): string | undefined {
  if (person === undefined || person.state === 'none') return undefined;
  if (person.state !== 'counts') return describeLink(person);
  return person.isNew ? `${describeLink(person)} If this is not you, write \`/alfred unlink\`.` : undefined;
}
