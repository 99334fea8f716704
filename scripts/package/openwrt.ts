import { readFileSync } from 'node:fs';
import type { Contents } from './formats.ts';
import { packageName, type Target } from './target.ts';
import type { Tree } from './tree.ts';

/** A definition of the feed's Makefile, so that packages made with and without the SDK are the same. */
function define(name: string): string {
  const text = readFileSync('Makefile', 'utf8');
  const body = new RegExp(`^define ${name}\\n([\\s\\S]*?)^endef$`, 'm').exec(text)?.[1];
  if (body === undefined) throw new Error(`the Makefile defines no ${name}`);
  return body.replaceAll('$$', '$');
}

function field(body: string, name: string): string {
  return new RegExp(`^\\s*${name}:=(.*)$`, 'm').exec(body)?.[1]?.trim() ?? '';
}

const depends = (body: string): readonly string[] =>
  field(body, 'DEPENDS')
    .split(/\s+/)
    .filter((word) => word.startsWith('+'))
    .map((word) => word.slice(1));

const shellLines = (body: string): string => body.replace(/^#!\/bin\/sh\n/, '');

function contentsOf(name: string, tree: Tree, arch: string): Contents {
  const body = define(`Package/${name}`);
  const user = field(body, 'USERID');
  return {
    name,
    tree,
    arch,
    title: field(body, 'TITLE'),
    description: define(`Package/${name}/description`).trim().replace(/\s+/g, ' '),
    depends: ['libc', ...depends(body)],
    conffiles: name === packageName ? define(`Package/${name}/conffiles`).trim().split('\n') : [],
    ...(user === '' ? {} : { user }),
    postinst: shellLines(define(`Package/${name}/postinst`)),
  };
}

export const serviceContents = (tree: Tree, target: Target): Contents => contentsOf(packageName, tree, target.openwrt);

export const pagesContents = (tree: Tree): Contents => contentsOf(`luci-app-${packageName}`, tree, 'all');
