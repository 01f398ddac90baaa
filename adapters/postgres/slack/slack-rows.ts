import type { Database } from '../../../runtime/database/postgres.ts';
import { createSlackChannels } from './slack-channels.ts';
import { createSlackFeedback } from './slack-feedback.ts';
import { createSlackFiles } from './slack-files.ts';
import { createSlackInbox } from './slack-inbox.ts';
import { createSlackInstallations } from './slack-installations.ts';
import { createSlackLinking } from './slack-linking.ts';
import { createSlackNotifications } from './slack-notifications.ts';
import { createSlackPosts } from './slack-posts.ts';
import { createSlackRunResults } from './slack-run-results.ts';
import { createSlackThreads } from './slack-threads.ts';
import { createSlackUserLinks } from './slack-user-links.ts';

/**
 * What the Slack door stores, as rows.
 *
 * @param readInstallationKeys called when a token of a workspace is first encrypted or opened
 */
export const createSlackRows = (db: Database, readInstallationKeys: () => readonly string[]) => ({
  slackChannels: createSlackChannels(db),
  slackFeedback: createSlackFeedback(db),
  slackFiles: createSlackFiles(db),
  slackInbox: createSlackInbox(db),
  slackInstallations: createSlackInstallations(db, readInstallationKeys),
  slackLinking: createSlackLinking(db),
  slackNotifications: createSlackNotifications(db),
  slackPosts: createSlackPosts(db),
  slackRunResults: createSlackRunResults(db),
  slackThreads: createSlackThreads(db),
  slackUserLinks: createSlackUserLinks(db),
});
