import type { Command } from '../command.ts';
import { at } from './at.ts';
import { call } from './call.ts';
import { configCheck } from './config-check.ts';
import { deleteMessages } from './delete.ts';
import { list } from './list.ts';
import { listen } from './listen.ts';
import { modems } from './modems.ts';
import { read } from './read.ts';
import { reload } from './reload.ts';
import { send } from './send.ts';
import { status } from './status.ts';
import { total } from './total.ts';
import { ussd } from './ussd.ts';

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
];
