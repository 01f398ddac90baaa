import { anyMediaType, artifactLimits, artifactMediaTypes, type Artifact, type NewArtifact } from '../artifacts.ts';
import { artifactName } from './artifact-name.ts';

/** What a task has already. */
type Kept = { files: number; bytes: number };

export type CheckedArtifact = Omit<NewArtifact, 'mediaType'> & { mediaType: Artifact['mediaType'] };

/** The media type that a file is kept and handed out with. Parameters like `charset` are dropped. */
export function artifactMediaType(mediaType: string): Artifact['mediaType'] {
  const plain = mediaType.split(';')[0]?.trim().toLowerCase();
  return artifactMediaTypes.find((one) => one === plain) ?? anyMediaType;
}

/** A file as it is stored, if there is room for it. */
export const checkedArtifact = ({ name, mediaType, bytes }: NewArtifact): CheckedArtifact => ({
  name: artifactName(name),
  mediaType: artifactMediaType(mediaType),
  bytes,
});

/**
 * Parts the files of a tool call into those that the task can keep, and those for which there is no room.
 *
 * @returns `refused`: a sentence for each, for the model
 */
export function fitArtifacts(
  artifacts: readonly CheckedArtifact[],
  { files, bytes }: Kept,
): { kept: CheckedArtifact[]; refused: string[] } {
  const kept: CheckedArtifact[] = [];
  const refused: string[] = [];
  let total = bytes;
  for (const artifact of artifacts) {
    const { name } = artifact;
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
      kept.push(artifact);
      total += size;
    }
  }
  return { kept, refused };
}

const inMb = (bytes: number) => `${(bytes / 1_000_000).toFixed(1)} MB`;
