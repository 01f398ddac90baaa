export function tooOld(version: string, entry: string): string | undefined;
export function requireNode(entry: string): void;
