/** Takes the place of agents/packs/resolve-surface.ts in Jest, whose own resolver finds `alfred/agent`. */
export function resolveSurfaceFor(): void {}
