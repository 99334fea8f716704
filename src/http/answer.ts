import type { ServerResponse } from 'node:http';
import type { CgiAnswer } from '../modules/host/contract.ts';

export const refusal = (status: number, body = 'ERROR\n'): CgiAnswer => ({
  status,
  contentType: 'text/plain;charset=utf-8',
  body,
});

/** Sends the answer with the header fields that the shim adds, too. */
export function sendAnswer(response: ServerResponse, { status, contentType, body }: CgiAnswer): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  response.statusCode = status;
  response.setHeader('Content-Type', contentType);
  // Answers hold messages, and their URLs hold passwords.
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  if (status === 405) response.setHeader('Allow', 'GET, POST');
  // The rest of a body that was too long is not read.
  if (status === 413) response.setHeader('Connection', 'close');
  response.end(body);
}
