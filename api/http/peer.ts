import { isDirectFrom, loopback, type PeerRequest } from '../../runtime/peer.ts';
import { isKnownHost } from './guard.ts';

/** Whether a program on this machine sends a request: the connection says so, and not its `Host`. */
export const isFromThisMachine = (request: PeerRequest): boolean =>
  isDirectFrom(request, [loopback]) && isKnownHost(request.headers.host, []);
