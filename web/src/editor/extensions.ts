/** All that makes a CodeMirror view the room's editor of one file. */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput } from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, type Compartment, type Extension } from "@codemirror/state";
import {
  crosshairCursor,
  drawSelection,
  dropCursor,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  rectangularSelection,
} from "@codemirror/view";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import type { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";
import { carriageReturns } from "./carriageReturns";
import { inlineSuggestions, type DrawSuggestion } from "./inlineSuggestions";
import { remoteCursors } from "./remoteCursors";
import { editorTheme } from "./theme";

export interface EditorParts {
  text: Y.Text;
  awareness: Awareness;
  undoManager: Y.UndoManager;
  language: Compartment;
  look: Compartment;
  blame: Compartment;
  dark: boolean;
  label: string;
  drawSuggestion: DrawSuggestion;
}

/** The nonce that lets CodeMirror add its style element under the page's Content-Security-Policy. */
export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
}

export function editorExtensions(parts: EditorParts): Extension {
  return [
    EditorView.cspNonce.of(styleNonce()),
    // Offsets must count what the Y.Text counts, so only \n may end a line: "\r\n" is two units.
    EditorState.lineSeparator.of("\n"),
    parts.blame.of([]),
    lineNumbers(),
    foldGutter(),
    highlightActiveLineGutter(),
    // Before the special characters, one of which it hides.
    carriageReturns(),
    highlightSpecialChars(),
    drawSelection(),
    dropCursor(),
    EditorState.allowMultipleSelections.of(true),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    autocompletion(),
    rectangularSelection(),
    crosshairCursor(),
    highlightActiveLine(),
    highlightSelectionMatches(),
    search({ top: true }),
    keymap.of([
      ...closeBracketsKeymap,
      ...yUndoManagerKeymap,
      ...searchKeymap,
      ...foldKeymap,
      ...completionKeymap,
      ...defaultKeymap,
      indentWithTab,
    ]),
    parts.language.of([]),
    parts.look.of(EditorView.darkTheme.of(parts.dark)),
    editorTheme,
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ "aria-label": parts.label, "data-gramm": "false" }),
    yCollab(parts.text, null, { undoManager: parts.undoManager }),
    remoteCursors(parts.text, parts.awareness),
    inlineSuggestions(parts.text, parts.drawSuggestion),
  ];
}
