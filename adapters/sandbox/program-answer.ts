/** What a process gets: a program, its inputs as JSON, and how long it may run, in milliseconds. */
export type ProgramJob = { code: string; inputs: string; timeMs: number };

export type MadeFile = { name: string; mediaType: string; bytes: Uint8Array };

/** What became of a program. `result`: JSON. */
export type ProgramAnswer = { printed: string } & ({ error: string } | { result: string; files: MadeFile[] });

/** What a process sends back. `broken`: the interpreter itself does not work. */
export type ProcessAnswer = ProgramAnswer | { broken: string };
