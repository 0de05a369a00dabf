/** The room's settings, which are in the document, so that any client may have written anything there. */
import type * as Y from "yjs";
import type { Mode } from "../messages";

const MODES: readonly Mode[] = ["auto", "review", "ask"];

export function settingsMap(doc: Y.Doc): Y.Map<unknown> {
  return doc.getMap("settings");
}

export function readMode(doc: Y.Doc): Mode {
  return MODES.find((mode) => mode === settingsMap(doc).get("mode")) ?? "auto";
}

export function writeMode(doc: Y.Doc, mode: Mode): void {
  if (settingsMap(doc).get("mode") !== mode) settingsMap(doc).set("mode", mode);
}

/** The server takes no longer ones. In code points. */
export const RULES_CHARS = 20_000;

/** What every job of the room is told; empty if nothing. */
export function readRules(doc: Y.Doc): string {
  const rules = settingsMap(doc).get("instructions");
  return typeof rules === "string" ? rules : "";
}

export function writeRules(doc: Y.Doc, rules: string): void {
  if (readRules(doc) !== rules) settingsMap(doc).set("instructions", rules);
}
