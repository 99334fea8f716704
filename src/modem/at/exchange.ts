import type { AtError } from './at-error.ts';

/** What is under way on the line to the modem: at most one at a time. The channel feeds it. */
export interface Exchange {
  /** What the modem may send back as an echo. */
  readonly echo: string;
  /** Information name that only this exchange's answer can have now. */
  readonly expected: string | undefined;
  /** Whether the modem has said its last word on it. */
  readonly complete: boolean;
  /** A line that is no unsolicited code; false when it does not belong here. */
  line(text: string): boolean;
  prompt(): void;
  /** Ends it from outside: port gone, modem restarted, caller gave up. */
  end(error: AtError): void;
}
