/** A node of the menu, as src/http/pages/menu.ts has it. */
export interface MenuNode {
  readonly path: string;
  readonly title: string;
  readonly view?: string;
  readonly readonly: boolean;
  readonly children: readonly MenuNode[];
}

/** What the server wrote into the page. Views reach it as `L.env`. */
export interface Env extends Record<string, unknown> {
  readonly username: string;
  readonly language: string;
  readonly requestpath: readonly string[];
  readonly view: string;
  readonly readonly: boolean;
  readonly menu: readonly MenuNode[];
  /** Name of a module that is loaded when it is required → its URL. */
  readonly modules: Readonly<Record<string, string>>;
  readonly catalogue?: string;
}

function readEnv(): Env {
  const written = JSON.parse(document.getElementById('env')?.textContent ?? '{}');
  return {
    ...written,
    // Fields that LuCI has, and views may look at.
    ...{ scriptname: '', resource: '/luci-static/resources', media: '/pages', ubuspath: '/ubus/', pollinterval: 5 },
    dispatchpath: written.requestpath,
    nodespec: { satisfied: true, readonly: written.readonly },
  };
}

export const env: Env = readEnv();
