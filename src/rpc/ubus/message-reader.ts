import { decodeMessage, MESSAGE_START, messageLength, type UbusMessage } from './message.ts';

/** Cuts a byte stream into messages, however it comes in chunks. */
export class MessageReader {
  readonly #start = Buffer.alloc(MESSAGE_START);
  /** What is being filled: the start of a message, then the whole of it. */
  #target = this.#start;
  #filled = 0;

  /** The messages that this chunk ends. Throws GatewayError parse_error, after which the stream cannot be followed. */
  *read(chunk: Buffer): Generator<UbusMessage> {
    for (let at = 0; at < chunk.length; ) {
      const copied = chunk.copy(this.#target, this.#filled, at);
      at += copied;
      this.#filled += copied;
      if (this.#filled < this.#target.length) return;
      if (this.#target === this.#start) this.#grow();
      if (this.#filled < this.#target.length) continue;
      const message = decodeMessage(this.#target);
      this.#target = this.#start;
      this.#filled = 0;
      yield message;
    }
  }

  /** Decoded messages keep pointing into their octets: each gets its own. */
  #grow(): void {
    this.#target = Buffer.alloc(messageLength(this.#start));
    this.#start.copy(this.#target);
  }
}
