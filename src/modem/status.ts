/** Where a modem session stands. Only `ready` sends and receives. */
export type ModemState =
  | 'opening'
  | 'probing'
  | 'no_sim'
  | 'pin_required'
  | 'pin_wrong'
  | 'puk_required'
  /** The SIM or the modem is busy: it is being set up, step by step. */
  | 'setting_up'
  | 'registering'
  | 'denied'
  | 'ready'
  | 'hung'
  | 'stopped';

export interface ModemStatus {
  readonly name: string;
  readonly state: ModemState;
  /** When it came to this state, ms since the epoch. */
  readonly since: number;
  readonly device: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly revision?: string;
  readonly imei?: string;
  readonly imsi?: string;
  readonly iccid?: string;
  readonly number?: string;
  readonly operator?: string;
  readonly registration?: 'home' | 'roaming' | 'searching' | 'denied' | 'none';
  /** Received signal in dBm; absent when unknown. */
  readonly signal?: number;
  /** Message storage of the SIM or modem. */
  readonly storage?: { readonly name: string; readonly used: number; readonly total: number };
  readonly sent: number;
  readonly received: number;
  readonly errors: number;
  /** Times the port was opened since the session began, minus one. */
  readonly reopened: number;
  /** What is wrong now, a sentence. */
  readonly error?: string;
  /** The next step to bring back a modem that hangs or has no SIM, and seconds until then. */
  readonly recovery?: { readonly step: string; readonly in: number };
  /** What an operator should look at although the modem works, sentences. */
  readonly warning?: string;
}

export interface ModemEvents {
  'modem.state': ModemStatus;
  /** Once a call, with the caller's number where the network shows it. */
  'call.incoming': { readonly modem: string; readonly number?: string };
  /** The network sends a USSD text of its own accord. */
  'ussd.received': { readonly modem: string; readonly text: string };
}
