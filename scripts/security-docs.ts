/** Writes the table of limits into docs/security.md, from src/access/budgets.ts. The text around it is written by hand. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Budget, type BudgetGroup, budgets } from '../src/access/budgets.ts';

export const securityFile = join(import.meta.dirname, '../docs/security.md');

const START = '<!-- limits: generated from src/access/budgets.ts by `npm run docs`; do not edit -->';
const END = '<!-- end of limits -->';

/** What each group is called. A group without a title here keeps its name. */
const titles: Readonly<Record<string, string>> = {
  http: 'Built-in web server',
  webSocket: 'WebSocket `/rpc`',
  unixSocket: 'Unix socket',
  ubus: 'ubus',
  smpp: 'SMPP server',
  mqtt: 'MQTT broker',
  logins: 'Logins, at each door apart',
  servers: 'Servers that the gateway connects to',
  inbox: 'Received messages',
  events: 'Hooks and webhooks',
  sms: 'SMS, each part of a long message counted',
  memory: 'Memory, of all doors together',
};

const counted: Readonly<Record<Budget['by'], string>> = {
  all: 'in all',
  address: 'an address, or a /64',
  account: 'an account',
  connection: 'a connection',
  message: 'a message',
  function: 'a function',
  sender: 'a sender',
  recipient: 'a recipient',
};

/** 64 KiB rather than 65,536 octets, 10 s rather than 10,000 ms. */
function amount({ limit, unit }: Budget): string {
  if (unit === 'ms' && limit >= 1000 && limit % 1000 === 0) return `${grouped(limit / 1000)} s`;
  if (unit === 'octets' && limit % 1_048_576 === 0) return `${grouped(limit / 1_048_576)} MiB`;
  if (unit === 'octets' && limit >= 1024 && limit % 1024 === 0) return `${grouped(limit / 1024)} KiB`;
  return `${grouped(limit)} ${unit}`;
}

// Without Intl, as on the routers.
const grouped = (number: number): string => `${number}`.replace(/\B(?=(?:\d{3})+$)/g, ',');

function row(budget: Budget): string {
  const option = budget.option === undefined ? '' : `\`${budget.option}\``;
  const cells = [budget.what, amount(budget), counted[budget.by], budget.beyond, option];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function groupText([name, group]: readonly [string, BudgetGroup]): string {
  const head = '| what | limit | counted for | beyond | option |\n|---|---|---|---|---|';
  return `### ${titles[name] ?? name}\n\n${head}\n${Object.values(group).map(row).join('\n')}\n`;
}

/** The page with its table as the code has it now. Throws when the marks are missing. */
export function securityDocs(page: string): string {
  const [start, end] = [page.indexOf(START), page.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`docs/security.md wants ${START} and ${END}`);
  const groups: readonly (readonly [string, BudgetGroup])[] = Object.entries(budgets);
  return `${page.slice(0, start)}${START}\n\n${groups.map(groupText).join('\n')}\n${page.slice(end)}`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(securityFile, securityDocs(readFileSync(securityFile, 'utf8')));
}
