export type Args = Record<string, unknown>;
export type Block = Record<string, unknown>;

/** `guest`: a single-channel or multi-channel guest. `external`: a person of another company, by Slack Connect. */
export type UserKind = 'member' | 'guest' | 'external' | 'bot';

export type User = {
  id: string;
  team: string;
  name: string;
  realName: string;
  email: string | undefined;
  emailConfirmed: boolean;
  kind: UserKind;
  admin: boolean;
  deleted: boolean;
  timezone: string;
};

export type ChannelKind = 'public' | 'private' | 'im' | 'mpim';

export type Channel = {
  id: string;
  team: string;
  name: string;
  kind: ChannelKind;
  members: Set<string>;
  archived: boolean;
  /** Shared with another company by Slack Connect. */
  external: boolean;
  /** Shared with another workspace of its organisation. */
  isOrgShared?: boolean;
  messages: Message[];
};

export type StreamState = 'in_progress' | 'completed' | 'errored';

export type Stream = {
  startedAt: number;
  state: StreamState;
  stoppedByUser: boolean;
  displayMode: string;
  /** A stream takes either `markdown_text` or `chunks` from its start to its end. */
  mode: 'text' | 'chunks' | undefined;
  recipient: string | undefined;
};

/** What a person saw of a message at a time. */
export type Version = { at: number; shown: string };

export type Message = {
  ts: string;
  channel: string;
  team: string;
  user: string;
  botId: string | undefined;
  text: string;
  blocks: Block[];
  attachments: Block[];
  threadTs: string | undefined;
  broadcast: boolean;
  subtype: string | undefined;
  files: string[];
  edited: { user: string; ts: string } | undefined;
  reactions: Map<string, Set<string>>;
  metadata: Block | undefined;
  /** The only person who sees it. */
  ephemeralTo: string | undefined;
  /** Slack took the message, but does not show it. */
  hidden: boolean;
  stream: Stream | undefined;
  versions: Version[];
};

/** How Slack has a file: stored, as a link to elsewhere, deleted, or hidden by the workspace's plan. */
export type FileMode = 'hosted' | 'external' | 'tombstone' | 'hidden_by_limit';

export type SlackFile = {
  id: string;
  team: string;
  user: string;
  name: string;
  title: string;
  mimetype: string;
  content: Buffer;
  createdAt: number;
  /** Channels that it was shared in. */
  channels: Set<string>;
  deleted: boolean;
  /** Default: `hosted`. */
  mode?: FileMode | undefined;
  /** Events name it only by its id. */
  onlyNamed?: boolean | undefined;
  /** False between the request for an upload and its completion. */
  complete: boolean;
  /** What the request for an upload has announced. */
  announcedBytes?: number;
};

export type View = {
  id: string;
  team: string;
  user: string;
  type: 'modal' | 'home';
  content: Block;
  hash: string;
  rootId: string;
  previousId: string | undefined;
};

export type Workspace = {
  id: string;
  name: string;
  domain: string;
  botUserId: string;
  botId: string;
  botToken: string;
  scopes: Set<string>;
  installed: boolean;
  /** The app is installed in a whole organisation, and not in one workspace. */
  isOrg: boolean;
  /** The organisation that it is one of several workspaces of. */
  enterprise?: string;
};

export type App = {
  id: string;
  name: string;
  appToken: string;
  signingSecret: string;
  clientId: string;
  clientSecret: string;
  verificationToken: string;
  /** Names of events, as in a manifest: `message.im`, `app_mention`. */
  events: Set<string>;
};

/** One call of the Web API. */
export type Call = {
  method: string;
  args: Args;
  at: number;
  workspace: string | undefined;
  /** `ok`, the error's name, `ratelimited`, `http_<status>`, or `lost`: done, but the answer never came. */
  outcome: string;
  response: Args;
};

/** One download of a file. `outcome`: `ok`, `sign_in` for the page that asks to sign in, or `http_<status>`. */
export type FileDownload = { file: string; outcome: string };

/** A refusal with the name that Slack gives it. */
export class SlackError extends Error {
  readonly code: string;
  readonly details: Args;
  constructor(code: string, details: Args = {}) {
    super(code);
    this.code = code;
    this.details = details;
  }
}
