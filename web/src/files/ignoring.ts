/** Leaves out what .gitignore files say, as git does: each counts for its own folder and those below. */
import ignore, { type Ignore } from "ignore";

export class IgnoreRules {
  readonly #rules: { folder: string; rules: Ignore }[] = [];

  /** Adds the .gitignore of a folder; `folder` is empty or ends with a slash. */
  add(folder: string, text: string): void {
    this.#rules.push({ folder, rules: ignore().add(text) });
    this.#rules.sort((a, b) => a.folder.length - b.folder.length);
  }

  /** Whether git would leave out this path itself, folders with a slash at the end; says nothing of its parents. */
  #matches(path: string): boolean {
    let left = false;
    for (const { folder, rules } of this.#rules) {
      if (!path.startsWith(folder) || path === folder) continue;
      const result = rules.test(path.slice(folder.length));
      if (result.ignored) left = true;
      else if (result.unignored) left = false;
    }
    return left;
  }

  /** Whether git would leave out this path: by a rule of its own, or because a folder above is left out. */
  ignores(path: string): boolean {
    const parts = path.split("/");
    const last = parts.at(-1) === "" ? parts.length - 2 : parts.length - 1;
    for (let depth = 0; depth < last; depth += 1) {
      if (this.#matches(`${parts.slice(0, depth + 1).join("/")}/`)) return true;
    }
    return this.#matches(path);
  }
}
