/** The places on the network that are read for what people publish and say. */
export const socialSources = ['feeds', 'hackernews', 'reddit', 'youtube'] as const;
export type SocialSource = (typeof socialSources)[number];

/** How each is called in messages and answers. */
export const socialSourceNames: Readonly<Record<SocialSource, string>> = {
  feeds: 'Feeds',
  hackernews: 'Hacker News',
  reddit: 'Reddit',
  youtube: 'YouTube',
};

/** The longest text that is kept of one item, in characters. */
export const socialTextLimits = { title: 300, text: 2_000, author: 100, url: 2_000 } as const;
