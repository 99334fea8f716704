import type { IncomingMessage } from 'node:http';

/** Octets of a body that is too long which are still read: a client that is still sending reads no answer. */
const DRAIN = 1_048_576;

/** The request's body, or undefined when it is longer than `limit` octets. Rejects when the client breaks off. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit + DRAIN) break;
    if (length <= limit) chunks.push(chunk);
  }
  return length > limit ? undefined : Buffer.concat(chunks);
}
