/** Longest reason, in characters: it stands in a line of the log and of `/healthz`. */
const maxReason = 500;

/** Why a pack is refused. The message is for the person who wrote it or who runs Alfred, and holds no secret. */
export class PackFault extends Error {
  override readonly name = 'PackFault';

  constructor(reason: string, options?: ErrorOptions) {
    super(reason.length > maxReason ? `${reason.slice(0, maxReason)}…` : reason, options);
  }
}
