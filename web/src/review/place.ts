/** Where a suggestion stands in the live document, and what stands there now. */
import * as Y from "yjs";
import { fileText, readListing } from "../files/listing";
import type { Suggestion } from "../messages";

export interface Place {
  file: string;
  from: number;
  to: number;
}

/** What a suggestion meets now; `gone` says in words why there is no place for it any more. */
export type Live = { text: string; gone: null } | { text: ""; gone: string };

const DELETED = "The file was deleted, so this has no place any more.";
const LOST = "The text around this was replaced, so its place is gone.";
const EMPTIED = "All lines that this would change were deleted meanwhile.";

/** The index of a relative position (base64 of its binary form) in a text; null if it is not in there. */
export function indexOf(encoded: string | null, text: Y.Text): number | null {
  if (encoded === null || !text.doc) return null;
  try {
    const bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
    const position = Y.createAbsolutePositionFromRelativePosition(Y.decodeRelativePosition(bytes), text.doc);
    return position && position.type === text ? position.index : null;
  } catch (error) {
    console.warn("The place of a suggestion cannot be read.", error);
    return null;
  }
}

/** The part of a text that a suggestion is about; null if it has none, or none any more. */
export function rangeIn(suggestion: Suggestion, text: Y.Text): { from: number; to: number } | null {
  if (suggestion.anchor === null) {
    return suggestion.kind === "whole_file" || suggestion.kind === "delete_file" ? { from: 0, to: text.length } : null;
  }
  const from = indexOf(suggestion.anchor, text);
  const to = suggestion.end === null ? text.length : indexOf(suggestion.end, text);
  return from === null || to === null || to < from ? null : { from, to };
}

/** What stands in the suggestion's place. `read` gives the text of a file, which the caller may keep. */
export function liveOf(suggestion: Suggestion, doc: Y.Doc, read: (file: string) => string): Live {
  const { kind, file } = suggestion;
  if (kind === "new_file") {
    const there = readListing(doc).files.find((one) => one.shown === suggestion.path);
    return { text: there ? read(there.id) : "", gone: null };
  }
  const text = file === null ? null : fileText(doc, file);
  if (file === null || text === null) return { text: "", gone: DELETED };
  if (kind === "rename_file") {
    return { text: readListing(doc).files.find((one) => one.id === file)?.shown ?? suggestion.path, gone: null };
  }
  const range = rangeIn(suggestion, text);
  if (range === null) return suggestion.anchor === null ? { text: suggestion.current, gone: null } : { text: "", gone: LOST };
  return { text: read(file).slice(range.from, range.to), gone: null };
}

/** Said of a suggestion whose lines are all gone, though the place where they stood is known. */
export function emptied(suggestion: Suggestion, live: Live): string | null {
  if (live.gone !== null || suggestion.state !== "open") return null;
  const had = suggestion.kind === "hunk" && suggestion.before.trim() !== "" && suggestion.conflict !== "none";
  return had && live.text.trim() === "" ? EMPTIED : null;
}
