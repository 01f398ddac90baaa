import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';

const style =
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:10vh auto;padding:0 1rem;color:#111;background:#fff}' +
  'button,a.button{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:.4rem;background:#14524b;color:#fff;text-decoration:none}' +
  'strong{overflow-wrap:anywhere}code{font-size:1.6rem}';
const styleHash = createHash('sha256').update(style).digest('base64');

/** No script, nothing of another site, no frame around it, and its form leads to this address alone. */
const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`;

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const escapeHtml = (text: string) => text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? '');

class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** HTML in which every value that is put in is text. */
export function page(parts: TemplateStringsArray, ...values: (string | Html)[]): Html {
  const text = (value: string | Html) => (value instanceof Html ? value.text : escapeHtml(value));
  return new Html(parts.reduce((all, part, i) => all + text(values[i - 1] ?? '') + part));
}

/** Sends a page for a person in a browser. @param head further lines of the head */
export function sendPage(reply: FastifyReply, status: number, { title, body, head }: Page): FastifyReply {
  return reply
    .code(status)
    .headers({ 'content-security-policy': policy, 'x-frame-options': 'DENY', 'cache-control': 'no-store' })
    .type('text/html; charset=utf-8')
    .send(
      page`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${new Html(style)}</style>${head ?? ''}</head><body><h1>${title}</h1>${body}</body></html>`
        .text,
    );
}
type Page = { title: string; body: Html; head?: Html };
