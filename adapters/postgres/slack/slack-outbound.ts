import type { Database } from '../../../runtime/database/postgres.ts';
import { createSlackNotifications } from './slack-notifications.ts';
import { createSlackPosts } from './slack-posts.ts';
import { createSlackRunResults } from './slack-run-results.ts';

/** What Alfred posts to Slack, as rows. */
export const createSlackOutbound = (db: Database) => ({
  slackPosts: createSlackPosts(db),
  slackNotifications: createSlackNotifications(db),
  slackRunResults: createSlackRunResults(db),
});
