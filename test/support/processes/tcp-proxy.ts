import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A network cable that can be cut: forwards TCP to `target` (host:port) while it is plugged in. */
export async function createTcpProxy(target: string) {
  const [host = '', port = ''] = target.split(/:(?=\d+$)/);
  const openSockets = new Set<Socket>();
  let plugged = true;
  const server = createServer((inbound) => {
    if (!plugged) return void inbound.destroy();
    const outbound = connect(Number(port), host);
    for (const [socket, other] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const) {
      openSockets.add(socket);
      socket.pipe(other);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        openSockets.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    plugged = false;
    for (const socket of openSockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    plug: () => {
      plugged = true;
    },
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
