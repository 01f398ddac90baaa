import type { FastifyRequest } from 'fastify';
import { countedAddress } from '../../runtime/counted-address.ts';

/** The address whose requests are counted together. */
export const addressOf = ({ ip, raw }: Pick<FastifyRequest, 'ip' | 'raw'>): string =>
  countedAddress(ip, raw.socket.remoteAddress ?? '');
