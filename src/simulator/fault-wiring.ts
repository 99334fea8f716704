import type { ModemCore } from './core.ts';
import type { SerialLine } from './serial-line.ts';
import { freshSettings } from './settings.ts';

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
