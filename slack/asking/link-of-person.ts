import type { SlackUser, SlackUserLink, SlackUserLinks } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';

/**
 * What the link of a person is worth now. `old`: the last sign-in of its subject is too old. `ambiguous`: several
 * sign-ins have the person's e-mail address.
 */
export type PersonLink =
  | { state: 'none' }
  | { state: 'ambiguous' }
  | { state: 'counts' | 'old'; link: SlackUserLink; /** Its address has made it just now. */ isNew: boolean };

type Deps = {
  links: Pick<SlackUserLinks, 'follow'>;
  /** So long after its last sign-in a subject has the rights of the person in Slack. */
  maxAgeDays: number;
  /** An address has made or ended a link. */
  onChange: (change: 'made' | 'ended') => void;
  log: Pick<Logger, 'info'>;
};

export type LinkOfPerson = ReturnType<typeof createLinkOfPerson>;

const dayMs = 86_400_000;
const lines = {
  made: 'a Slack user was linked by its e-mail address',
  ended: 'the link of a Slack user has ended, because its e-mail address is not that of the sign-in alone any more',
};

/** Finds the subject that a Slack user is at this moment. */
export const createLinkOfPerson =
  ({ links, maxAgeDays, onChange, log }: Deps) =>
  async (user: SlackUser, email: string | undefined): Promise<PersonLink> => {
    const { link, isAmbiguous, changes } = await links.follow(user, email, maxAgeDays);
    for (const change of changes) {
      onChange(change);
      log.info({ team: user.team, userId: user.userId }, lines[change]);
    }
    // One of another tenant is from before the workspace got this one.
    if (link?.tenant !== user.tenant) return isAmbiguous ? { state: 'ambiguous' } : { state: 'none' };
    const isOld = Date.now() - link.signedInAt.getTime() > maxAgeDays * dayMs;
    return { state: isOld ? 'old' : 'counts', link, isNew: changes.includes('made') };
  };
