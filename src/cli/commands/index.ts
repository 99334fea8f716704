import type { Command } from '../command.ts';
import { configCheck, configGet, reload } from './config.ts';
import { deleteMessages, list, read, total } from './messages.ts';
import { at, modems, ussd } from './modems.ts';
import { passwd } from './passwd.ts';
import { call, listen } from './rpc.ts';
import { send } from './send.ts';
import { status } from './status.ts';

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  send,
  list,
  read,
  deleteMessages,
  total,
  status,
  modems,
  listen,
  ussd,
  at,
  call,
  reload,
  configCheck,
  configGet,
  passwd,
];
