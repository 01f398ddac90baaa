/** What a thread gets: a program, its inputs as JSON, and how long it may run, in milliseconds. */
export type ProgramJob = { code: string; inputs: string; timeMs: number };

export type MadeFile = { name: string; mediaType: string; bytes: Uint8Array };

/** What a thread sends back. `result`: JSON. */
export type ThreadAnswer = { printed: string } & ({ error: string } | { result: string; files: MadeFile[] });
