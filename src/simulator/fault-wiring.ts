import type { ModemCore } from './core.ts';
import type { SerialLine } from './serial-line.ts';
import { freshSettings } from './settings.ts';

/** Silence on both sides of the escape out of data mode, ms. */
const ESCAPE_GUARD = 1_000;

/** Connects the fault switches with the parts that they act on. */
export function wireFaults(modem: ModemCore, line: SerialLine, onPlugged: () => void): void {
  const { faults, timers } = modem;
  let cancelPlug = () => {};
  let cancelSilence = () => {};
  let cancelFlood = () => {};

  const plug = () => {
    cancelPlug();
    if (line.plugged) return;
    line.plug();
    onPlugged();
  };
  faults.onSwitch(
    'port_gone',
    ({ ms, reset }) => {
      line.unplug();
      if (reset) modem.reboot(0);
      cancelPlug = timers.after(ms, plug);
    },
    plug,
  );

  faults.onSwitch(
    'reboot',
    ({ ms }) => modem.reboot(ms),
    () => {},
  );

  faults.onSwitch(
    'refuse_all',
    ({ cause }) => {
      modem.refusing = cause;
    },
    () => {
      modem.refusing = undefined;
    },
  );

  faults.onSwitch(
    'settings_lost',
    ({ text_mode, echo }) => {
      modem.settings = { ...freshSettings(), textMode: text_mode, echo };
    },
    () => {},
  );

  let cancelBusy = () => {};
  const rested = () => {
    cancelBusy();
    modem.busy = undefined;
  };
  faults.onSwitch(
    'busy',
    ({ cause, ms }) => {
      modem.busy = cause;
      cancelBusy = timers.after(ms, rested);
    },
    rested,
  );

  faults.onSwitch(
    'no_listing',
    ({ cause }) => {
      modem.noListing = cause;
    },
    () => {
      modem.noListing = undefined;
    },
  );
  faults.onSwitch(
    'sim_failed',
    ({ cause }) => {
      modem.simFailed = cause;
    },
    () => {
      modem.simFailed = undefined;
    },
  );
  faults.onSwitch(
    'radio_off',
    ({ level }) => modem.radio.setFunctionality(level),
    () => modem.radio.setFunctionality(1),
  );
  faults.onSwitch(
    'stores_nowhere',
    () => {
      modem.storesNowhere = true;
    },
    () => {
      modem.storesNowhere = false;
    },
  );

  let cancelGuard = () => {};
  const commandMode = () => {
    cancelGuard();
    line.divert(undefined);
  };
  faults.onSwitch(
    'data_mode',
    () => {
      let last = Number.NEGATIVE_INFINITY;
      line.divert((octets) => {
        cancelGuard();
        const now = modem.clock.monotonic();
        const escaped = octets === '+++' && now - last >= ESCAPE_GUARD;
        last = now;
        if (!escaped) return;
        cancelGuard = timers.after(ESCAPE_GUARD, () => {
          commandMode();
          line.write('\r\nOK\r\n');
        });
      });
    },
    commandMode,
  );

  faults.onSwitch(
    'mute',
    () => {
      modem.mute = true;
    },
    () => {
      modem.mute = false;
    },
  );

  const speak = () => {
    cancelSilence();
    line.setSilent(false);
  };
  faults.onSwitch(
    'silent',
    ({ ms }) => {
      line.setSilent(true);
      cancelSilence = timers.after(ms, speak);
    },
    speak,
  );

  faults.onSwitch(
    'urc_flood',
    ({ text, interval, count }) => {
      const next = (left: number) => {
        if (left === 0) return;
        modem.report(text);
        cancelFlood = timers.after(interval, () => next(left - 1));
      };
      next(count);
    },
    () => cancelFlood(),
  );

  faults.onSwitch(
    'memory_full',
    () => {
      for (const memory of Object.values(modem.memories)) memory.limit();
    },
    () => {
      for (const memory of Object.values(modem.memories)) memory.unlimit();
      modem.network.wake();
    },
  );

  faults.onSwitch(
    'slow_bytes',
    ({ ms }) => line.setPace(ms),
    () => line.setPace(undefined),
  );
  faults.onSwitch(
    'garbage',
    ({ hex }) => line.write(Buffer.from(hex, 'hex').toString('latin1')),
    () => {},
  );
}
