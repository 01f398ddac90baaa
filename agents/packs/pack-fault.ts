/** Why a pack is refused. The message is for the person who wrote it or who runs Alfred, and holds no secret. */
export class PackFault extends Error {
  override readonly name = 'PackFault';
}
