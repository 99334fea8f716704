import { GatewayError } from '../base/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts';
import type { Argument, Signature } from './method.ts';

/** Refuses arguments that do not fit the signature. `where` names the method in the error. No free text is repeated. */
export function checkArguments(where: string, signature: Signature, args: JsonObject): void {
  const refuse = (what: string) => new GatewayError('invalid_argument', `${where}: ${what}`);
  for (const [name, value] of Object.entries(args)) {
    if (!Object.hasOwn(signature.args, name)) {
      const known = Object.keys(signature.args).join(', ') || 'none';
      throw refuse(`unknown argument ${clip(name)}; known are: ${known}`);
    }
    const argument = signature.args[name];
    const fault = argument && faultOf(argument, value);
    if (fault !== undefined) throw refuse(`argument ${name}: ${fault}`);
  }
  for (const [name, argument] of Object.entries(signature.args)) {
    if (argument.required && !Object.hasOwn(args, name)) throw refuse(`argument ${name} (${argument.type}) is missing`);
  }
}

/** A name from outside, quoted and short enough for an error message. */
export function clip(name: string): string {
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}

function faultOf(argument: Argument, value: Json | undefined): string | undefined {
  if (!hasType(argument, value)) return `got ${kindOf(value)}, wanted ${article(argument.type)}`;
  const { range: [min, max] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY], words } = argument;
  if (typeof value === 'number' && (value < min || value > max)) return `got ${value}, wanted ${min} to ${max}`;
  if (typeof value !== 'string') return undefined;
  if (value.length < min || value.length > max) return `got ${value.length} characters, wanted ${min} to ${max}`;
  if (words?.includes(value) === false) return `got ${clip(value)}, wanted one of ${words.join(', ')}`;
  return undefined;
}

function hasType(argument: Argument, value: Json | undefined): boolean {
  switch (argument.type) {
    case 'string':
      return typeof value === 'string';
    case 'integer':
      return Number.isSafeInteger(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'array':
      return Array.isArray(value);
    case 'table':
      return isJsonObject(value);
  }
}

function kindOf(value: Json | undefined): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'a table';
  return typeof value === 'number' && !Number.isSafeInteger(value) ? 'a fraction' : `a ${typeof value}`;
}

const article = (type: string): string => (/^[aei]/.test(type) ? `an ${type}` : `a ${type}`);
