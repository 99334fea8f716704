import { connect } from 'node:net';
import { onAbort } from '../base/abort.ts';
import { describeError } from '../base/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts';
import { decodeLine, LineReader } from '../base/line-reader.ts';
import { type Router, RouterError } from './router.ts';
import type { RunOptions } from './run-program.ts';

/** Degrees, north and east positive. */
export interface Position {
  readonly latitude: number;
  readonly longitude: number;
}

export const GPSD_PORT = 2947;
/** Octets; SKY reports with many satellites are the longest. */
const MAX_LINE = 16_384;
/** TPV.mode from which on there is a fix (gpsd_json(5)). */
const FIX_2D = 2;

/** Asks ugps on ubus, then gpsd on its socket. Throws RouterError with the reason when no position is known. */
export async function position(
  router: Router,
  port: number,
  options: Omit<RunOptions, 'maxOutput'>,
): Promise<Position> {
  const info = await router.call('gps', 'info').catch((error: unknown) => {
    if (error instanceof RouterError) return undefined;
    throw error;
  });
  const found = info && positionIn({ lat: info['latitude'], lon: info['longitude'] });
  return found ?? gpsdPosition(port, options);
}

/** The first fix that gpsd reports. */
function gpsdPosition(port: number, { clock, signal, deadline }: Omit<RunOptions, 'maxOutput'>): Promise<Position> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const lines = new LineReader(MAX_LINE);
    const socket = connect({ host: '127.0.0.1', port });
    const end = (settle: () => void) => {
      cancel();
      remove();
      socket.destroy();
      settle();
    };
    const fail = (why: string) => end(() => reject(new RouterError(why)));
    const cancel = clock.after(deadline, () => fail(`no position: gpsd reports no fix within ${deadline / 1000} s`));
    const remove = onAbort(signal, () => end(() => reject(signal.reason)));
    socket.on('connect', () => socket.write('?WATCH={"enable":true,"json":true};\n'));
    socket.on('error', (error) => fail(`no position: neither ugps nor gpsd answers (${error.message})`));
    socket.on('close', () => fail('no position: gpsd closed the connection'));
    socket.on('data', (chunk) => {
      try {
        lines.push(chunk);
        for (let line = lines.next(); line !== undefined; line = lines.next()) {
          const report = parse(decodeLine(line) ?? '');
          const fix = report?.['class'] === 'TPV' && Number(report['mode']) >= FIX_2D ? positionIn(report) : undefined;
          if (fix !== undefined) return end(() => resolve(fix));
        }
      } catch (error) {
        fail(`no position: gpsd: ${describeError(error)}`);
      }
    });
  });
}

function parse(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** ugps writes numbers as texts. */
function positionIn({ lat, lon }: JsonObject): Position | undefined {
  const [latitude, longitude] = [degrees(lat, 90), degrees(lon, 180)];
  return latitude === undefined || longitude === undefined ? undefined : { latitude, longitude };
}

function degrees(value: Json | undefined, limit: number): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Math.abs(number) <= limit ? number : undefined;
}
