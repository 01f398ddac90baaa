import { socialSources, type SocialSource } from '../contract/social.ts';
import type { Config } from './config.ts';

type SocialSettings = Pick<Config, 'SOCIAL_SOURCES' | 'REDDIT_CLIENT_ID' | 'REDDIT_CLIENT_SECRET' | 'YOUTUBE_API_KEY'>;

/** Which sources of social-intel are on, and what turns on each of the others. */
export const socialSourceStates = (config: SocialSettings): { source: SocialSource; isOn: boolean; hint?: string }[] =>
  socialSources.map((source) => {
    const hint = hintFor(config, source);
    return hint === undefined ? { source, isOn: true } : { source, isOn: false, hint };
  });

function hintFor(config: SocialSettings, source: SocialSource): string | undefined {
  if (!config.SOCIAL_SOURCES.includes(source)) return `SOCIAL_SOURCES turns it on: add ${source}.`;
  if (source === 'reddit' && !(config.REDDIT_CLIENT_ID && config.REDDIT_CLIENT_SECRET))
    return 'REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET turn it on.';
  if (source === 'youtube' && !config.YOUTUBE_API_KEY) return 'YOUTUBE_API_KEY turns it on.';
  return undefined;
}
