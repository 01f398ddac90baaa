import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
export type FakeVideo = {
  id: string;
  title: string;
  channel: string;
  publishedAt: string;
  duration?: string;
  views?: number;
  tags?: string[];
};
export type FakePost = { id: string; title: string; text?: string; author?: string; at: string; subreddit?: string };

const key = 'youtube-key';
const credentials = `Basic ${Buffer.from('reddit-id:reddit-secret').toString('base64')}`;

/**
 * Hacker News, Reddit and YouTube on loopback, as their APIs are documented: they refuse what the real ones refuse, and
 * answer from what a test has published. `settings`: the variables that lead there.
 */
export async function startFakeSocial() {
  const stories: (FakePost & { points?: number; isComment?: boolean })[] = [];
  const posts: FakePost[] = [];
  const videos: FakeVideo[] = [];
  const faults = new Map<string, Handler[]>();
  const requests: { path: string; headers: IncomingMessage['headers'] }[] = [];
  let totalVideos: number | undefined;
  let tokens = 0;
  let redditLeft = 100;

  const holds = (words: string, ...texts: (string | undefined)[]) =>
    words
      .toLowerCase()
      .split(/\s+/)
      .every((word) => texts.join(' ').toLowerCase().includes(word));

  function hackerNews(query: URLSearchParams, response: ServerResponse) {
    const sinceS = Number(/created_at_i>=(\d+)/.exec(query.get('numericFilters') ?? '')?.[1] ?? 0);
    const found = stories
      .filter(({ title, text, at }) => holds(query.get('query') ?? '', title, text) && Date.parse(at) >= sinceS * 1_000)
      .sort((a, b) => b.at.localeCompare(a.at));
    json(response, 200, {
      nbHits: found.length,
      hits: found.slice(0, Number(query.get('hitsPerPage') ?? 20)).map((story) => ({
        objectID: story.id,
        created_at: story.at,
        created_at_i: Date.parse(story.at) / 1_000,
        author: story.author ?? 'someone',
        points: story.points ?? null,
        num_comments: story.isComment ? null : 0,
        ...(story.isComment
          ? { title: null, story_title: story.title, comment_text: story.text ?? '' }
          : { title: story.title, story_text: story.text ?? null }),
      })),
    });
  }

  function reddit(path: string, query: URLSearchParams, request: IncomingMessage, response: ServerResponse) {
    const limits = {
      'x-ratelimit-used': String(100 - --redditLeft),
      'x-ratelimit-remaining': `${redditLeft}.0`,
      'x-ratelimit-reset': '300',
    };
    if (request.headers.authorization !== `Bearer token-${tokens}`) return json(response, 401, { error: 401 }, limits);
    if (!/^\S+:\S+:\S+/.test(request.headers['user-agent'] ?? '')) return json(response, 429, {}, limits);
    const subreddit = /^\/r\/(\w+)\//.exec(path)?.[1];
    const found = posts
      .filter((post) => subreddit === undefined || post.subreddit === subreddit)
      .filter(({ title, text }) => holds(query.get('q') ?? '', title, text))
      .sort((a, b) => b.at.localeCompare(a.at))
      .slice(0, Number(query.get('limit') ?? 25));
    const children = found.map((post) => ({
      kind: 't3',
      data: {
        name: `t3_${post.id}`,
        title: post.title,
        selftext: post.text ?? '',
        author: post.author ?? 'someone',
        permalink: `/r/${post.subreddit ?? 'all'}/comments/${post.id}/`,
        created_utc: Date.parse(post.at) / 1_000,
        score: 7,
        num_comments: 2,
      },
    }));
    json(response, 200, { kind: 'Listing', data: { after: null, children } }, limits);
  }

  function youtube(path: string, query: URLSearchParams, request: IncomingMessage, response: ServerResponse) {
    if (request.headers['x-goog-api-key'] !== key) return json(response, 400, googleError(400, 'badRequest'));
    const ids = query.getAll('id').flatMap((text) => text.split(','));
    switch (path.replace('/youtube/v3/', '')) {
      case 'search': {
        const found = videos
          .filter(({ title, tags = [] }) => holds(query.get('q') ?? '', title, ...tags))
          .filter(({ publishedAt }) => publishedAt >= (query.get('publishedAfter') ?? ''))
          .slice(0, Number(query.get('maxResults') ?? 5));
        return json(response, 200, {
          pageInfo: { totalResults: totalVideos ?? found.length, resultsPerPage: found.length },
          items: found.map(({ id }) => ({ id: { kind: 'youtube#video', videoId: id } })),
        });
      }
      case 'videos': {
        const items = videos.filter(({ id }) => ids.includes(id)).map(toResource);
        return json(response, 200, { items });
      }
      case 'channels': {
        const items = ids.map((id) => ({ id, contentDetails: { relatedPlaylists: { uploads: `UU${id}` } } }));
        return json(response, 200, { items });
      }
      case 'playlistItems': {
        const channel = (query.get('playlistId') ?? '').replace(/^UUchannel-/, '');
        const uploads = videos.filter((video) => video.channel === channel);
        const items = uploads.map(({ publishedAt }) => ({ contentDetails: { videoPublishedAt: publishedAt } }));
        return json(response, 200, { items });
      }
      default:
        return json(response, 404, googleError(404, 'notFound'));
    }
  }

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    requests.push({ path: request.url ?? '', headers: request.headers });
    const fault = faults.get(pathname)?.shift();
    if (fault) return fault(request, response);
    if (pathname === '/api/v1/search_by_date') return hackerNews(searchParams, response);
    if (pathname === '/api/v1/access_token') {
      if (request.headers.authorization !== credentials) return json(response, 401, { error: 'invalid_client' });
      return json(response, 200, { access_token: `token-${++tokens}`, expires_in: 3_600, token_type: 'bearer' });
    }
    if (pathname.startsWith('/youtube/v3/')) return youtube(pathname, searchParams, request, response);
    return reddit(pathname, searchParams, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    settings: {
      HACKERNEWS_URL: url,
      REDDIT_URL: url,
      REDDIT_TOKEN_URL: url,
      REDDIT_CLIENT_ID: 'reddit-id',
      REDDIT_CLIENT_SECRET: 'reddit-secret',
      YOUTUBE_URL: url,
      YOUTUBE_API_KEY: key,
    },
    stories,
    posts,
    videos,
    requests,
    /** Requests to a path, without their query. */
    countOf: (path: string) => requests.filter((one) => one.path.split('?')[0] === path).length,
    setTotalVideos(total: number) {
      totalVideos = total;
    },
    setRedditLeft(left: number) {
      redditLeft = left;
    },
    /** Reddit takes back the tokens that it has given. */
    revokeTokens: () => void tokens++,
    /** The next request to this path is answered so. */
    fault: (path: string, handler: Handler) => void faults.set(path, [...(faults.get(path) ?? []), handler]),
    close: () => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections()),
  };
}
export type FakeSocial = Awaited<ReturnType<typeof startFakeSocial>>;

export function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** An error as Google’s APIs word it. */
export const googleError = (code: number, reason: string) => ({
  error: { code, message: `No: ${reason}`, errors: [{ domain: 'youtube.quota', reason, message: `No: ${reason}` }] },
});

const toResource = ({ id, title, channel, publishedAt, duration = 'PT10M', views, tags = [] }: FakeVideo) => ({
  id,
  snippet: { title, channelId: `channel-${channel}`, channelTitle: channel, publishedAt, tags },
  contentDetails: { duration },
  statistics: { ...(views === undefined ? {} : { viewCount: String(views) }), likeCount: '5', commentCount: '3' },
});
