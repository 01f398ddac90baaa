import type { youtube_v3 } from '@googleapis/youtube';
import { AlfredError } from '../../contract/errors.ts';
import type {
  ChannelCadence,
  SocialQuery,
  SocialReading,
  VideoQuery,
  VideoReading,
} from '../../contract/ports/index.ts';
import { newestFirst, socialItem } from './social-item.ts';
import { toVideo } from './to-video.ts';
import { createYoutubeClient, type YoutubeDeps } from './youtube-client.ts';

/** The most that one page holds. */
const mostVideos = 50;
const mostUploads = 30;
const hourMs = 3_600_000;

/** Videos and channels of YouTube, by its Data API. */
export function createYoutube(deps: YoutubeDeps, address: { key: string; url: string }) {
  const { ask } = createYoutubeClient(deps, address);

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
      const found = await findVideos({ words, since, limit, order: 'relevance' }, signal);
      const { videos, totalResults, readAt } = found;
      const isPartial = totalResults > videos.length;
      const sample = `YouTube: a sample of ${videos.length} of about ${totalResults} videos, the most relevant ones.`;
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
      return { items: items.sort(newestFirst), isPartial, notes: isPartial ? [...found.notes, sample] : found.notes };
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
