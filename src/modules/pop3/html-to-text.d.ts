/** The used parts of html-to-text 10, which has no types. */
declare module 'html-to-text' {
  export interface Element {
    readonly children: readonly unknown[];
  }

  export interface BlockTextBuilder {
    openBlock(options: { readonly leadingLineBreaks: number }): void;
    closeBlock(options: { readonly trailingLineBreaks: number }): void;
    addLiteral(text: string): void;
    addInline(text: string): void;
  }

  export type Formatter = (
    element: Element,
    walk: (children: readonly unknown[], builder: BlockTextBuilder) => void,
    builder: BlockTextBuilder,
    options: Readonly<Record<string, unknown>>,
  ) => void;

  export interface Selector {
    readonly selector: string;
    readonly format?: string;
    readonly options?: Readonly<Record<string, unknown>>;
  }

  export interface Options {
    readonly wordwrap: number | false;
    readonly baseElements: { readonly selectors: readonly string[] };
    readonly limits: { readonly maxInputLength: number; readonly maxDepth: number; readonly ellipsis: string };
    readonly formatters: Readonly<Record<string, Formatter>>;
    readonly selectors: readonly Selector[];
  }

  export function compile(options: Options): (html: string) => string;
}
