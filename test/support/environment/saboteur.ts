import pg from 'pg';

/** Makes trouble in the database at `url`, from a connection of its own that the trouble does not touch. */
export async function openSaboteur(url: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const name = new URL(url).pathname.slice(1);
  const terminateOthers = async () => {
    await client.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()',
      [name],
    );
  };
  return {
    terminateOthers,
    /** Lets all sessions but this one only read, as a server does that is no longer the primary. */
    async makeReadOnly() {
      await client.query(`alter database ${name} set default_transaction_read_only = on`);
      await terminateOthers();
    },
    makeWritable: () => client.query(`alter database ${name} reset default_transaction_read_only`),
    query: (statement: string) => client.query(statement),
    close: () => client.end(),
  };
}
export type Saboteur = Awaited<ReturnType<typeof openSaboteur>>;
