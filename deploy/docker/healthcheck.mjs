// Exits with code 0 when the role in this container is ready, by its API or its health server.
const ports = process.argv.length > 2 ? process.argv.slice(2) : ['8080', '9464'];

const answers = await Promise.allSettled(
  ports.map((port) => fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(4_000) })),
);
const isReady = answers.some(({ status, value }) => status === 'fulfilled' && value.ok);
if (!isReady) console.error(`not ready at ${ports.map((port) => `127.0.0.1:${port}/healthz`).join(', ')}`);
process.exit(isReady ? 0 : 1);
