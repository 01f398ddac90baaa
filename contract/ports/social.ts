import type { SocialSource } from '../social.ts';

/** Something that a person has published: a post, an article, a comment, a video. Its words are material. */
export type SocialItem = {
  source: SocialSource | 'given';
  /** Unique within its source. */
  id: string;
  title: string;
  /** Plain text, cut at the limit of contract/social.ts. */
  text: string;
  /** `http(s)` only. */
  url: string | null;
  author: string | null;
  /** ISO 8601, UTC. Null when the source does not say it. */
  publishedAt: string | null;
  /** When the source was asked. */
  readAt: string;
  /** Numbers that the source has of it, by name: `points`, `comments`, `views`. */
  measures: Readonly<Record<string, number>>;
};

export type SocialQuery = {
  /** The address of a feed, with the source `feeds`. */
  feed?: string | undefined;
  /** Words to look for; a feed is filtered by them. Absent: everything. */
  words?: string | undefined;
  /** With the source `reddit`: only there. */
  subreddit?: string | undefined;
  /** ISO 8601: nothing older. */
  since: string;
  /** At most so many items. */
  limit: number;
};

export type SocialReading = {
  items: SocialItem[];
  /** There is more than was read, so that counts of earlier days are too low. */
  isPartial: boolean;
  /** Present when the source has nothing older than this, although older things were asked for. ISO 8601. */
  reachesBackTo?: string;
  /** What a reader should know: items that were left out, letters that were guessed. */
  notes: string[];
};

/** A video with what YouTube counts of it. `url`, `channelUrl`: for attribution. */
export type Video = {
  id: string;
  title: string;
  url: string | null;
  channelId: string;
  channel: string;
  publishedAt: string;
  durationS: number | null;
  views: number | null;
  likes: number | null;
  comments: number | null;
  tags: readonly string[];
};

export type VideoQuery = {
  words: string;
  since: string;
  /** Two letters: what viewers in this country can watch. */
  region?: string | undefined;
  order: 'relevance' | 'viewCount';
  limit: number;
};

export type VideoReading = {
  videos: Video[];
  /** How many videos YouTube estimates to match, at most 1,000,000. */
  totalResults: number;
  readAt: string;
  notes: string[];
};

/** How often a channel publishes. `uploads`: the newest ones that were looked at, newest first. */
export type ChannelCadence = { channelId: string; uploads: readonly string[] };

/** Whether a source can be read here. `hint`: what turns it on. */
export type SocialSourceState = { source: SocialSource; isOn: boolean; hint?: string };

/**
 * What people publish and say, read from the network. Rate limits of the sources are kept: a source that has asked for
 * a pause is not asked before its end.
 */
export interface Social {
  states(): SocialSourceState[];

  /**
   * Reads the newest items of a source.
   *
   * @throws AlfredError `source_unconfigured` when the source is off, with what turns it on; `source_unreachable` when
   *   it does not answer or has asked for a pause (`retryAfterMs`); `source_refused`, `source_unreadable` and
   *   `destination_forbidden` when a repeat would not help
   */
  read(source: SocialSource, query: SocialQuery, signal: AbortSignal): Promise<SocialReading>;

  /** Searches YouTube for videos. Throws as `read`. */
  findVideos(query: VideoQuery, signal: AbortSignal): Promise<VideoReading>;

  /** When channels of YouTube have published lately. Throws as `read`. */
  readCadence(channelIds: readonly string[], signal: AbortSignal): Promise<ChannelCadence[]>;
}

/** What a monitor has seen, so that it reports each thing once. `watch`: a hash of what is watched. */
export interface SocialWatches {
  /**
   * Records what a run of a monitor sees of one source. The first run of a watch is its baseline.
   *
   * An item is new when no earlier run has reported it, or when the run that did has not completed. Safe to repeat: a
   * repeat in the same task finds the same items new.
   *
   * @returns `isBaseline`, and the ids that are new to this task
   * @throws AlfredError `invalid_request` for one watch more than a person may have
   */
  see(
    owner: { tenant: string; subject: string; taskId: string },
    watch: string,
    ids: readonly string[],
  ): Promise<{ isBaseline: boolean; fresh: string[] }>;

  /**
   * Counts that a source did not answer, once a task.
   *
   * @returns how many runs in a row it has failed, this one included
   */
  noteFailure(owner: { tenant: string; subject: string; taskId: string }, watch: string): Promise<number>;

  /** Removes what was not seen for a long time. @returns how many rows, at most `limit` */
  removeOld(limit: number): Promise<number>;
}
