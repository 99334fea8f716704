import { Duplex } from 'node:stream';
import fc from 'fast-check';
import type { Clock } from '../../../src/base/clock.ts';
import { createLogger, type Logger } from '../../../src/base/log.ts';
import { type ModemPort, streamPort } from '../../../src/modem/port/port.ts';

/** The other end of a port, played by a test: it hears what is written and says what it likes. */
export class Peer {
  readonly port: ModemPort;
  readonly written: string[] = [];
  /** What it says to each write; nothing when absent. */
  reply: (text: string) => string | undefined = () => undefined;
  readonly #stream: Duplex;

  constructor(clock: Clock) {
    this.#stream = new Duplex({
      read() {},
      write: (chunk: Buffer, _encoding, done) => {
        const text = chunk.toString('latin1');
        this.written.push(text);
        done();
        const answer = this.reply(text);
        if (answer !== undefined) this.say(answer);
      },
    });
    this.port = streamPort(this.#stream, 'peer', clock);
  }

  /** In the chunks given, an octet a character. */
  say(...chunks: readonly string[]): void {
    for (const chunk of chunks) this.#stream.push(Buffer.from(chunk, 'latin1'));
  }

  /** The port disappears. */
  vanish(): void {
    this.#stream.destroy();
  }
}

export const silentLog: Logger = createLogger({ level: 'error', write() {} });

/** A log that keeps its lines. */
export function recordingLog(level: 'debug' | 'info' = 'info'): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  return { log: createLogger({ level, write: (line) => void lines.push(line.trim()) }), lines };
}

/** Cuts a text at random places. */
export const cuts = (text: string) =>
  fc
    .array(fc.integer({ min: 0, max: text.length }), { maxLength: text.length })
    .map((places) => [0, ...places.sort((a, b) => a - b), text.length])
    .map((places) => places.slice(1).map((end, i) => text.slice(places[i], end)));
