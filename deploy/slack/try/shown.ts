/**
 * What the page shows, as a tree of words and a few kinds of elements. The page makes elements of these kinds only, and
 * words become text, so that no HTML of a message is interpreted.
 */
export type Shown = string | ShownElement;
export type ShownElement = {
  tag: Tag;
  children: Shown[];
  /** Of a link: http, https or mailto, or a file of the trial. */
  href?: string;
  /** How it looks. */
  kind?: Kind;
  /** What a person can do with it. */
  use?: Use;
};
export type Tag =
  | 'a'
  | 'blockquote'
  | 'br'
  | 'button'
  | 'code'
  | 'del'
  | 'div'
  | 'em'
  | 'field'
  | 'h4'
  | 'hr'
  | 'li'
  | 'ol'
  | 'p'
  | 'pre'
  | 'select'
  | 'span'
  | 'strong'
  | 'table'
  | 'td'
  | 'th'
  | 'tr'
  | 'ul';
export type Kind = 'context' | 'actions' | 'primary' | 'danger' | 'mention' | 'steps' | 'header';
export type Option = { value: string; label: string };
/** `input`: how a field of a form is filled in. Without it, a press sends the action at once. */
export type Use = {
  actionId: string;
  /** Which of two buttons, or which option. */
  choice?: string;
  options?: Option[];
  input?: 'line' | 'lines' | 'one' | 'several' | 'date';
  value?: string | string[];
  /** Asked before it is sent. */
  confirm?: string;
};

export const element = (tag: Tag, children: Shown[], more: Omit<ShownElement, 'tag' | 'children'> = {}) => ({
  tag,
  children,
  ...more,
});

/** A link where the address is one of the web, else its words. */
export function link(href: string, children: Shown[]): Shown {
  const isSafe = /^(https?:\/\/|mailto:)/i.test(href) && URL.canParse(href);
  return isSafe ? element('a', children, { href }) : element('span', children);
}
