import { setFlagsFromString } from 'node:v8';

/**
 * V8's compilers cost a gateway more than they give: the code of the optimizing one alone takes 4 MB of memory once it runs, what
 * they work with up to 20 MB (Node 24), and what they make is used a few times in an hour. So the daemon interprets, and
 * calls the optimizing one in only for work that does the same a hundred thousand times.
 */
let areOff = false;
/** How much of such work is under way. */
let users = 0;
/** Octets that work goes through from which on the compiler pays: tens of thousands of lines. */
const LARGE = 2 << 20;

/** To be called once, when the program starts. Not by options of Node: one whose V8 lacks a compiler would refuse to start. */
export function switchCompilersOff(): void {
  areOff = true;
  for (const flag of ['--no-sparkplug', '--no-maglev', '--no-opt']) setFlagsFromString(flag);
}

/** Does work that goes through so many octets, with the optimizing compiler where they are many. */
export async function optimized<T>(octets: number, work: () => Promise<T>): Promise<T> {
  if (!areOff || octets < LARGE) return work();
  users += 1;
  setFlagsFromString('--opt');
  try {
    return await work();
  } finally {
    users -= 1;
    if (users === 0) setFlagsFromString('--no-opt');
  }
}
