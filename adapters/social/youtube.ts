import type { youtube_v3 } from '@googleapis/youtube';
import { LRUCache } from 'lru-cache';
import { AlfredError } from '../../contract/errors.ts';
import type {
  ChannelCadence,
  SocialQuery,
  SocialReading,
  VideoQuery,
  VideoReading,
} from '../../contract/ports/index.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { retryAfterHeaderMs } from '../outbound/retry-after.ts';
import { newestFirst, socialItem } from './social-item.ts';
import { hostOf, type Send, type SourceCalls } from './source-calls.ts';
import { toVideo } from './to-video.ts';
import type { YoutubeQuota } from './youtube-quota.ts';

type YoutubeDeps = {
  calls: Pick<SourceCalls, 'checkPause' | 'count' | 'pause' | 'unreadable'>;
  send: Send;
  quota: YoutubeQuota;
  metrics?: Pick<Metrics, 'socialQuota'> | undefined;
  now?: () => number;
};

/** The most that one page holds. */
const mostVideos = 50;
const mostUploads = 30;
/** A request that is the same is answered from here: each one uses up quota, also when nothing has changed. */
const freshMs = 10 * 60_000;
const hourMs = 3_600_000;

/** Videos and channels of YouTube, by its Data API. */
export function createYoutube(
  { calls, send, quota, metrics, now = Date.now }: YoutubeDeps,
  { key, url: address }: { key: string; url: string },
) {
  const host = hostOf(address);
  const cache = new LRUCache<string, { data: object; readAt: string }>({ max: 200, ttl: freshMs });
  let client: Promise<youtube_v3.Youtube> | undefined;
  /** Loaded at its first use: most processes never call YouTube. */
  const connect = () =>
    (client ??= import('@googleapis/youtube').then(({ youtube }) =>
      youtube({
        version: 'v3',
        rootUrl: address,
        retry: false,
        // In a header: an address with the key could reach a log.
        headers: { 'x-goog-api-key': key },
        fetchImplementation: throughSend(send),
      }),
    ));

  /** One call, counted and kept. @throws AlfredError */
  async function ask<T extends object>(
    what: 'searches' | 'units',
    kept: { method: string; params: object },
    request: (client: youtube_v3.Youtube) => Promise<{ data: T }>,
  ): Promise<{ data: T; readAt: string }> {
    const name = JSON.stringify(kept);
    const known = cache.get(name);
    if (known) {
      calls.count('cached');
      return known as { data: T; readAt: string };
    }
    calls.checkPause(host);
    quota.use(what, 1);
    metrics?.socialQuota.inc({ source: 'youtube', quota: what });
    const { data } = await request(await connect()).catch((error: unknown) => {
      throw failure(error, what);
    });
    if (!Array.isArray((data as { items?: unknown }).items))
      throw calls.unreadable(address, 'answered in a form that Alfred does not know: items is not as expected');
    calls.count('ok');
    const read = { data, readAt: new Date(now()).toISOString() };
    cache.set(name, read);
    return read;
  }

  function failure(error: unknown, what: 'searches' | 'units'): unknown {
    const { response } = error as { response?: { status: number; headers: Headers; data: unknown } };
    if (!response) {
      // Of our own request, and not of its answer.
      const cause = (error as { cause?: unknown }).cause;
      const own = [error, cause].find((one) => one instanceof AlfredError);
      if (own) calls.count('failed');
      return own ?? cause ?? error;
    }
    const { status, headers } = response;
    const reason = reasonIn(response.data);
    if (/^(quotaExceeded|dailyLimitExceeded)$/.test(reason)) {
      calls.count('rate_limited');
      return quota.close(what);
    }
    if (status === 429 || /^(userR|r)ateLimitExceeded$/.test(reason)) {
      calls.count('rate_limited');
      return calls.pause(host, retryAfterHeaderMs(headers.get('retry-after') ?? '') ?? 30_000, reason || 'status 429');
    }
    calls.count(status >= 500 ? 'failed' : 'refused');
    return new AlfredError(
      status >= 500 ? 'source_unreachable' : 'source_refused',
      `YouTube answered with status ${status}${reason === '' ? '' : ` (${reason})`}.${status < 500 ? ' Check YOUTUBE_API_KEY, and that its project may use the YouTube Data API.' : ''}`,
    );
  }

  async function videosOf(ids: string[], signal: AbortSignal) {
    const params = { part: ['snippet', 'contentDetails', 'statistics'], id: ids };
    return ask('units', { method: 'videos', params }, (api) => api.videos.list(params, { signal }));
  }

  async function findVideos(query: VideoQuery, signal: AbortSignal): Promise<VideoReading> {
    const params = {
      part: ['snippet'],
      type: ['video'],
      q: query.words,
      order: query.order,
      maxResults: Math.min(query.limit, mostVideos),
      // A whole hour, so that the same question is answered from the cache.
      publishedAfter: new Date(Math.floor(Date.parse(query.since) / hourMs) * hourMs).toISOString(),
      ...(query.region === undefined ? {} : { regionCode: query.region }),
    };
    const search = await ask<youtube_v3.Schema$SearchListResponse>('searches', { method: 'search', params }, (api) =>
      api.search.list(params, { signal }),
    );
    const ids = (search.data.items ?? []).flatMap(({ id }) => (id?.videoId ? [id.videoId] : []));
    const totalResults = search.data.pageInfo?.totalResults ?? ids.length;
    if (ids.length === 0) return { videos: [], totalResults, readAt: search.readAt, notes: [] };
    const { data, readAt } = await videosOf(ids, signal);
    const videos = (data.items ?? []).map(toVideo).filter((video) => video !== undefined);
    const left = ids.length - videos.length;
    const notes =
      left > 0 ? [`YouTube: ${left} of ${ids.length} videos were left out, because their data are not public.`] : [];
    return { videos, totalResults, readAt, notes };
  }

  return {
    findVideos,

    async read({ words, since, limit }: SocialQuery, signal: AbortSignal): Promise<SocialReading> {
      if (words === undefined)
        throw new AlfredError('invalid_request', 'YouTube is searched for words: name a `topic`.');
      const { videos, readAt, notes } = await findVideos({ words, since, limit, order: 'relevance' }, signal);
      const items = videos
        .filter(({ publishedAt }) => publishedAt >= since)
        .map((video) =>
          socialItem({
            source: 'youtube',
            id: video.id,
            title: video.title,
            text: video.tags.join(', '),
            url: video.url ?? undefined,
            author: video.channel,
            publishedAt: video.publishedAt,
            readAt,
            measures: { views: video.views, likes: video.likes, comments: video.comments },
          }),
        );
      return { items: items.sort(newestFirst), notes };
    },

    async readCadence(channelIds: readonly string[], signal: AbortSignal): Promise<ChannelCadence[]> {
      if (channelIds.length === 0) return [];
      const params = { part: ['contentDetails'], id: [...channelIds] };
      const { data } = await ask<youtube_v3.Schema$ChannelListResponse>(
        'units',
        { method: 'channels', params },
        (api) => api.channels.list(params, { signal }),
      );
      const cadences: ChannelCadence[] = [];
      for (const { id, contentDetails } of data.items ?? []) {
        const playlistId = contentDetails?.relatedPlaylists?.uploads;
        if (!id || !playlistId) continue;
        const listed = { part: ['contentDetails'], playlistId, maxResults: mostUploads };
        const { data: playlist } = await ask<youtube_v3.Schema$PlaylistItemListResponse>(
          'units',
          { method: 'playlistItems', params: listed },
          (api) => api.playlistItems.list(listed, { signal }),
        );
        const uploads = (playlist.items ?? []).flatMap((item) => item.contentDetails?.videoPublishedAt ?? []);
        cadences.push({ channelId: id, uploads: uploads.sort().reverse() });
      }
      return cadences;
    },
  };
}

/** `errors[0].reason` of an error of Google's APIs, or nothing. */
function reasonIn(data: unknown): string {
  const { error } = (typeof data === 'object' && data !== null ? data : {}) as {
    error?: { errors?: { reason?: unknown }[] };
  };
  const reason = error?.errors?.[0]?.reason;
  return typeof reason === 'string' && /^\w{1,60}$/.test(reason) ? reason : '';
}

/** Google's client sends by this: with our limits of time and size. */
const throughSend =
  (send: Send): typeof fetch =>
  async (input, init = {}) => {
    const url = input instanceof Request ? input.url : String(input);
    const headers = Object.fromEntries(new Headers(init.headers));
    const signal = init.signal ?? new AbortController().signal;
    const answer = await send({ url, headers, signal });
    return new Response(new Uint8Array(answer.bytes), { status: answer.status, headers: answer.headers });
  };
