import { AlfredError } from '../../contract/errors.ts';

type Range = { type: string; subtype: string; q: number };

/**
 * The first of `offered` that the Accept header likes best (RFC 9110, 12.5.1); the most specific range decides.
 *
 * @throws AlfredError `not_acceptable` when it likes none
 */
export function negotiate<T extends string>(accept: string | undefined, offered: readonly [T, ...T[]]): T {
  if (accept === undefined || accept.trim() === '') return offered[0];
  const ranges = accept.split(',').map(rangeOf);
  let best: { media: T; q: number } | undefined;
  for (const media of offered) {
    const q = qualityOf(media, ranges);
    if (q > (best?.q ?? 0)) best = { media, q };
  }
  if (best) return best.media;
  throw new AlfredError('not_acceptable', `This address answers ${offered.join(' or ')}; Accept is "${accept}".`);
}

function rangeOf(text: string): Range {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const [type = '', subtype = ''] = range.split('/');
  const q = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
  return { type, subtype, q: Number.isFinite(q) ? q : 1 };
}

function qualityOf(media: string, ranges: Range[]): number {
  const [type, subtype] = media.split('/');
  const exact = ranges.find((range) => range.type === type && range.subtype === subtype);
  const family = ranges.find((range) => range.type === type && range.subtype === '*');
  const any = ranges.find((range) => range.type === '*' && range.subtype === '*');
  return (exact ?? family ?? any)?.q ?? 0;
}
