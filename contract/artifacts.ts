import { z } from 'zod';

/** A file as a tool returns it. `mediaType`: one of `artifactMediaTypes`; any other is kept as bytes. */
export type NewArtifact = { name: string; mediaType: string; bytes: Uint8Array };

/** What tasks may keep. */
export const artifactLimits = { bytes: 20_000_000, perTask: 50, bytesPerTask: 100_000_000 } as const;

/** What a file is kept and handed out as when its media type is none of `artifactMediaTypes`. */
export const anyMediaType = 'application/octet-stream';

/** The media types that a file may have. No page and no script is among them. */
export const artifactMediaTypes = [
  'application/json',
  'application/pdf',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'application/zip',
  'image/jpeg',
  'image/png',
  'image/svg+xml',
  'text/csv',
  'text/markdown',
  'text/plain',
  anyMediaType,
] as const;

/** The fields that describe a file, in events too. */
export const artifactFields = {
  name: z.string().describe('A file name, without a folder. Two files may have the same'),
  mediaType: z.enum(artifactMediaTypes),
  bytes: z.int().nonnegative(),
  sha256: z.string().describe('SHA-256 of the content, in hex'),
};

export const Artifact = z.object({
  id: z.uuid(),
  taskId: z.uuid().describe('The task that made it: this one, or one below it'),
  ...artifactFields,
  createdAt: z.iso.datetime(),
});
export type Artifact = z.infer<typeof Artifact>;

export const ArtifactList = z.object({ artifacts: z.array(Artifact).describe('Oldest first') });
