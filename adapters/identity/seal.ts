import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

const nonceBytes = 12;
const tagBytes = 16;

export type Seal = ReturnType<typeof createSeal>;

/**
 * Encrypts text with AES-256-GCM, so that it can be neither read nor changed without a key.
 *
 * @param readKeys called with the first text; the first one encrypts, and all decrypt: a new key goes first, and those
 *   of before stay for a while
 * @param purpose gives each use a key of its own
 */
export function createSeal(readKeys: () => readonly string[], purpose: string) {
  let known: Buffer[] | undefined;
  const derived = () =>
    (known ??= readKeys().map((key) => Buffer.from(hkdfSync('sha256', key, '', `alfred ${purpose}`, 32))));
  return {
    /** Names the keys, the first one first, and gives nothing of them away. */
    keyIds: (): string[] => derived().map((key) => createHash('sha256').update(key).digest('hex').slice(0, 8)),
    /** @param context what belongs to it, like the id of its row: elsewhere the sealed text does not open */
    seal(text: string, context = ''): Buffer {
      const [current] = derived();
      if (!current) throw new Error('There is no key to seal with.');
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', current, nonce).setAAD(Buffer.from(context));
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
    },
    /** @returns undefined when no key opens it: it was changed, or sealed by a key that is gone */
    open(sealed: Buffer, context = ''): string | undefined {
      if (sealed.length < nonceBytes + tagBytes) return undefined;
      for (const key of derived()) {
        const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), {
          authTagLength: tagBytes,
        })
          .setAAD(Buffer.from(context))
          .setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
        try {
          const text = Buffer.concat([decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()]);
          return text.toString('utf8');
        } catch {
          // Another key may open it.
        }
      }
      return undefined;
    },
  };
}

/** An id that cannot be guessed, for a cookie. */
export const newSessionId = () => randomBytes(32).toString('base64url');

/** What the database keeps of an id: a person who reads the table cannot sign in with it. */
/** Whether a text can be the id of a session. */
export const isSessionId = (text: string): boolean => /^[\w-]{43}$/.test(text);

export const hashSessionId = (id: string) => createHash('sha256').update(id).digest();
