import type { Arguments } from '../at/command.ts';
import { type CommandFamily, type Lines, ok } from '../at/command.ts';
import { badArgument, cms } from '../at/failure.ts';
import type { ModemCore } from '../core.ts';
import type { MessageMemory, MessageState, StoredMessage } from '../message-memory.ts';
import { deliverForm, reportLine, stateName, stateNames, submitForm } from '../text-mode.ts';
import { pduInfo } from '../tpdus.ts';
import { typedMessage } from './sending.ts';

const INVALID_INDEX = 321;
const MEMORY_FULL = 322;
const ALL = 4;

const readMemory = ({ settings, memories }: ModemCore): MessageMemory => memories[settings.memories[0]];

/** The lines of one message for +CMGR, or +CMGL when there is an index. TS 27.005 3.4.2, 3.4.3, 4.1, 4.2. */
function show(modem: ModemCore, { state, pdu }: StoredMessage, index?: number): Lines {
  const { settings, deviations } = modem;
  const info = pduInfo(pdu, state < 2 ? 'to-mobile' : 'to-network');
  const { tpdu, hex, length } = info;
  const name = index === undefined ? '+CMGR' : '+CMGL';
  const place = index === undefined ? '' : `${index},`;
  const front = `${name}: ${place}${stateName(state)}`;
  if (settings.textMode && tpdu?.type === 'status-report') return [`${front},${reportLine(settings, info, tpdu)}`];
  if (settings.textMode && (tpdu?.type === 'deliver' || tpdu?.type === 'submit')) {
    const form = tpdu.type === 'deliver' ? deliverForm(settings, info, tpdu) : submitForm(settings, info, tpdu);
    const details = index === undefined ? form.details : form.listDetails;
    return [`${front},${form.head}${settings.showHeader ? details : ''}`, form.data];
  }
  return [`${name}: ${place}${state},${deviations.noAlphaField ? '' : ','}${length}`, hex];
}

function wantedState(modem: ModemCore, args: Arguments): number {
  if (!modem.settings.textMode) return args.atMost(1).integer(0, 0, ALL);
  const state = stateNames.indexOf(args.atMost(1).string(0).toUpperCase());
  if (state < 0) throw badArgument();
  return state;
}

function list(modem: ModemCore, wanted: number): Lines {
  if (modem.noListing === 0) return ok;
  if (modem.noListing !== undefined) throw cms(modem.noListing);
  const lines: string[] = [];
  for (const [index, message] of readMemory(modem).entries()) {
    if (wanted !== ALL && message.state !== wanted) continue;
    lines.push(...show(modem, message, index));
    markRead(message);
  }
  return lines;
}

function markRead(message: StoredMessage): void {
  if (message.state === 0) message.state = 1;
}

/** +CMGD <delflag>: which states it deletes besides the index. */
const deleteFlags: readonly (readonly MessageState[])[] = [[], [1], [1, 3], [1, 2, 3], [0, 1, 2, 3]];

function remove(modem: ModemCore, index: number, flag: number): void {
  const memory = readMemory(modem);
  if (flag === 0) {
    if (!memory.inRange(index)) throw cms(INVALID_INDEX);
    if (!memory.delete(index) && modem.deviations.deleteEmptyFails) throw cms(INVALID_INDEX);
  } else {
    const states = deleteFlags[flag] ?? [];
    for (const [at, { state }] of [...memory.entries()]) if (states.includes(state)) memory.delete(at);
  }
  // There is room: the network hears of it (SMMA) and brings what it kept, which takes longer than the OK.
  modem.timers.after(0, () => modem.network.wake());
}

/** The message storages. */
export const messageStorageCommands: CommandFamily = {
  '+CMGL': {
    errors: 'cms',
    sim: true,
    test: ({ settings }) => [
      settings.textMode ? `+CMGL: (${stateNames.map((name) => `"${name}"`).join(',')})` : '+CMGL: (0-4)',
    ],
    execute: (modem) => list(modem, 0),
    set: (modem, args) => list(modem, wantedState(modem, args)),
  },
  '+CMGR': {
    errors: 'cms',
    sim: true,
    set: (modem, args) => {
      const message = readMemory(modem).get(args.atMost(1).integer(0, 0, 65_535));
      if (message === undefined) throw cms(INVALID_INDEX);
      const lines = show(modem, message);
      markRead(message);
      return lines;
    },
  },
  '+CMGD': {
    errors: 'cms',
    sim: true,
    test: (modem) => [`+CMGD: (${[...readMemory(modem).entries()].map(([index]) => index).join(',')}),(0-4)`],
    set: (modem, args) => {
      remove(modem, args.atMost(2).integer(0, 0, 65_535), args.integer(1, 0, 4, 0));
      return ok;
    },
  },
  '+CMGW': {
    errors: 'cms',
    sim: true,
    execute: (modem, io) => write(modem, undefined, io),
    set: (modem, args, io) => write(modem, args, io),
  },
};

async function write(
  modem: ModemCore,
  args: Arguments | undefined,
  io: Parameters<typeof typedMessage>[2],
): Promise<Lines> {
  const state = writeState(modem, args);
  const typed = await typedMessage(modem, args, io, state < 2 ? 'to-mobile' : 'to-network');
  if (typed === undefined) return ok;
  const index = modem.memories[modem.settings.memories[1]].add({ state, pdu: typed });
  if (index === undefined) throw cms(MEMORY_FULL);
  return [`+CMGW: ${index}`];
}

function writeState({ settings }: ModemCore, args: Arguments | undefined): MessageState {
  if (args === undefined) return 2;
  if (!settings.textMode) return toState(args.integer(1, 0, 3, 2));
  const name = args.string(2, 'STO UNSENT').toUpperCase();
  // Only a SMS-SUBMIT can be typed as text.
  if (name !== 'STO UNSENT' && name !== 'STO SENT') throw badArgument();
  return name === 'STO SENT' ? 3 : 2;
}

const toState = (value: number): MessageState => ([0, 1, 2, 3] as const).find((state) => state === value) ?? 2;
