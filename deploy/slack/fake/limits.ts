// Limits that Slack documents. Where two pages of its documentation differ, the stricter limit stands here.

/** https://docs.slack.dev/reference/methods/chat.postMessage, chat.update, chat.appendStream */
export const messageLimits = {
  /** `chat.postMessage` cuts a longer text off. */
  postedText: 40_000,
  /** `chat.update` refuses a longer text (`msg_too_long`). Counted in bytes of the escaped text. */
  updatedText: 4_000,
  markdownText: 12_000,
  /** https://docs.slack.dev/reference/block-kit/blocks/markdown-block: in sum over the message */
  markdownBlocks: 12_000,
  blocks: 50,
  attachments: 100,
  loadingMessages: 10,
  suggestedPrompts: 4,
} as const;

/** Slack documents the errors of streams, but not these limits. Users measured them. */
export const streamLimits = {
  /**
   * A stream takes nothing more this long after its start, however busy it is.
   * https://github.com/slackapi/python-slack-sdk/issues/1859, https://github.com/slackapi/node-slack-sdk/issues/2702
   */
  lifeMs: 5 * 60_000,
  /**
   * A streamed message with text takes no more bytes (`msg_too_long`). Details and output of tasks count twice.
   * https://github.com/openclaw/openclaw/pull/143882, https://github.com/CopilotKit/CopilotKit/pull/6064
   */
  bytes: 10_600,
  /**
   * Characters of a task's id, title, details or output, and of a plan's title, in one chunk. Slack documents it, and
   * takes more: https://github.com/vercel/chat/pull/886
   */
  chunkField: 256,
} as const;

/** https://docs.slack.dev/reference/methods/files.completeUploadExternal, and the size of a file in every plan. */
export const fileLimits = { channels: 100, bytes: 1_000_000_000 } as const;

/** https://docs.slack.dev/reference/methods/assistant.threads.setStatus */
export const statusLifeMs = 2 * 60_000;

/** https://docs.slack.dev/apis/events-api: time for an acknowledgement, and when an event is repeated. */
export const deliveryLimits = {
  acknowledgeMs: 3_000,
  /** Wait before the first, second and third repeat. */
  retryAfterMs: [0, 60_000, 5 * 60_000],
  /** In one workspace. Beyond them events are dropped, and `app_rate_limited` comes once a minute. */
  eventsAnHour: 30_000,
} as const;

/** https://docs.slack.dev/interactivity/handling-user-interaction */
export const interactionLimits = {
  triggerLifeMs: 3_000,
  responseUrlLifeMs: 30 * 60_000,
  responseUrlUses: 5,
} as const;

/** https://docs.slack.dev/apis/events-api/using-socket-mode */
export const socketLimits = {
  connections: 10,
  /** Sent in `hello`; Slack replaces a connection after about this time. */
  connectionSeconds: 18_060,
  /** With `debug_reconnects=true` in the address. */
  debugConnectionSeconds: 360,
  warningMs: 10_000,
} as const;

/** https://docs.slack.dev/surfaces/modals, https://docs.slack.dev/reference/views */
export const viewLimits = {
  blocks: 100,
  title: 24,
  button: 24,
  privateMetadata: 3_000,
  callbackId: 255,
  bytes: 250_000,
  stack: 3,
} as const;

/** https://docs.slack.dev/reference/block-kit/blocks and /block-elements and /composition-objects */
export const blockLimits = {
  text: 3_000,
  id: 255,
  buttonText: 75,
  buttonValue: 2_000,
  url: 3_000,
  optionText: 75,
  optionValue: 150,
  options: 100,
  choices: 10,
  overflowOptions: 5,
  placeholder: 150,
  confirmTitle: 100,
  confirmText: 300,
  confirmButton: 30,
  actions: 25,
  context: 10,
  contextActions: 5,
  header: 150,
  fields: 10,
  fieldText: 2_000,
  altText: 2_000,
  label: 2_000,
  tableRows: 100,
  tableColumns: 20,
  tableCharacters: 10_000,
  alertText: 200,
  cardText: 200,
  cardTitle: 150,
  cardActions: 3,
  carousel: 10,
  container: 10,
} as const;
