import { anyMediaType, artifactLimits, artifactMediaTypes, type Artifact, type NewArtifact } from '../artifacts.ts';

/** What a task has already. */
type Kept = { files: number; bytes: number };

export type CheckedArtifact = Omit<NewArtifact, 'mediaType'> & { mediaType: Artifact['mediaType'] };

const maxNameLength = 150;

/** Characters that a file's name cannot have everywhere, that turn the direction of text, or that are not seen. */
const oddCharacters = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\\/:*?"<>|]+/gu;

/** Names that Windows keeps for devices. */
const deviceName = /^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;

/** A name that a file can have on every system: no folder, not hidden, nothing that cannot be seen. */
export function artifactName(name: string): string {
  const clean = name
    .toWellFormed()
    .replace(oddCharacters, '_')
    .trim()
    .replace(/^\.+|[. ]+$/g, '')
    .replace(deviceName, '_$1');
  const whole = Array.from(clean);
  if (whole.length <= maxNameLength) return clean === '' ? 'file' : clean;
  const [extension = ''] = /\.[^.]{1,10}$/.exec(clean) ?? [];
  return whole.slice(0, maxNameLength - Array.from(extension).length).join('') + extension;
}

/** The media type that a file is kept and handed out with. Parameters like `charset` are dropped. */
export function artifactMediaType(mediaType: string): Artifact['mediaType'] {
  const plain = mediaType.split(';')[0]?.trim().toLowerCase();
  return artifactMediaTypes.find((one) => one === plain) ?? anyMediaType;
}

/**
 * Parts the files of a tool call into those that the task can keep, and those for which there is no room.
 *
 * @returns `refused`: a sentence for each, for the model
 */
export function fitArtifacts(
  artifacts: readonly NewArtifact[],
  { files, bytes }: Kept,
): { kept: CheckedArtifact[]; refused: string[] } {
  const kept: CheckedArtifact[] = [];
  const refused: string[] = [];
  let total = bytes;
  for (const artifact of artifacts) {
    const name = artifactName(artifact.name);
    const size = artifact.bytes.byteLength;
    if (size > artifactLimits.bytes)
      refused.push(`${name} has ${inMb(size)}; a file may have ${inMb(artifactLimits.bytes)}.`);
    else if (files + kept.length >= artifactLimits.perTask)
      refused.push(`${name}: the task has ${artifactLimits.perTask} files already, and may not have more.`);
    else if (total + size > artifactLimits.bytesPerTask)
      refused.push(
        `${name} has ${inMb(size)}: the files of a task may have ${inMb(artifactLimits.bytesPerTask)} together.`,
      );
    else {
      kept.push({ name, mediaType: artifactMediaType(artifact.mediaType), bytes: artifact.bytes });
      total += size;
    }
  }
  return { kept, refused };
}

const inMb = (bytes: number) => `${(bytes / 1_000_000).toFixed(1)} MB`;
