import { AlfredError } from '../../../contract/errors.ts';
import type { Social, Video, VideoQuery } from '../../../contract/ports/index.ts';
import type { GivenVideo } from '../intents.ts';
import { minute } from './present.ts';

export const dayMs = 86_400_000;
const mostVideos = 50;

export type Sample = {
  videos: Video[];
  totalVideos: number | undefined;
  atMs: number;
  source: string;
  notes: string[];
};

/** The videos of a niche that YouTube finds, with when they were counted. */
export async function searchVideos(
  social: Social,
  query: { niche: string; days: number; region?: string | undefined; order: VideoQuery['order'] },
  { nowMs, signal }: { nowMs: number; signal: AbortSignal },
): Promise<Sample> {
  const since = new Date(nowMs - query.days * dayMs).toISOString();
  const { niche: words, region, order } = query;
  const found = await social.findVideos({ words, since, region, order, limit: mostVideos }, signal);
  return {
    videos: found.videos,
    totalVideos: found.totalResults,
    atMs: Date.parse(found.readAt),
    source: `YouTube Data API, read ${minute(found.readAt)}; YouTube estimates the number of videos`,
    notes: found.notes,
  };
}

/** Videos that a caller gives. Those outside of the period are left out. */
export function givenSample(
  videos: readonly GivenVideo[],
  { days, atMs, totalVideos }: { days: number; atMs: number; totalVideos: number | undefined },
): Sample {
  const all = videos.map((video, index): Video => ({
    id: String(index + 1),
    title: video.title,
    url: video.url ?? null,
    channelId: video.channel,
    channel: video.channel,
    publishedAt: new Date(video.publishedAt).toISOString(),
    durationS: video.durationS ?? null,
    views: video.views ?? null,
    likes: null,
    comments: null,
    tags: video.tags,
  }));
  const since = new Date(atMs - days * dayMs).toISOString();
  const until = new Date(atMs).toISOString();
  const inPeriod = all.filter(({ publishedAt }) => publishedAt >= since && publishedAt <= until);
  const left = all.length - inPeriod.length;
  return {
    videos: inPeriod,
    totalVideos,
    atMs,
    source: 'given with the request',
    notes: left > 0 ? [`${left} given videos are not of these ${days} days and are left out.`] : [],
  };
}

/** @throws AlfredError when videos are given for several niches, or fields that only go with given videos are alone */
export function checkVideos({
  niches = [],
  videos,
  totalVideos,
  until,
}: {
  niches?: string[];
  videos?: GivenVideo[] | undefined;
  totalVideos?: number | undefined;
  until?: string | undefined;
}): void {
  if (videos && niches.length > 1)
    throw new AlfredError('invalid_request', '`videos` are those of one niche: name one in `niches`.');
  if (!videos && (totalVideos !== undefined || until !== undefined))
    throw new AlfredError(
      'invalid_request',
      '`totalVideos` and `until` go with `videos`: YouTube is asked as it is now.',
    );
}
