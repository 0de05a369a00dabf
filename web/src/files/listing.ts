/** The room's files as people see them, read from the document's `files` map. */
import * as Y from "yjs";
import { byCodePoint, checkPath, suffixed } from "./paths";

export interface RoomFile {
  id: string;
  /** As stored. */
  path: string;
  /** With a suffix if an earlier id has the same path. */
  shown: string;
}

export interface Listing {
  files: RoomFile[];
  /** For each entry that is no file, what is wrong with it. */
  problems: string[];
}

export function filesMap(doc: Y.Doc): Y.Map<unknown> {
  return doc.getMap("files");
}

export function readListing(doc: Y.Doc): Listing {
  const found: { id: string; path: string }[] = [];
  const problems: string[] = [];
  for (const [id, entry] of filesMap(doc).entries()) {
    if (!(entry instanceof Y.Map)) {
      problems.push(`The entry '${id}' is no file.`);
    } else if (!(entry.get("text") instanceof Y.Text)) {
      problems.push(`The entry '${id}' has no text.`);
    } else {
      const { path, problem } = checkPath(entry.get("path"));
      if (path === null) problems.push(`The entry '${id}': ${problem}`);
      else found.push({ id, path });
    }
  }
  found.sort((a, b) => byCodePoint(a.id, b.id));
  const taken = new Set(found.map((file) => file.path));
  const first = new Set<string>();
  const files = found.map(({ id, path }) => {
    const shown = first.has(path) ? suffixed(path, taken) : path;
    first.add(path);
    taken.add(shown);
    return { id, path, shown };
  });
  return { files, problems };
}

/** The text of a file, if it is there and well-formed. */
export function fileText(doc: Y.Doc, id: string): Y.Text | null {
  const entry = filesMap(doc).get(id);
  const text = entry instanceof Y.Map ? entry.get("text") : null;
  return text instanceof Y.Text ? text : null;
}

/** Calls back when files come, go or are renamed, but not when somebody types. */
export function observeListing(doc: Y.Doc, changed: () => void): () => void {
  const files = filesMap(doc);
  const observer = (events: Y.YEvent<Y.AbstractType<unknown>>[]): void => {
    if (events.some((event) => event.path.length < 2)) changed();
  };
  files.observeDeep(observer);
  return () => files.unobserveDeep(observer);
}
