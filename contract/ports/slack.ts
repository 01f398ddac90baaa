import type { JsonObject } from '../json.ts';
import type { Scope } from '../references.ts';

/** A thread of Slack. A message that begins a thread is in the thread of its own timestamp. */
export type SlackPlace = { team: string; channel: string; threadTs: string };

/**
 * What Slack has sent. `key`: repeats of one delivery have the same. `lane`: handled one at a time, in order. It names
 * workspace, channel and thread or person, with colons between.
 */
export type SlackDelivery = {
  key: string;
  kind: 'event' | 'interactive' | 'command';
  team: string;
  lane: string;
  body: JsonObject;
};

export type ClaimedSlackDelivery = SlackDelivery & {
  /** How often it was claimed, this time included. */
  attempts: number;
  receivedAt: Date;
  /** What an earlier attempt has kept. */
  kept: JsonObject | null;
};

/** Deliveries that are stored before they are acknowledged. */
export interface SlackInbox {
  /** @returns false when a delivery with this key is stored already */
  store(delivery: SlackDelivery): Promise<boolean>;
  /**
   * @param from deliveries that name other workspaces than `teams` wait for a process of those; those of channels
   *   `without` are left out
   */
  claim(
    owner: string,
    leaseMs: number,
    from: { teams: string[]; without?: string[] },
  ): Promise<ClaimedSlackDelivery | undefined>;
  /** Of the owner's deliveries, those with these keys. */
  renew(owner: string, leaseMs: number, keys: string[]): Promise<void>;
  /**
   * Keeps something with a delivery until it is processed. What is kept already stays.
   *
   * @returns what is kept; undefined when another owner has the delivery
   */
  keep(owner: string, key: string, what: JsonObject): Promise<JsonObject | undefined>;
  complete(owner: string, key: string): Promise<void>;
  retry(owner: string, key: string, afterMs: number): Promise<void>;
  depth(): Promise<number>;
  removeOld(): Promise<number>;
  /**
   * Removes open deliveries of other workspaces than these, with their content, when they have waited for a day.
   *
   * @returns how many of which workspace
   */
  removeAbandoned(teams: string[]): Promise<{ team: string; count: number }[]>;
}

export type SlackThread = SlackPlace & {
  tenant: string;
  subject: string;
  conversationId: string;
  agent: string;
  /** The Slack users who have asked in it, and the subjects that their links named then. */
  askers: string[];
  /** The message with which Alfred began to take part. Null in threads from before this was stored. */
  begunTs: string | null;
};

/** Which conversation a thread is. */
export interface SlackThreads {
  find(place: SlackPlace): Promise<SlackThread | undefined>;
  /** @returns the thread that is stored: another process may have been first */
  insert(thread: SlackThread): Promise<SlackThread>;
  /** A repeat changes nothing. */
  addAsker(place: SlackPlace, asker: string): Promise<void>;
  /** Deletes those whose conversation was deleted. @returns how many */
  removeOld(): Promise<number>;
}

/** A message of a person in a thread. */
export type SlackMessageRef = SlackPlace & { ts: string };

/** A file of a message. */
export type SlackFile = {
  name: string;
  /** In the collection `slack`. Null: Slack did not give the file. */
  documentName: string | null;
  /** Null: it was not read, or not in time. */
  documentId: string | null;
  /** What the person has to know about it, in a sentence. */
  problem: string | null;
};

/** A file of a message before it is read: its document has no id yet. */
export type BegunSlackFile = Pick<SlackFile, 'name' | 'documentName' | 'problem'> & { fileId: string };

/** What a person has deleted: a message, files of a message, or a file wherever it was shared. */
export type SlackRemoval = { channel: string; ts: string; fileIds?: string[] } | { fileId: string };

