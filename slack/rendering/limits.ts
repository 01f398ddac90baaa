// Slack's limits, in characters as JavaScript counts them.
// https://docs.slack.dev/reference/block-kit/blocks and https://docs.slack.dev/reference/methods/chat.update

/**
 * Markdown of one message. Slack takes 12,000 characters in all `markdown` blocks of a message together, and refuses
 * a message with a little more than that in all of its blocks. The 2,000 below it are for sources and the footer, and
 * 10,000 is also what the cells of all tables of a message may hold.
 */
export const maxMarkdown = 10_000;
/** Of `text`, which `chat.update` cuts at 4,000. */
export const maxText = 3_000;
