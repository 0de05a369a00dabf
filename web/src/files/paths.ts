/** The rules of file paths; the same as collab/ids.py and collab/document.py on the server. */

export const MAX_PATH_BYTES = 1024;

export type CheckedPath = { path: string; problem: null } | { path: null; problem: string };

function refuse(problem: string): CheckedPath {
  return { path: null, problem };
}

/** Checks a path: relative POSIX, no `..`, no control character, no empty part, at most 1,024 bytes; gives it in NFC. */
export function checkPath(raw: unknown): CheckedPath {
  if (typeof raw !== "string") return refuse("The path must be a string.");
  if (/\p{Surrogate}/u.test(raw)) return refuse("The path holds half a character; write it again.");
  if (raw === "") return refuse("The path is empty; write one like 'src/app.py'.");
  const size = new TextEncoder().encode(raw).length;
  if (size > MAX_PATH_BYTES) return refuse(`The path has ${size} bytes; at most ${MAX_PATH_BYTES} are allowed.`);
  if (/\p{Cc}/u.test(raw)) return refuse("The path holds a control character; remove it.");
  if (raw.includes("\\")) return refuse("The path holds a backslash; separate its parts with '/'.");
  if (raw.split("/").some((part) => part === "" || part === "." || part === "..")) {
    return refuse("The path must be relative, without empty parts, '.' or '..'; write it like 'src/app.py'.");
  }
  return { path: raw.normalize("NFC"), problem: null };
}

/** `app.py` as `app (2).py`, or the next number that is not taken. */
export function suffixed(path: string, taken: ReadonlySet<string>): string {
  const slash = path.lastIndexOf("/") + 1;
  const dot = path.lastIndexOf(".");
  const end = dot > slash ? dot : path.length;
  for (let number = 2; ; number += 1) {
    const candidate = `${path.slice(0, end)} (${number})${path.slice(end)}`;
    if (!taken.has(candidate)) return candidate;
  }
}

/** Compares by code point, as the server sorts, so that both give the suffix to the same file. */
export function byCodePoint(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const difference = left[index]!.codePointAt(0)! - right[index]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}