/** What became of the files of messages. */
export interface SlackFiles {
  /** @returns undefined when it is not known what became of the message's files */
  find(message: SlackMessageRef): Promise<SlackFile[] | undefined>;
  /**
   * Stores which documents the files are about to become: what is deleted in Slack meanwhile is found by that. A repeat
   * takes the place of what was begun, and not of what is known.
   *
   * @param owner whose documents they are
   * @returns false when the message was deleted
   */
  begin(message: SlackMessageRef, owner: Scope, files: BegunSlackFile[]): Promise<boolean>;
  /** The documents come of this upload. */
  beginUpload(message: SlackMessageRef, ingestionId: string): Promise<void>;
  /** @returns what was begun, in order; undefined when no upload is known that is to be waited for */
  findUpload(message: SlackMessageRef): Promise<{ files: BegunSlackFile[]; ingestionId: string } | undefined>;
  /** Stores what became of what was begun. The first outcome counts. @returns what is stored */
  store(message: SlackMessageRef, files: SlackFile[]): Promise<SlackFile[]>;
  /**
   * Gives a question its own files, and those of earlier messages in its thread that no question has. A repeat gives
   * the same.
   */
  take(question: SlackMessageRef): Promise<SlackFile[]>;
  /** Leaves to the next question what this one took: it was not asked. */
  giveBack(question: SlackMessageRef): Promise<void>;
  /**
   * Stores what was deleted in Slack.
   *
   * @returns the uploads all of whose files are deleted
   */
  markRemoved(removals: SlackRemoval[]): Promise<(Scope & { ingestionId: string })[]>;
  /**
   * Lists the documents of files that were deleted in Slack and are in no other message of their owner.
   *
   * @param removals those of these alone
   */
  listRemoved(removals?: SlackRemoval[]): Promise<(Scope & { documentId: string })[]>;
  /** Deletes those whose thread and document are gone, and what is known of old deletions. @returns how many files */
  removeOld(): Promise<number>;
}

/** `starting`: the call that makes the message may or may not have been made. */
export type SlackPostMessage = {
  ts: string | null;
  state: 'starting' | 'streaming' | 'shown';
  startedAt: string;
  /** Number of the task event that the message shows, when that is known. */
  seq?: number;
};

/**
 * A file of a task in its thread. `waiting`: it is uploaded again. `sharing`: the call that shows it may or may not
 * have been made. `linked`: Slack did not take it, and a link stands in its place.
 */
export type SlackPostFile = {
  id: string;
  state: 'waiting' | 'sharing' | 'shared' | 'linked';
  /** Slack's id of what was uploaded. */
  slackId?: string;
  /** How often its upload has failed. */
  failed?: number;
};

/** What Slack shows of one task. */
export type SlackPost = SlackPlace & {
  id: string;
  tenant: string;
  subject: string;
  taskId: string;
  agent: string;
  /** The person who asked, and their message: for mentions, reactions and the stream's recipient. */
  userId: string;
  questionTs: string;
  messages: SlackPostMessage[];
  /** Number of the newest task event when the messages were stored. */
  seq: number;
  /** How often a process has claimed it. */
  attempts: number;
  /** Files of the task that Slack got, or did not take. */
  files: SlackPostFile[];
};

/** What a message needs of its post. `threadTs` and `questionTs` are empty where it answers none in its channel. */
export type SlackMessageOwner = Pick<
  SlackPost,
  'id' | 'team' | 'channel' | 'threadTs' | 'questionTs' | 'messages' | 'seq'
> & { taskId?: string };

export interface SlackPosts {
  /** A task has one post: a repeat changes nothing. */
  create(post: Omit<SlackPost, 'messages' | 'seq' | 'attempts' | 'files'>): Promise<void>;
  /** Only of this team, which the token of this process is for. Posts that no process has had yet come first. */
  claim(owner: string, leaseMs: number, team: string): Promise<SlackPost | undefined>;
  /** How many posts of the team `claim` would give. */
  claimable(team: string): Promise<number>;
  /** @returns the ids that this owner still has */
  renew(owner: string, leaseMs: number): Promise<string[]>;
  /** Fenced: false when another owner has the post. */
  save(owner: string, id: string, change: { messages: SlackPostMessage[]; seq: number }): Promise<boolean>;
  /** Fenced, as `save`. */
  saveFiles(owner: string, id: string, files: SlackPostFile[]): Promise<boolean>;
  finish(owner: string, id: string): Promise<void>;
  /** Opens a finished post again: what its messages show of the task's end has changed. */
  showAgain(taskId: string): Promise<void>;
  retry(owner: string, id: string, afterMs: number): Promise<void>;
  /** Message timestamps in this thread that posts own: to tell an adopted message from another's. */
  ownedTs(place: SlackPlace): Promise<string[]>;
  findByTask(taskId: string): Promise<SlackPost | undefined>;
  depth(): Promise<number>;
  /** Deletes those that have shown their task's end for long. @returns how many */
  removeOld(): Promise<number>;
}
