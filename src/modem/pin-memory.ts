/** Remembers which PIN was tried on which modem, so that a wrong one is never tried twice. */
export interface PinMemory {
  /** Whether this PIN was tried on this modem and not accepted. */
  tried(modem: string, pin: string): Promise<boolean>;
  /** Notes a try, before it is made; resolves when the note is durable. */
  note(modem: string, pin: string): Promise<void>;
  /** The PIN was accepted. */
  clear(modem: string): Promise<void>;
}
