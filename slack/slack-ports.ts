import type {
  Approvals,
  Artifacts,
  Audit,
  ContactIngests,
  Contacts,
  Control,
  ConversationControl,
  ConversationRows,
  CurrentRights,
  Documents,
  IngestionEvents,
  Ledger,
  RequestLimits,
  SearchIndex,
  SlackChannels,
  SlackFeedback,
  SlackFiles,
  SlackInbox,
  SlackInstallations,
  SlackLinking,
  SlackNotifications,
  SlackPosts,
  SlackRunResults,
  SlackThreads,
  SlackUserLinks,
  TaskEvents,
  Tasks,
  Tenants,
} from '../contract/ports/index.ts';

/** What the Slack door asks of the world, by the names that `wiring/` gives. */
export type SlackPorts = {
  approvals: Approvals;
  artifacts: Artifacts;
  audit: Audit;
  contacts: Contacts;
  contactIngests: ContactIngests;
  control: Control;
  conversationRows: ConversationRows;
  documents: Documents;
  events: TaskEvents;
  index: SearchIndex;
  ingestionEvents: IngestionEvents;
  ledger: Ledger;
  limits: RequestLimits;
  messages: ConversationControl;
  rights: CurrentRights;
  slackChannels: SlackChannels;
  slackFeedback: SlackFeedback;
  slackFiles: SlackFiles;
  slackInbox: SlackInbox;
  slackInstallations: SlackInstallations;
  slackLinking: SlackLinking;
  slackNotifications: SlackNotifications;
  slackPosts: SlackPosts;
  slackRunResults: SlackRunResults;
  slackThreads: SlackThreads;
  slackUserLinks: SlackUserLinks;
  tasks: Tasks;
  tenants: Tenants;
};
