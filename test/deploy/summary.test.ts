import { expect, test } from '@jest/globals';
import { formatSummary } from '../../deploy/local/summary.ts';
import { loadConfig } from '../../runtime/config.ts';

const summaryWith = (settings: Record<string, string>) => {
  const config = loadConfig({ DATABASE_URL: 'postgres://x:y@127.0.0.1:1/z', ...settings });
  const stack = { config, apiUrl: 'http://127.0.0.1:8080', notes: [], coldStartSeconds: 1, people: [] };
  return formatSummary(stack as unknown as Parameters<typeof formatSummary>[0], '/data');
};

test('the start shows which sources social-intel reads, and what turns on the others', () => {
  expect(summaryWith({})).toContain(
    'reads Feeds, Hacker News; Reddit is off (REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET turn it on); YouTube is off (YOUTUBE_API_KEY turns it on)',
  );
  expect(summaryWith({ YOUTUBE_API_KEY: 'secret', SOCIAL_SOURCES: 'youtube' })).toMatch(
    /reads YouTube; Feeds is off \(SOCIAL_SOURCES turns it on: add feeds\)/,
  );
  expect(summaryWith({ YOUTUBE_API_KEY: 'secret' })).not.toContain('secret');
});
