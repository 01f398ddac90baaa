import { AlfredError } from '../../contract/errors.ts';
import type { Social, SocialQuery, SocialReading, SocialSourceState } from '../../contract/ports/index.ts';
import { socialSourceNames, socialSources, type SocialSource } from '../../contract/social.ts';
import type { Config } from '../../runtime/config.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { socialSourceStates } from '../../runtime/social-settings.ts';
import { createOutbound } from '../outbound/outbound.ts';
import { createFeeds } from './feeds.ts';
import { createHackerNews } from './hacker-news.ts';
import { createReddit } from './reddit.ts';
import { sendOutbound, sendToOwnHost } from './send.ts';
import { createSourceCalls, type Send } from './source-calls.ts';
import { createYoutube } from './youtube.ts';
import { createYoutubeQuota } from './youtube-quota.ts';

type SocialConfig = Pick<
  Config,
  | 'SOCIAL_SOURCES'
  | 'SOCIAL_CACHE_S'
  | 'HACKERNEWS_URL'
  | 'REDDIT_CLIENT_ID'
  | 'REDDIT_CLIENT_SECRET'
  | 'REDDIT_USER_AGENT'
  | 'REDDIT_URL'
  | 'REDDIT_TOKEN_URL'
  | 'YOUTUBE_API_KEY'
  | 'YOUTUBE_URL'
  | 'YOUTUBE_SEARCHES_PER_DAY'
  | 'YOUTUBE_UNITS_PER_DAY'
  | 'ALFRED_OUTBOUND_ALLOW'
>;

export type SocialDeps = {
  config: SocialConfig;
  log: Pick<Logger, 'warn'>;
  metrics?: Pick<Metrics, 'socialRequests' | 'socialQuota'> | undefined;
  now?: () => number;
  /** Limits of one answer. */
  timeoutMs?: number;
  maxBytes?: number;
};

type Reader = { read(query: SocialQuery, signal: AbortSignal): Promise<SocialReading> };

/** The sources of social-intel, each behind its rate limits and a cache. Connects to nothing until it is used. */
export function createSocial({
  config,
  log,
  metrics,
  now,
  timeoutMs = 15_000,
  maxBytes = 5_000_000,
}: SocialDeps): Social {
  const states = socialSourceStates(config);
  const shared = { metrics, log, ...(now ? { now } : {}), freshMs: config.SOCIAL_CACHE_S * 1_000 };
  const toOwnHost = sendToOwnHost({ timeoutMs, maxBytes });
  const callsOf = (source: SocialSource, send: Send) => createSourceCalls({ ...shared, source, send });

  const outbound = createOutbound({ allow: config.ALFRED_OUTBOUND_ALLOW, timeoutMs, maxBytes });
  const youtube = createYoutube(
    {
      calls: callsOf('youtube', toOwnHost),
      send: toOwnHost,
      quota: createYoutubeQuota(
        { searches: config.YOUTUBE_SEARCHES_PER_DAY, units: config.YOUTUBE_UNITS_PER_DAY },
        now,
      ),
      metrics,
      ...(now ? { now } : {}),
    },
    { key: config.YOUTUBE_API_KEY ?? '', url: config.YOUTUBE_URL },
  );
  const readers: Record<SocialSource, Reader> = {
    feeds: createFeeds(callsOf('feeds', sendOutbound(outbound, { maxBytes }))),
    hackernews: createHackerNews(callsOf('hackernews', toOwnHost), config.HACKERNEWS_URL),
    reddit: createReddit(
      callsOf('reddit', toOwnHost),
      {
        clientId: config.REDDIT_CLIENT_ID ?? '',
        clientSecret: config.REDDIT_CLIENT_SECRET ?? '',
        url: config.REDDIT_URL,
        tokenUrl: config.REDDIT_TOKEN_URL,
        userAgent: config.REDDIT_USER_AGENT,
      },
      now,
    ),
    youtube,
  };

  return {
    states: () => states,
    async read(source, query, signal) {
      requireOn(states, source);
      return readers[source].read(query, signal);
    },
    async findVideos(query, signal) {
      requireOn(states, 'youtube');
      return youtube.findVideos(query, signal);
    },
    async readCadence(channelIds, signal) {
      requireOn(states, 'youtube');
      return youtube.readCadence(channelIds, signal);
    },
  };
}

function requireOn(states: readonly SocialSourceState[], source: SocialSource): void {
  const state = states.find((one) => one.source === source);
  if (state?.isOn) return;
  const on = socialSources.filter((name) => states.some((one) => one.source === name && one.isOn));
  throw new AlfredError(
    'source_unconfigured',
    `${socialSourceNames[source]} is off here. ${state?.hint ?? ''} On: ${on.join(', ') || 'none'}.`,
  );
}
