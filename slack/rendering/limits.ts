// Slack's limits, in characters as JavaScript counts them.
// https://docs.slack.dev/reference/block-kit/blocks and https://docs.slack.dev/reference/methods/chat.update

/**
 * Markdown of one message. Slack takes 12,000 characters in all `markdown` blocks of a message together, and refuses
 * a message with a little more than that in all of its blocks. What is below it is for sources and the footer; and
 * 10,000 is also what the cells of all tables of a message may hold.
 */
export const maxMarkdown = 10_000;
/** Sources, footer and other blocks that stand below the Markdown of a message. */
export const maxBelow = 1_900;
/** Bytes of `text`: `chat.update` refuses more than 4,000. */
export const maxTextBytes = 3_900;
/** Of a section. */
export const maxSection = 3_000;
/** Rows of a table without its header. */
export const maxRows = 99;
/** What of one message may become blocks of its own, each with another one behind it: Slack takes 50 blocks. */
export const maxElements = 20;
/** Elements of a context block. */
export const maxContextElements = 10;
/** Of a context block: what has more is divided, so that each part fits into a message. */
export const maxContext = 4_000;
/** Title, details and output of a step in a stream. */
export const maxStepText = 250;
