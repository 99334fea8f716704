import { Mutex } from '../base/mutex.ts';
import { decodeDcs } from '../sms/index.ts';
import type { MessageMemory } from './message-memory.ts';
import type { Reception } from './network.ts';
import type { Deviations, Latency } from './options.ts';
import type { Settings, StorageName } from './settings.ts';
import { deliverForm, reportLine } from './text-mode.ts';
import type { Timers } from './timers.ts';
import { pduInfo } from './tpdus.ts';

/** Indications kept while +CNMI <mode> is 0; the oldest goes first. */
const MAX_BUFFERED = 50;

/** What a receiver needs of its modem. */
export interface ReceiverModem {
  settings: Settings;
  readonly memories: Readonly<Record<StorageName, MessageMemory>>;
  readonly deviations: Deviations;
  readonly latency: Latency;
  readonly timers: Timers;
  /** Messages are announced and lost. */
  readonly storesNowhere: boolean;
  /** Sends an unsolicited result code. */
  report(code: string): void;
}

/** Brings what the network delivers to the storages or straight to the host, as +CNMI says. TS 27.005 3.4.1. */
export class Receiver {
  readonly #modem: ReceiverModem;
  #buffered: string[] = [];
  #acknowledged: ((positive: boolean) => void) | undefined;
  /** At most one message waits for its +CNMA. */
  readonly #direct = new Mutex();

  constructor(modem: ReceiverModem) {
    this.#modem = modem;
  }

  async receiveMessage(pdu: Uint8Array): Promise<Reception> {
    const { mode, mt } = this.#modem.settings.indications;
    const { tpdu } = pduInfo(pdu, 'to-mobile');
    const coding = tpdu?.type === 'deliver' ? decodeDcs(tpdu.dcs) : undefined;
    const messageClass = coding?.messageClass;
    // Class 2 belongs on the SIM, and a waiting indication to be kept in a storage, whatever <mt> says.
    const mustStore = messageClass === 2 || coding?.waiting?.store === true;
    const direct = mode !== 0 && !mustStore && (mt === 2 || (mt === 3 && messageClass === 3));
    if (direct) return this.#route(this.#messageCode(pdu));
    return this.#store(pdu, messageClass === 2 ? 'SM' : this.#modem.settings.memories[2]);
  }

  async receiveReport(pdu: Uint8Array): Promise<Reception> {
    const { mode, ds } = this.#modem.settings.indications;
    if (ds === 0) return 'taken';
    if (ds === 1 && mode !== 0) return this.#route(this.#reportCode(pdu));
    const index = this.#modem.memories.SR.add({ state: 0, pdu });
    if (index === undefined) return 'full';
    const named = this.#modem.deviations.reportIndicationNamesSim ? 'SM' : 'SR';
    if (ds === 2) this.#indicate(`+CDSI: "${named}",${index}`);
    return 'taken';
  }

  /** +CNMA. False when none is waited for. */
  acknowledge(positive: boolean): boolean {
    if (this.#acknowledged === undefined) return false;
    this.#acknowledged(positive);
    return true;
  }

  /** +CNMI took effect: what was buffered comes out, or is dropped with <bfr> 1. */
  indicationsChanged(): void {
    if (this.#modem.settings.indications.mode === 0) return;
    const buffered = this.#buffered;
    this.#buffered = [];
    if (this.#modem.settings.indications.bfr === 1) return;
    for (const code of buffered) this.#modem.report(code);
  }

  /** Power is gone: no acknowledgement comes any more. */
  reset(): void {
    this.#buffered = [];
    this.#acknowledged?.(false);
  }

  #store(pdu: Uint8Array, name: StorageName): Reception {
    if (this.#modem.storesNowhere) {
      this.#indicate(`+CMTI: "${name}",-1`);
      return 'taken';
    }
    const index = this.#modem.memories[name].add({ state: 0, pdu });
    if (index === undefined) {
      if (this.#modem.deviations.memoryFullIndication) this.#modem.report(`^SMMEMFULL: "${name}"`);
      return 'full';
    }
    if (this.#modem.settings.indications.mt !== 0) this.#indicate(`+CMTI: "${name}",${index}`);
    return 'taken';
  }

  #indicate(code: string): void {
    if (this.#modem.settings.indications.mode !== 0) this.#modem.report(code);
    else this.#buffered.push(code);
    if (this.#buffered.length > MAX_BUFFERED) this.#buffered.shift();
  }

  #route(code: string): Promise<Reception> {
    return this.#direct.run(() => this.#routeNow(code));
  }

  async #routeNow(code: string): Promise<Reception> {
    this.#modem.report(code);
    if (this.#modem.settings.service === 0) return 'taken';
    const positive = await new Promise<boolean>((resolve) => {
      const cancel = this.#modem.timers.after(this.#modem.latency.acknowledge, () => {
        // TS 27.005 3.4.4: no acknowledgement in time switches routing off.
        const { indications } = this.#modem.settings;
        this.#modem.settings.indications = { ...indications, mt: 0, ds: 0 };
        this.#acknowledged?.(false);
      });
      this.#acknowledged = (answer) => {
        cancel();
        this.#acknowledged = undefined;
        resolve(answer);
      };
    });
    return positive ? 'taken' : 'refused';
  }

  #messageCode(pdu: Uint8Array): string {
    const { settings } = this.#modem;
    const info = pduInfo(pdu, 'to-mobile');
    if (!settings.textMode || info.tpdu?.type !== 'deliver') return `+CMT: ,${info.length}\r\n${info.hex}`;
    const { head, details, data } = deliverForm(settings, info, info.tpdu);
    return `+CMT: ${head}${settings.showHeader ? details : ''}\r\n${data}`;
  }

  #reportCode(pdu: Uint8Array): string {
    const { settings } = this.#modem;
    const info = pduInfo(pdu, 'to-mobile');
    if (!settings.textMode || info.tpdu?.type !== 'status-report') return `+CDS: ${info.length}\r\n${info.hex}`;
    return `+CDS: ${reportLine(settings, info, info.tpdu)}`;
  }
}
