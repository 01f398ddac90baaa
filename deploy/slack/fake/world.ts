import type { Delivery } from './deliveries.ts';
import type { Events } from './events.ts';
import { idOf, type Lookup, type Ref } from './lookup.ts';
import type { State } from './state.ts';
import type { Channel, ChannelKind, User, UserKind, Workspace } from './types.ts';

export type UserFields = {
  name: string;
  kind?: UserKind;
  workspace?: Ref;
  realName?: string;
  email?: string;
  /** Whether the person has followed the link in Slack's e-mail. Default: true. */
  emailConfirmed?: boolean;
  admin?: boolean;
};

export type WorkspaceFields = { name: string; installed?: boolean; isOrg?: boolean };

export type ChannelFields = {
  name: string;
  kind?: Exclude<ChannelKind, 'im'>;
  members?: Ref[];
  workspace?: Ref;
  /** Shared with another company by Slack Connect. */
  external?: boolean;
  /** Whether the app is a member. */
  withApp?: boolean;
};

/** Workspaces, people and channels. */
export function createWorld({
  state,
  events,
  lookup,
  scopes,
}: {
  state: State;
  events: Events;
  lookup: Lookup;
  scopes: string[];
}) {
  const firstWorkspace = (): string => [...state.workspaces.keys()][0] ?? '';
  const addUser = ({ name, kind = 'member', ...fields }: UserFields): User => {
    const home = fields.workspace === undefined ? firstWorkspace() : idOf(fields.workspace);
    const user: User = {
      id: state.nextId('U'),
      team: kind === 'external' ? 'T9999999999' : home,
      name,
      realName: fields.realName ?? name,
      email: kind === 'bot' ? undefined : (fields.email ?? `${name}@example.com`),
      emailConfirmed: fields.emailConfirmed ?? true,
      kind,
      admin: fields.admin ?? false,
      deleted: false,
      timezone: 'Europe/Berlin',
    };
    state.users.set(user.id, user);
    return user;
  };

  const announceMember = (type: 'member_joined_channel' | 'member_left_channel', channelRef: Ref, userRef: Ref) => {
    const { id, team, kind } = lookup.channel(channelRef);
    const channelType = kind === 'private' ? 'G' : 'C';
    const event = { type, user: idOf(userRef), channel: id, channel_type: channelType, team, event_ts: state.nextTs() };
    return events.publish(team, type, kind === 'private' ? 'groups:read' : 'channels:read', event);
  };

  return {
    addUser,
    /** A workspace with the app. `installed: false`: the app comes there by OAuth; `isOrg`: into the organisation. */
    addWorkspace: ({ name, installed = true, isOrg = false }: WorkspaceFields): Workspace => {
      const id = state.nextId('T');
      const workspace: Workspace = {
        id,
        name,
        domain: name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'),
        botUserId: '',
        botId: state.nextId('B'),
        botToken: state.botToken(),
        scopes: new Set(scopes),
        installed,
        isOrg,
      };
      state.workspaces.set(id, workspace);
      workspace.botUserId = addUser({ name: state.app.name.toLowerCase(), kind: 'bot', workspace: id }).id;
      return workspace;
    },
    addChannel: ({ name, kind = 'public', members = [], ...fields }: ChannelFields): Channel => {
      const team = fields.workspace === undefined ? firstWorkspace() : idOf(fields.workspace);
      const bot = state.workspaces.get(team)?.botUserId ?? '';
      const all = [...members.map(idOf), ...((fields.withApp ?? true) ? [bot] : [])];
      return state.addChannel({ team, name, kind, members: new Set(all), external: fields.external ?? false });
    },
    /** The direct messages between a person and the app. */
    directMessage: (userRef: Ref, workspace?: Ref): Channel => {
      const user = lookup.user(userRef);
      const home = user.kind === 'external' ? firstWorkspace() : user.team;
      return state.directMessage(workspace === undefined ? home : idOf(workspace), user.id);
    },
    invite: (channelRef: Ref, userRef: Ref): Delivery[] => {
      lookup.channel(channelRef).members.add(idOf(userRef));
      return announceMember('member_joined_channel', channelRef, userRef);
    },
    expel: (channelRef: Ref, userRef: Ref): Delivery[] => {
      lookup.channel(channelRef).members.delete(idOf(userRef));
      return announceMember('member_left_channel', channelRef, userRef);
    },
    archive: (channelRef: Ref): void => {
      lookup.channel(channelRef).archived = true;
    },
    deactivate: (userRef: Ref): void => {
      lookup.user(userRef).deleted = true;
    },
    /** Removes the app from a workspace: its token is worth nothing, and the app hears of it. */
    uninstall: (workspaceRef: Ref): Delivery[] => {
      const id = idOf(workspaceRef);
      const deliveries = [
        ...events.publish(id, 'tokens_revoked', undefined, {
          type: 'tokens_revoked',
          tokens: { oauth: [], bot: [state.workspaces.get(id)?.botUserId] },
        }),
        ...events.publish(id, 'app_uninstalled', undefined, { type: 'app_uninstalled' }),
      ];
      const workspace = state.workspaces.get(id);
      if (workspace) workspace.installed = false;
      return deliveries;
    },
  };
}
