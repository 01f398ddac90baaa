import type { Social, SocialWatches, Tool } from '../../../contract/ports/index.ts';
import { analyseSentimentTool } from './analyse-sentiment.ts';
import { analyseTrendsTool } from './analyse-trends.ts';
import { drawBlueprintTool } from './draw-blueprint.ts';
import { monitorSourcesTool } from './monitor-sources.ts';
import { scoutNichesTool } from './scout-niches.ts';

/** The tools of social-intel. @param now replaces the clock */
export const createSocialIntelTools = (
  { social, watches }: { social: Social; watches: SocialWatches },
  now?: () => number,
): Tool[] => [
  analyseTrendsTool(social, now),
  monitorSourcesTool({ social, watches }, now),
  analyseSentimentTool(social, now),
  scoutNichesTool(social, now),
  drawBlueprintTool(social, now),
];
