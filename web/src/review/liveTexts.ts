/** Texts of files as strings, for all who show parts of them: made once after each change, told a few times a second. */
import type * as Y from "yjs";
import { fileText, filesMap } from "../files/listing";

const TELL_MS = 150;

export class LiveTexts {
  readonly #doc: Y.Doc;
  readonly #texts = new Map<string, string>();
  readonly #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts the changes that listeners were told of. */
  version = 0;

  constructor(doc: Y.Doc) {
    this.#doc = doc;
  }

  /** The text of a file as it is now; empty if there is none. */
  readonly read = (file: string): string => {
    const known = this.#texts.get(file);
    if (known !== undefined) return known;
    const text = fileText(this.#doc, file)?.toString() ?? "";
    // Without listeners nobody says when it changes.
    if (this.#listeners.size > 0) this.#texts.set(file, text);
    return text;
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    if (this.#listeners.size === 0) filesMap(this.#doc).observeDeep(this.#changed);
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      filesMap(this.#doc).unobserveDeep(this.#changed);
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#texts.clear();
      this.version += 1;
    };
  };

  readonly #changed = (events: Y.YEvent<Y.AbstractType<unknown>>[]): void => {
    for (const { path } of events) {
      if (path.length === 0) this.#texts.clear();
      else this.#texts.delete(String(path[0]));
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.version += 1;
      for (const listener of this.#listeners) listener();
    }, TELL_MS);
  };
}
