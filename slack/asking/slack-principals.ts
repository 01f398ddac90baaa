import type { CurrentRights, SlackChannels } from '../../contract/ports/index.ts';
import type { Principal } from '../../contract/principal.ts';
import type { LinkOfPerson, PersonLink } from './link-of-person.ts';
import type { People } from './people.ts';

/** Where and by whom something is asked. */
export type SlackAsker = {
  team: string;
  channel: string;
  userId: string;
  isDirect: boolean;
  /** Whether people of other organisations are in the channel. */
  isExternal: boolean;
  /** The workspace is one of several of an organisation. */
  isInOrganisation?: boolean;
};

/**
 * `refused` has a sentence for the person; `ignored` is for bots, which would answer it. `agent` and
 * `instructions` are for new threads of this place; `link` is that of the person, where it counts.
 */
export type Judgement =
  | { principal: Principal; agent?: string; instructions?: string; link?: PersonLink }
  | { refused: string }
  | { ignored: true };

/** With whose rights Alfred answers in Slack. */
export type SlackPrincipals = { judge(asker: SlackAsker): Promise<Judgement> };

type Deps = {
  people: People;
  linkOf: LinkOfPerson;
  rights: CurrentRights;
  channels: Pick<SlackChannels, 'find'>;
  /** Whether people of other workspaces are in a channel. */
  isShared: (team: string, channel: string) => Promise<boolean>;
  /** The tenant of the people of a workspace. */
  tenantOf: (team: string) => Promise<string>;
};

const refusals = {
  guest: 'Alfred does not answer guests of this workspace. Ask a member of it.',
  external: 'Alfred answers members of its own workspace only.',
  channel:
    'Alfred does not answer in channels that are shared with other organisations or workspaces. Ask in a direct message.',
  off: 'I am switched off in this channel. People with the role operator or admin change that by `/alfred channel on`. Ask me in a direct message.',
  notAmong: 'In this channel only some people may ask me: `/alfred channel` lists them. Ask me in a direct message.',
};

/**
 * In a direct message Alfred acts for the person: a subject of its own with the least role, or the one that a link
 * names, as long as that signs in every now and then. In a channel it acts for the channel, which has no groups and the
 * least role: an answer that all members read has nothing that only the person who asks may read.
 */
export const createSlackPrincipals = ({
  people,
  linkOf,
  rights,
  channels,
  isShared,
  tenantOf,
}: Deps): SlackPrincipals => ({
  async judge({ team, channel, userId, isDirect, isExternal, isInOrganisation = false }) {
    const { kind, email } = await people.find(team, userId);
    if (kind === 'bot' || kind === 'deactivated') return { ignored: true };
    if (kind !== 'member') return { refused: refusals[kind] };
    const isAmongOthers = isExternal || (isInOrganisation && !isDirect && (await isShared(team, channel)));
    if (isAmongOthers) return { refused: refusals.channel };
    const tenant = await tenantOf(team);
    if (!isDirect) {
      const { isOn, agent, userIds, instructions } = await channels.find({ tenant, team, channel });
      if (!isOn) return { refused: refusals.off };
      if (userIds && !userIds.includes(userId)) return { refused: refusals.notAmong };
      const principal = leastPrincipal(tenant, slackSubject(team, channel));
      return { principal, ...(agent === null ? {} : { agent }), ...(instructions === null ? {} : { instructions }) };
    }
    const link = await linkOf({ team, userId, tenant }, email);
    if (link.state !== 'counts') return { principal: leastPrincipal(tenant, slackSubject(team, userId)), link };
    const { tenant: ofLink, subject } = link.link;
    const roles = (await rights.rolesOf({ tenant: ofLink, subject })) ?? [];
    return { principal: { ...leastPrincipal(ofLink, subject), roles }, link };
  },
});

/** The subject of a person, or of a channel, that no link names another one for. */
export const slackSubject = (team: string, id: string) => `slack:${team}:${id}`;

/** Every principal is a member. What a subject may read by its groups is asked when it reads. */
export const leastPrincipal = (tenant: string, subject: string): Principal => ({
  tenant,
  subject,
  kind: 'person',
  roles: [],
  groups: [],
  scopes: [],
  via: 'slack',
});
