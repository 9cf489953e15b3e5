/** A minimal RTSP server: one MPEG-TS stream over RTP (RFC 2250), interleaved (RFC 7826, 14). */

import { createServer, type Server, type Socket } from 'node:net';

const packetBytes = 7 * 188;

/** Serves these MPEG-TS bytes to every client, so many packets every 20 ms, then closes the connection. */
export function rtspServer(transportStream: Buffer, packetsPerTick: number): Promise<{ url: string; server: Server }> {
  const server = createServer((socket) => serve(socket, transportStream, packetsPerTick));
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({ server, url: `rtsp://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/live` });
    });
  });
}

function serve(socket: Socket, stream: Buffer, packetsPerTick: number): void {
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
    for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
      const request = text.slice(0, end);
      text = text.slice(end + 4);
      answer(socket, request, stream, packetsPerTick);
    }
  });
}

const description = ['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=test', 't=0 0', 'm=video 0 RTP/AVP 33', 'a=control:track', ''].join(
  '\r\n',
);

function answer(socket: Socket, request: string, stream: Buffer, packetsPerTick: number): void {
  const [method = ''] = request.split(' ');
  const sequence = /CSeq: *(\d+)/i.exec(request)?.[1] ?? '0';
  const reply = (headers: readonly string[], body = '') =>
    socket.write(['RTSP/1.0 200 OK', `CSeq: ${sequence}`, ...headers, '', body].join('\r\n'));
  if (method === 'OPTIONS') reply(['Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN']);
  else if (method === 'DESCRIBE') reply(['Content-Type: application/sdp', `Content-Length: ${description.length}`], description);
  else if (method === 'SETUP') reply(['Transport: RTP/AVP/TCP;unicast;interleaved=0-1', 'Session: 1']);
  else if (method === 'PLAY') {
    reply(['Session: 1']);
    play(socket, stream, packetsPerTick);
  } else reply(['Session: 1']);
}

function play(socket: Socket, stream: Buffer, packetsPerTick: number): void {
  let packet = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < packetsPerTick; i++) {
      const payload = stream.subarray(packet * packetBytes, (packet + 1) * packetBytes);
      if (payload.length === 0 || socket.destroyed) {
        clearInterval(timer);
        socket.end();
        return;
      }
      socket.write(interleaved(payload, packet++));
    }
  }, 20);
}

function interleaved(payload: Buffer, number: number): Buffer {
  const header = Buffer.alloc(16);
  header.write('$', 0);
  header.writeUInt8(0, 1);
  header.writeUInt16BE(payload.length + 12, 2);
  header.writeUInt8(0x80, 4); // RTP version 2
  header.writeUInt8(33, 5); // MP2T
  header.writeUInt16BE(number & 0xffff, 6);
  header.writeUInt32BE((number * 900) >>> 0, 8);
  header.writeUInt32BE(7, 12);
  return Buffer.concat([header, payload]);
}
