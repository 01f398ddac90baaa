import type { youtube_v3 } from '@googleapis/youtube';
import type { Video } from '../../contract/ports/index.ts';
import { socialTextLimits } from '../../contract/social.ts';
import { oneLine } from './plain-text.ts';
import { isoTime } from './social-item.ts';

const mostTags = 30;

/** A video as YouTube describes it. @returns undefined when what identifies it is missing */
export function toVideo({ id, snippet, contentDetails, statistics }: youtube_v3.Schema$Video): Video | undefined {
  const publishedAt = isoTime(snippet?.publishedAt ?? undefined);
  if (!id || !snippet?.channelId || publishedAt === null) return undefined;
  return {
    id,
    title: oneLine(snippet.title ?? '').slice(0, socialTextLimits.title),
    url: `https://www.youtube.com/watch?v=${encodeURIComponent(id)}`,
    channelId: snippet.channelId,
    channel: oneLine(snippet.channelTitle ?? '').slice(0, socialTextLimits.author),
    publishedAt,
    durationS: durationS(contentDetails?.duration ?? ''),
    views: count(statistics?.viewCount),
    likes: count(statistics?.likeCount),
    comments: count(statistics?.commentCount),
    tags: (snippet.tags ?? []).slice(0, mostTags).map((tag) => oneLine(tag).slice(0, 100)),
  };
}

/** YouTube sends numbers as texts, and leaves out what an owner hides. */
const count = (text: string | null | undefined): number | null =>
  text !== null && text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;

/** `PT1H2M3S`, `P1DT2H`. A live broadcast has `P0D`, and then no length. */
export function durationS(text: string): number | null {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text);
  if (!match) return null;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return days * 86_400 + hours * 3_600 + minutes * 60 + seconds || null;
}
