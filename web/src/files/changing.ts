/** Creating, renaming and deleting files. A file is known by its id; its path is only a label. */
import * as Y from "yjs";
import { filesMap, readListing } from "./listing";
import { checkPath } from "./paths";

/** Raised when a file cannot be created or renamed so; the message says why and what to do. */
export class FileRefused extends Error {}

const ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz";

function newFileId(): string {
  const random = crypto.getRandomValues(new Uint8Array(12));
  return "f" + Array.from(random, (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

function allowed(doc: Y.Doc, raw: string, except: string | null): string {
  const { path, problem } = checkPath(raw.trim());
  if (path === null) throw new FileRefused(problem);
  if (readListing(doc).files.some((file) => file.id !== except && file.shown === path)) {
    throw new FileRefused(`There is a file '${path}' already; choose another path.`);
  }
  return path;
}

/** Creates an empty file and gives its id. Raises FileRefused. */
export function createFile(doc: Y.Doc, raw: string): string {
  const path = allowed(doc, raw, null);
  const id = newFileId();
  const entry = new Y.Map<unknown>();
  entry.set("path", path);
  entry.set("text", new Y.Text());
  filesMap(doc).set(id, entry);
  return id;
}

/** Gives a file another path. Raises FileRefused. */
export function renameFile(doc: Y.Doc, id: string, raw: string): void {
  const path = allowed(doc, raw, id);
  const entry = filesMap(doc).get(id);
  if (!(entry instanceof Y.Map)) throw new FileRefused("The file is gone; somebody deleted it.");
  if (entry.get("path") !== path) entry.set("path", path);
}

/** Moves every file of a folder (`before/`) to another folder. Raises FileRefused and then moves none. */
export function renameFolder(doc: Y.Doc, before: string, raw: string): void {
  const { path, problem } = checkPath(raw.trim().replace(/\/$/, ""));
  if (path === null) throw new FileRefused(problem);
  const { files } = readListing(doc);
  const inside = files.filter((file) => file.path.startsWith(before + "/"));
  const others = new Set(files.filter((file) => !inside.includes(file)).map((file) => file.shown));
  const moves = inside.map((file) => ({ id: file.id, path: path + file.path.slice(before.length) }));
  for (const move of moves) {
    const checked = checkPath(move.path);
    if (checked.path === null) throw new FileRefused(checked.problem);
    if (others.has(move.path)) throw new FileRefused(`There is a file '${move.path}' already; choose another folder.`);
  }
  doc.transact(() => {
    for (const move of moves) (filesMap(doc).get(move.id) as Y.Map<unknown>).set("path", move.path);
  });
}

export function deleteFiles(doc: Y.Doc, ids: readonly string[]): void {
  doc.transact(() => {
    for (const id of ids) filesMap(doc).delete(id);
  });
}
