import { connect } from 'node:net';

/** Sends a request byte for byte; fetch would correct it. */
export const sendRaw = (url: string, text: string) =>
  new Promise<{ status: number; headers: Headers; body: string }>((resolve, reject) => {
    const { port, hostname } = new URL(url);
    const socket = connect(Number(port), hostname, () => socket.write(text));
    let answer = '';
    socket
      .setEncoding('utf8')
      .on('data', (chunk: string) => (answer += chunk))
      .on('error', reject);
    socket.on('close', () => {
      const [head = '', ...rest] = answer.split('\r\n\r\n');
      const [line = '', ...lines] = head.split('\r\n');
      resolve({
        status: Number(line.split(' ')[1]),
        headers: new Headers(lines.map((one) => one.split(': ') as [string, string])),
        body: rest.join('\r\n\r\n'),
      });
    });
  });
