import type { ServerResponse } from 'node:http';

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text: string) => text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? '');

/** What all answers to browsers have: the address of such a page has a code of Slack. */
export const pageHeaders = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
};

export type Page = {
  status: number;
  title: string;
  text: string;
  /** A link at the end. */
  link?: { address: string; text: string } | undefined;
};

/** Answers a browser. The texts may hold anything. */
export function sendPage(response: ServerResponse, { status, title, text, link }: Page): void {
  const [heading, body] = [escapeHtml(title), escapeHtml(text)];
  const anchor = link ? `<p><a href="${escapeHtml(link.address)}">${escapeHtml(link.text)}</a></p>` : '';
  response.writeHead(status, { ...pageHeaders, 'content-type': 'text/html; charset=utf-8' });
  response.end(
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${heading}</title></head><body><h1>${heading}</h1><p>${body}</p>${anchor}</body></html>\n`,
  );
}
