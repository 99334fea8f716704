/** What `doctor` says of one thing. */
export interface Finding {
  /** What was looked at: `modem gsm0`, `storage`. */
  readonly area: string;
  readonly level: 'ok' | 'warning' | 'failed';
  /** What is the case; no secret. */
  readonly text: string;
  /** What to do about it. */
  readonly advice?: string;
}

export const ok = (area: string, text: string): Finding => ({ area, level: 'ok', text });

export const warning = (area: string, text: string, advice?: string): Finding => ({
  ...{ area, level: 'warning', text },
  ...(advice !== undefined && { advice }),
});

export const failed = (area: string, text: string, advice?: string): Finding => ({
  ...{ area, level: 'failed', text },
  ...(advice !== undefined && { advice }),
});

/** What is wrong with a section stands among the faults of the config, above. */
export const modemMissing = failed(
  'modem',
  'none is configured, or its section has a fault: nothing is sent or received',
  'add a section modem with its device, or mend what the config has wrong',
);
